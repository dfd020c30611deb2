"""The coverage ledger: for each source and hour what was fetched, what was missed, and why.

`coverage_hour` counts what came. `gap` has a row for each run that left something: the last coverage stored of a run
is the truth about it. A back-fill is recorded under its gap (`GapRow.run_key`), so that the gap shrinks and closes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, or_, select, update

from core.batch import Coverage, Missed
from core.mention import Mention
from storage.mentions import Added, said_at
from storage.sql import hour_of, plain, plain_id, upsert
from storage.tables import coverage_hour, gap, rejected_item

HOUR = timedelta(hours=1)
_RUN = "gap:"


@dataclass(frozen=True, slots=True, kw_only=True)
class GapRow:
    """What a run left missing.

    Attributes:
        missed: how many are still missing; None if nobody knows.
        missed_first: how many were when the gap opened.
        filled: how many a back-fill has fetched so far.
        outcome: "filled", "covered" (a later run saw it all), "lost" (given up); None while it is open.
    """

    id: int
    source: str
    run: str
    since: datetime | None
    until: datetime
    missed_first: int | None
    missed: int | None
    reason: str
    resume: str | None
    filled: int
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    outcome: str | None

    @property
    def run_key(self) -> str:
        """What a back-fill of this gap passes to `record` as its run."""
        return f"{_RUN}{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One source, one hour.

    Attributes:
        expected: mentions this source has for the hour, as far as is known: seen + missed; None if nobody knows.
        fetched: how many came, repeats included; duplicate: of those, how many we had already.
        seen: how many different mentions this source showed; new: of those, how many nobody had shown before.
        missed: how many are missing; None: some, number unknown. A gap of several hours is spread over them.
        rejected: items that could not be read.
        backfilled: of `seen`, how many came by a back-fill.
        reason: why some are or were missing; None if nothing ever was.
    """

    source: str
    hour: datetime
    expected: int | None
    fetched: int
    seen: int
    new: int
    duplicate: int
    missed: int | None
    rejected: int
    backfilled: int
    reason: str | None


def record(
    tx: Connection,
    source: str,
    run: str,
    coverage: Coverage,
    mentions: Sequence[Mention],
    added: Added | None,
    now: datetime,
) -> None:
    """Write down what a batch brought and what is still missing, in the transaction that stores the batch.

    `run` names the run; all its batches carry the same. A back-fill passes its gap's `run_key`.
    A run that failed before its first batch is recorded with no mentions and a coverage that says why.
    """
    backfill = run.startswith(_RUN)
    _count(tx, source, mentions, added, now, backfill=backfill)
    _reject(tx, source, coverage, now)
    row = _gap_of(tx, source, run)
    if coverage.complete:
        _close(tx, source, row, coverage, added, now, backfill=backfill)
    elif row is not None:
        _shrink(tx, row, coverage, added, now, backfill=backfill)
    elif not _prolong(tx, source, coverage, now):
        _open(tx, source, run, coverage, now)


def _count(
    tx: Connection, source: str, mentions: Sequence[Mention], added: Added | None, now: datetime, *, backfill: bool
) -> None:
    hours: dict[datetime, dict[str, Any]] = {}

    def bump(moment: datetime, name: str) -> None:
        hour = hour_of(moment)
        row = hours.setdefault(
            hour, {"source": source, "hour": hour, "fetched": 0, "seen": 0, "new": 0, "backfilled": 0}
        )
        row[name] += 1

    for item in mentions:
        if item.repost_of is None:
            bump(said_at(item, now), "fetched")
    for moment in added.new_at if added else ():
        bump(moment, "new")
    for moment in added.seen_at if added else ():
        bump(moment, "seen")
        if backfill:
            bump(moment, "backfilled")
    if hours:
        put = upsert(tx, coverage_hour)
        c, new = coverage_hour.c, put.excluded
        grown = {name: c[name] + new[name] for name in ("fetched", "seen", "new", "backfilled")}
        put = put.on_conflict_do_update(index_elements=["source", "hour"], set_=grown)
        tx.execute(put, [hours[hour] for hour in sorted(hours)])


def _reject(tx: Connection, source: str, coverage: Coverage, now: datetime) -> None:
    rows = [
        {"source": source, "external_id": plain_id(i), "why": plain(why)[:300], "at": now}
        for i, why in coverage.rejected
    ]
    if rows:
        tx.execute(upsert(tx, rejected_item).on_conflict_do_nothing(), rows)


