"""Mentions to roll-ups: every dirty hour is counted anew and replaced, never incremented."""

from jobs.build import Runtime
from storage import series
from storage.work import Unit

HOURS = 200


def rebuild(runtime: Runtime, unit: Unit) -> None:
    """The stage: recount dirty hours until none is left."""
    del unit
    while True:
        with runtime.store.write() as tx:
            hours = series.dirty(tx, HOURS)
            if not hours:
                return
            series.rebuild(tx, hours, timezone=runtime.settings.agency.timezone)
