"""Once a day: what is too old goes, what is held stays, keys of old pseudonyms are destroyed, roll-ups are checked."""

import logging
from datetime import timedelta

from core.actor import job
from jobs.build import Runtime
from jobs.keys import epoch_of
from storage import retention, series
from storage.work import Unit

log = logging.getLogger("openear.retain")
ACTOR = job("retain")


def retain(runtime: Runtime, unit: Unit) -> None:
    """The stage."""
    del unit
    now = runtime.clock()
    settings = runtime.settings.retention
    more = True
    while more:
        with runtime.store.write() as tx:
            report = retention.run(tx, now=now, mentions_days=settings.mentions_days, actor=ACTOR)
        log.info("retention: %s", report)
        more = report.more
    destroy_old_keys(runtime)
    with runtime.store.read() as read:
        for difference in series.check(read):
            log.error("a roll-up differs from a recount: %s", difference)


def destroy_old_keys(runtime: Runtime) -> list[str]:
    """Delete the keys of epochs whose mentions are all past retention; return their names."""
    now = runtime.clock()
    oldest = now - timedelta(days=runtime.settings.retention.mentions_days)
    last = epoch_of(oldest, runtime.settings.retention.pseudonym_days)
    gone = []
    for file in (runtime.settings.data_dir / "keys").glob("*.*"):
        if file.name.split(".")[0] < last:
            file.unlink()
            gone.append(file.name)
    return gone