def _gap_of(tx: Connection, source: str, run: str) -> Row[Any] | None:
    named = gap.c.id == int(run[len(_RUN) :]) if run.startswith(_RUN) else gap.c.run == run
    return tx.execute(select(gap).where(gap.c.source == source, named)).one_or_none()


def _open(tx: Connection, source: str, run: str, coverage: Coverage, now: datetime) -> None:
    new = {
        "source": source,
        "run": run,
        "since": coverage.since,
        "until": coverage.until,
        "missed_first": coverage.missed,
        "missed": coverage.missed,
        "reason": coverage.reason,
        "resume": coverage.resume,
        "filled": 0,
        "opened_at": now,
        "updated_at": now,
    }
    tx.execute(upsert(tx, gap).values(**new))


def _prolong(tx: Connection, source: str, coverage: Coverage, now: datetime) -> bool:
    """An outage over many runs is one gap that grows, not many that overlap."""
    g = gap.c
    since = g.since.is_(None) if coverage.since is None else g.since == coverage.since
    same = and_(g.source == source, g.reason == coverage.reason, since, g.resume.is_(None), g.closed_at.is_(None))
    if coverage.resume is not None or coverage.reason == Missed.PENDING:
        return False
    found = tx.execute(select(g.id).where(same).order_by(g.id.desc()).limit(1)).scalar()
    if found is None:
        return False
    longer = {"until": coverage.until, "missed": coverage.missed, "missed_first": coverage.missed, "updated_at": now}
    tx.execute(update(gap).where(g.id == found).values(**longer))
    return True


def _shrink(
    tx: Connection, row: Row[Any], coverage: Coverage, added: Added | None, now: datetime, *, backfill: bool
) -> None:
    values = {"missed": coverage.missed, "reason": coverage.reason, "resume": coverage.resume, "updated_at": now}
    if backfill:
        values["filled"] = row.filled + (len(added.seen_at) if added else 0)
    else:
        values |= {"missed_first": coverage.missed, "since": coverage.since, "until": coverage.until}
    tx.execute(update(gap).where(gap.c.id == row.id).values(**values, closed_at=None, outcome=None))


def _close(
    tx: Connection,
    source: str,
    row: Row[Any] | None,
    coverage: Coverage,
    added: Added | None,
    now: datetime,
    *,
    backfill: bool,
) -> None:
    """Close what is filled, and the gaps of other runs that lie within a span now known to be complete.

    A run that itself fetched in its last batch what its first had left never had a gap.
    """
    g = gap.c
    done = {"missed": 0, "resume": None, "closed_at": now, "updated_at": now}
    if row is not None and not backfill and not row.filled:
        tx.execute(delete(gap).where(g.id == row.id))
    elif row is not None:
        filled = row.filled + (len(added.seen_at) if added else 0)
        tx.execute(update(gap).where(g.id == row.id).values(**done, filled=filled, outcome="filled"))
    inside = [g.source == source, g.closed_at.is_(None), g.until <= coverage.until]
    if coverage.since is not None:
        inside.append(g.since >= coverage.since)
    tx.execute(update(gap).where(*inside).values(**done, outcome="covered"))


def give_up(tx: Connection, gap_id: int, reason: Missed, now: datetime) -> None:
    """Stop trying to fill a gap, e.g. because the source shows nothing so old; the ledger says missed for ever."""
    lost = update(gap).where(gap.c.id == gap_id, gap.c.closed_at.is_(None))
    tx.execute(lost.values(reason=reason.value, outcome="lost", closed_at=now, updated_at=now))


def open_gaps(read: Connection, source: str | None = None) -> list[GapRow]:
    """Gaps that a back-fill should close, newest first."""
    wanted = select(gap).where(gap.c.closed_at.is_(None)).order_by(gap.c.until.desc(), gap.c.id.desc())
    if source is not None:
        wanted = wanted.where(gap.c.source == source)
    return [GapRow(**row._mapping) for row in read.execute(wanted)]


