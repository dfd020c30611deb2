"""Source to storage: each batch, its cursor and its coverage in one transaction, and the scoring of it ordered."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from collectors import query as queries
from core.batch import Backfill, Batch, Budget, Coverage, Head, Missed, Recheck, Task
from core.errors import SourceBusy, SourceDown, SourceError, SourceRefused
from jobs.build import Runtime
from storage import coverage, mentions, sources, work
from storage.work import Unit

#: The longest one unit may collect; what is left is a gap that a back-fill closes.
RUN = timedelta(minutes=4)
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Collected:
    """What one run brought."""

    new: int = 0
    updated: int = 0
    duplicate: int = 0
    deleted: int = 0

    def __add__(self, other: "Collected") -> "Collected":
        return Collected(
            self.new + other.new,
            self.updated + other.updated,
            self.duplicate + other.duplicate,
            self.deleted + other.deleted,
        )


def collect(runtime: Runtime, unit: Unit) -> None:
    """The stage: do what the unit's payload asks of its source."""
    name = str(unit.payload["source"])
    task = _task(runtime, name, unit)
    if task is None:
        return
    # Each attempt is a run of its own: one that reads from a cursor moved by the last attempt does not close its gap.
    run = f"gap:{unit.payload['gap']}" if isinstance(task, Backfill) else f"unit:{unit.id}:{unit.attempts}"
    collect_source(runtime, name, task, run)


def collect_source(runtime: Runtime, name: str, task: Task, run: str) -> Collected:
    """Store everything one task brings; return what it was.

    Each batch is one transaction, so a crash repeats work but loses none.

    Raises:
        SourceError: after storing the batches that did arrive and writing down what did not.
    """
    with runtime.store.read() as read:
        cursor = sources.cursor(read, name)
    total, written = Collected(), False
    started = runtime.clock()
    try:
        with runtime.collector(name) as collector:
            budget = Budget(requests=runtime.settings.sources[name].requests)
            for batch in collector.collect(task, cursor, budget, started + RUN):
                total += store_batch(runtime, name, _matching(runtime, name, batch), task, run)
                written = True
    except SourceError as error:
        if not written:  # else the last batch's coverage says what is missing, and why
            _write_down(runtime, name, task, run, error, started)
        raise
    with runtime.store.write() as tx:
        sources.set_state(tx, name, "ok", f"{total.new} new, {total.updated} edited", runtime.clock())
    return total


def store_batch(runtime: Runtime, source: str, batch: Batch, task: Task, run: str) -> Collected:
    """One batch: protected, stored, its scoring ordered, all in one transaction."""
    now = runtime.clock()
    safe = runtime.protect(batch, now)
    with runtime.store.write() as tx:
        added = mentions.add(tx, source, safe, now=now)
        coverage.record(tx, source, run, safe.coverage, safe.mentions, added, now)
        if isinstance(task, Head) and safe.cursor is not None:
            sources.set_cursor(tx, source, safe.cursor)
        lane = "live" if isinstance(task, Head) else "backfill"
        order_scoring(tx, runtime, [*added.new, *added.updated], now, lane)
    return Collected(len(added.new), len(added.updated), added.duplicate, len(batch.deletions))


def order_scoring(tx: Connection, runtime: Runtime, ids: list[int], now: datetime, lane: str) -> None:
    """Work units that score these mentions, CHUNK at a time."""
    for start in range(0, len(ids), CHUNK):
        part = sorted(ids[start : start + CHUNK])
        work.add(tx, "score", f"score:{part[0]}-{part[-1]}:{len(part)}:{now.timestamp():.6f}", {"ids": part}, now, lane)


def _task(runtime: Runtime, name: str, unit: Unit) -> Task | None:
    match unit.payload.get("task", "head"):
        case "head":
            return Head()
        case "recheck":
            return Recheck(ids=tuple(unit.payload["ids"]))
    with runtime.store.read() as read:
        gap = next((g for g in coverage.open_gaps(read, name) if g.id == unit.payload["gap"]), None)
    return None if gap is None else Backfill(since=gap.since, until=gap.until, resume=gap.resume)


def _matching(runtime: Runtime, name: str, batch: Batch) -> Batch:
    """Only what the source's query catches; a source without one has chosen already."""
    query = runtime.query(runtime.settings.sources[name].query)
    if query is None:
        return batch
    kept = (m for m in batch.mentions if queries.matches(query, m, source=name))
    return replace(batch, mentions=tuple(kept))


def _write_down(runtime: Runtime, name: str, task: Task, run: str, error: SourceError, started: datetime) -> None:
    """A run that failed leaves a line in the ledger: which hours, and why. A back-fill's own gap stays open."""
    if not isinstance(task, Head):
        return
    now = runtime.clock()
    with runtime.store.write() as tx:
        row = sources.one(tx, name)
        since = (row.ok_at or row.state_at) if row else started  # constant while it lasts: an outage is one gap
        gap = Coverage(since=since, until=now, complete=False, reason=_reason(error))
        coverage.record(tx, name, f"{run}:failed", gap, (), None, now)


def _reason(error: SourceError) -> Missed:
    match error:
        case SourceBusy():
            return Missed.QUOTA
        case SourceRefused():
            return Missed.TOKEN
        case SourceDown():
            return Missed.OUTAGE
    return Missed.REJECTED
