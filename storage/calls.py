"""Calls as they were counted. A correction adds a record; the newest of a slot counts; nothing is overwritten."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, func, select, update

from core.series import Calls
from storage.sql import chunks, plain, upsert
from storage.tables import call_record

_COUNTED = ("step_seconds", "offered", "answered", "abandoned", "handle_time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import brought: slots not known before, slots with other figures, records that said nothing new."""

    new: int
    corrected: int
    same: int


def add(tx: Connection, calls: Sequence[Calls]) -> Imported:
    """Add records; one that says the same as the slot's newest is left out, so a file may be imported twice."""
    result = Imported(new=0, corrected=0, same=0)
    ordered = sorted(calls, key=lambda c: (c.queue, c.start, c.recorded_at))
    for some in chunks(ordered):
        result = _plus(result, _add(tx, list(some)))
    return result


def _plus(a: Imported, b: Imported) -> Imported:
    return Imported(new=a.new + b.new, corrected=a.corrected + b.corrected, same=a.same + b.same)


def _add(tx: Connection, calls: list[Calls]) -> Imported:
    newest = _newest_of(tx, calls)
    rows: list[dict[str, Any]] = []
    superseded: set[tuple[str, datetime]] = set()
    new = corrected = same = 0
    for call in calls:
        row = _row(call)
        slot = (row["queue"], row["start"])
        old = newest.get(slot)
        if old is not None and (_says(old) == _says(row) or old["recorded_at"] == row["recorded_at"]):
            same += 1
            continue
        if old is None:
            new += 1
        else:
            corrected += 1
        row["newest"] = old is None or row["recorded_at"] > old["recorded_at"]
        if row["newest"]:
            if old is not None:
                old["newest"] = False
                superseded.add(slot)
            newest[slot] = row
        rows.append(row)
    _write(tx, rows, superseded)
    return Imported(new=new, corrected=corrected, same=same)


def _newest_of(tx: Connection, calls: list[Calls]) -> dict[tuple[str, datetime], dict[str, Any]]:
    c = call_record.c
    found: dict[tuple[str, datetime], dict[str, Any]] = {}
    for queue in {plain(call.queue) for call in calls}:
        starts = [call.start for call in calls if plain(call.queue) == queue]
        rows = select(call_record).where(c.newest, c.queue == queue, c.start >= min(starts), c.start <= max(starts))
        found.update({(row.queue, row.start): dict(row._mapping) for row in tx.execute(rows)})
    return found


def _row(call: Calls) -> dict[str, Any]:
    return {
        "queue": plain(call.queue),
        "start": call.start,
        "step_seconds": int(call.step.total_seconds()),
        "offered": call.offered,
        "answered": call.answered,
        "abandoned": call.abandoned,
        "handle_time": call.handle_time,
        "recorded_at": call.recorded_at,
        "newest": False,
    }


def _says(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _COUNTED)


def _write(tx: Connection, rows: list[dict[str, Any]], superseded: set[tuple[str, datetime]]) -> None:
    c = call_record.c
    for queue, start in superseded:
        slot = update(call_record).where(c.queue == queue, c.start == start, c.newest)
        tx.execute(slot.values(newest=False))
    if rows:
        tx.execute(upsert(tx, call_record).on_conflict_do_nothing(), rows)


def series(
    read: Connection,
    queue: str,
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    known_at: datetime | None = None,
) -> list[Calls]:
    """The newest record of each slot in [since, until), oldest slot first.

    With `known_at`, what had been recorded by then: a backtest must not know later corrections.
    """
    c = call_record.c
    wanted = select(call_record).where(c.queue == plain(queue)).order_by(c.start)
    if since is not None:
        wanted = wanted.where(c.start >= since)
    if until is not None:
        wanted = wanted.where(c.start < until)
    if known_at is None:
        return [_calls(row) for row in read.execute(wanted.where(c.newest))]
    last = select(c.queue, c.start, func.max(c.recorded_at).label("recorded_at"))
    last_known = last.where(c.recorded_at <= known_at, c.queue == plain(queue)).group_by(c.queue, c.start).subquery()
    then = and_(last_known.c.start == c.start, last_known.c.recorded_at == c.recorded_at)
    return [_calls(row) for row in read.execute(wanted.join(last_known, then))]


def _calls(row: Row[Any]) -> Calls:
    return Calls(
        queue=row.queue,
        start=row.start,
        step=timedelta(seconds=row.step_seconds),
        offered=row.offered,
        answered=row.answered,
        abandoned=row.abandoned,
        handle_time=row.handle_time,
        recorded_at=row.recorded_at,
    )


def queues(read: Connection) -> list[str]:
    """The names of all queues."""
    return list(read.execute(select(call_record.c.queue).distinct().order_by(call_record.c.queue)).scalars())


def newest(read: Connection, queue: str | None = None) -> datetime | None:
    """The start of the last counted interval, of one queue or of all: how stale the phones are."""
    wanted = select(func.max(call_record.c.start)).where(call_record.c.newest)
    if queue is not None:
        wanted = wanted.where(call_record.c.queue == plain(queue))
    return read.execute(wanted).scalar()
