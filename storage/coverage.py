"""The coverage ledger: for each source and hour what was fetched, what was missed, and why.

`coverage_hour` counts what came. `gap` has a row for each run that left something: the last coverage stored of a run
is the truth about it. A back-fill is recorded under its gap (`GapRow.run_key`), so that the gap shrinks and closes.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, select, update

from core.batch import Coverage, Missed
from core.mention import Mention
from storage.ledger import RUN, GapRow, LedgerRow, gaps, ledger, open_count, open_gaps, spread, totals
from storage.mentions import Added, said_at
from storage.sql import hour_of, plain, plain_id, upsert
from storage.tables import coverage_hour, gap, rejected_item

__all__ = ["GapRow", "LedgerRow", "gaps", "give_up", "ledger", "open_count", "open_gaps", "record", "spread", "totals"]


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
    backfill = run.startswith(RUN)
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
    named = gap.c.id == int(run[len(RUN) :]) if run.startswith(RUN) else gap.c.run == run
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
