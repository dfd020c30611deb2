"""What the coverage ledger says: gaps, and for each source and hour what was seen and what was not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select

from storage.sql import hour_of
from storage.tables import coverage_hour, gap, rejected_item

HOUR = timedelta(hours=1)
#: How the run of a back-fill begins; its gap's id follows.
RUN = "gap:"


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
        return f"{RUN}{self.id}"


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
