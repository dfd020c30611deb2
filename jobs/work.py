"""One unit of work: what every engine calls. The database is the truth; running a unit twice does no harm."""

import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.errors import (
    BadInput,
    CaseRefused,
    CaseSystemDown,
    OpenearError,
    OutcomeUnknown,
    SourceBusy,
    SourceChanged,
    SourceDown,
    SourceRefused,
    SourceRetired,
)
from jobs.build import Runtime
from storage import sources, work
from storage.work import Unit

log = logging.getLogger("openear.work")

#: How long a worker may be silent about a unit before another takes it.
LEASE = timedelta(minutes=6)
MAX_ATTEMPTS = 6

Stage = Callable[[Runtime, Unit], None]


def run_unit(runtime: Runtime, stages: Mapping[str, Stage], stage: str, unit_id: int | None = None) -> bool:
    """Claim one unit of `stage` (or that very unit), run it, write down how it ended.

    Returns:
        False if there was nothing to claim.
    """
    with runtime.store.write() as tx:
        unit = work.claim(tx, unit_id, [stage], runtime.clock(), LEASE, runtime.owner)
    if unit is None:
        return False
    runtime.leased(unit)
    try:
        stages[unit.stage](runtime, unit)
    except Exception as error:  # noqa: BLE001 - whatever a unit does, the ledger must know; the worker goes on
        _failed(runtime, unit, error)
    else:
        with runtime.store.write() as tx:
            work.finish(tx, unit.id, runtime.clock())
    return True


def backoff(attempts: int, rng: random.Random) -> timedelta:
    """Seconds that double from 5 to 30 minutes, with a fifth of jitter."""
    return timedelta(seconds=min(1800.0, 5.0 * 2.0**attempts) * rng.uniform(0.9, 1.1))


@dataclass(frozen=True, slots=True)
class Step:
    """What happens after a failure: when it is tried again (None: never), and what the source's state becomes."""

    retry_at: datetime | None
    state: str | None = None


def next_step(error: Exception, attempts: int, now: datetime, rng: random.Random) -> Step:
    """The one place that decides by the name of an error."""
    again = now + backoff(attempts, rng) if attempts < MAX_ATTEMPTS else None
    match error:
        case SourceBusy(retry_after=wait):
            return Step(now + wait, "waiting")
        case SourceDown():
            return Step(again, "waiting")
        case SourceRefused():
            return Step(None, "refused")
        case SourceRetired():
            return Step(None, "retired")
        case SourceChanged():
            return Step(None, "attention")
        case CaseSystemDown() | OutcomeUnknown():
            return Step(now + timedelta(minutes=5 if attempts <= 1 else 30))
        case CaseRefused() | BadInput():
            return Step(None)
    return Step(again)


def _failed(runtime: Runtime, unit: Unit, error: Exception) -> None:
    now = runtime.clock()
    step = next_step(error, unit.attempts, now, runtime.rng)
    if isinstance(error, OpenearError):
        log.warning("unit %s (%s): %s", unit.id, unit.stage, error)
    else:
        log.error("unit %s (%s) failed", unit.id, unit.stage, exc_info=error)
    source = unit.payload.get("source")
    with runtime.store.write() as tx:
        if step.state is not None and isinstance(source, str):
            sources.set_state(tx, source, step.state, str(error), now, step.retry_at)
        work.fail(tx, unit.id, f"{type(error).__name__}: {error}"[:1000], now, step.retry_at)
