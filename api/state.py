"""How the service does, in numbers, read from the database: for /readyz and /metrics alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from storage import alerts, calls, sources, work
from storage.sources import SourceRow


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Attributes:
    late: how long the source that is due longest has been due.
    units: stage -> state -> how many units of work.
    score_lag: how long the text that waits longest to be read has waited.
    calls_at: queue -> start of the newest interval counted.
    untold: alerts that nobody is known to have been told.
    """

    sources: tuple[SourceRow, ...]
    late: timedelta
    units: Mapping[str, Mapping[str, int]]
    score_lag: timedelta
    calls_at: Mapping[str, datetime]
    untold: int

    @property
    def dead(self) -> int:
        """Units that were given up."""
        return sum(states.get("dead", 0) for states in self.units.values())


def read_state(read: Connection, now: datetime) -> State:
    """Read it; cheap enough to be asked every few seconds."""
    rows = tuple(sources.all(read))
    newest = {queue: calls.newest(read, queue) for queue in calls.queues(read)}
    waiting = [unit.created_at for unit in work.pending(read, ["score"], 1000)]
    return State(
        sources=rows,
        late=max((_late(row, now) for row in rows), default=timedelta()),
        units=work.counts(read),
        score_lag=max(now - min(waiting, default=now), timedelta()),
        calls_at={queue: start for queue, start in newest.items() if start is not None},
        untold=len(alerts.unsent(read, 1000)),
    )


def _late(row: SourceRow, now: datetime) -> timedelta:
    """How long a source that should be asked has not been asked."""
    if not row.enabled or row.state in ("refused", "retired"):
        return timedelta()
    due = max(row.next_due_at, row.retry_at or row.next_due_at)
    return max(now - due, timedelta())