def gaps(read: Connection, since: datetime, until: datetime, source: str | None = None) -> list[GapRow]:
    """All gaps that touch [since, until), open, filled and lost, newest first: what a chart draws."""
    g = gap.c
    touching = select(gap).where(g.until > since, or_(g.since.is_(None), g.since < until))
    if source is not None:
        touching = touching.where(g.source == source)
    return [GapRow(**row._mapping) for row in read.execute(touching.order_by(g.until.desc(), g.id.desc()))]


def ledger(read: Connection, since: datetime, until: datetime, source: str | None = None) -> list[LedgerRow]:
    """What was seen and what was not, by source and hour in [since, until), oldest first."""
    c = coverage_hour.c
    wanted = select(coverage_hour).where(c.hour >= hour_of(since), c.hour < until)
    if source is not None:
        wanted = wanted.where(c.source == source)
    counted = {(row.source, row.hour): row for row in read.execute(wanted)}
    missed = _missed(gaps(read, since, until, source), hour_of(since), until)
    rejected = _rejected(read, since, until, source)
    slots = sorted({*counted, *missed, *rejected}, key=lambda slot: (slot[1], slot[0]))
    return [_ledger_row(slot, counted.get(slot), missed.get(slot), rejected.get(slot, 0)) for slot in slots]


def _ledger_row(
    slot: tuple[str, datetime], row: Row[Any] | None, gone: tuple[int | None, str] | None, rejected: int
) -> LedgerRow:
    fetched, seen, new, backfilled = (row.fetched, row.seen, row.new, row.backfilled) if row else (0, 0, 0, 0)
    missed, reason = gone if gone else (0, None)
    return LedgerRow(
        source=slot[0],
        hour=slot[1],
        expected=None if missed is None else seen + missed,
        fetched=fetched,
        seen=seen,
        new=new,
        duplicate=fetched - new,
        missed=missed,
        rejected=rejected,
        backfilled=backfilled,
        reason=reason,
    )


def _missed(
    rows: Sequence[GapRow], since: datetime, until: datetime
) -> dict[tuple[str, datetime], tuple[int | None, str]]:
    found: dict[tuple[str, datetime], tuple[int | None, str]] = {}
    for row in reversed(rows):  # the newest gap's reason stands
        for hour, missed in spread(row.since, row.until, row.missed, since, until):
            before = found.get((row.source, hour), (0, ""))[0]
            total = None if missed is None or before is None else missed + before
            found[(row.source, hour)] = (total, row.reason)
    return found


def spread(
    since: datetime | None, until: datetime, missed: int | None, first: datetime, last: datetime
) -> list[tuple[datetime, int | None]]:
    """Lay what is missing in [since, until) over its hours, as evenly as whole numbers can; show [first, last).

    A gap without a beginning is laid on its last hour. Shares add up to `missed` over the whole gap.
    """
    end = hour_of(until - timedelta(microseconds=1))
    start = end if since is None else min(hour_of(since), end)
    n = int((end - start) / HOUR) + 1
    shares = []
    low, high = max(start, hour_of(first)), min(end, hour_of(last - timedelta(microseconds=1)))
    hour = low
    while hour <= high:
        i = int((hour - start) / HOUR)
        shares.append((hour, None if missed is None else missed * (i + 1) // n - missed * i // n))
        hour += HOUR
    return shares


def _rejected(
    read: Connection, since: datetime, until: datetime, source: str | None
) -> dict[tuple[str, datetime], int]:
    r = rejected_item.c
    wanted = select(r.source, r.at).where(r.at >= hour_of(since), r.at < until)
    if source is not None:
        wanted = wanted.where(r.source == source)
    found: dict[tuple[str, datetime], int] = {}
    for row in read.execute(wanted):
        slot = (row.source, hour_of(row.at))
        found[slot] = found.get(slot, 0) + 1
    return found


def totals(read: Connection, since: datetime, until: datetime) -> dict[str, tuple[int, int | None]]:
    """Seen and missed by source in [since, until): what the Sources page shows first."""
    found: dict[str, tuple[int, int | None]] = {}
    for row in ledger(read, since, until):
        seen, missed = found.get(row.source, (0, 0))
        total = None if row.missed is None or missed is None else missed + row.missed
        found[row.source] = (seen + row.seen, total)
    return found


def open_count(read: Connection) -> int:
    """How many gaps are open."""
    return int(read.execute(select(func.count()).select_from(gap).where(gap.c.closed_at.is_(None))).scalar_one())
