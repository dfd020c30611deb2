"""A working process: `python -m jobs.worker work` (everything but the model) or `... score` (the model alone)."""

import logging
import signal
import sys
import threading
from collections.abc import Mapping

from jobs import alerting, calls, collect, forecast, link, requests, retain, sample_city, schedule, score, series
from jobs.build import Runtime, open_runtime
from jobs.engines import LocalEngine
from jobs.leases import free_the_dead
from jobs.listen import register
from jobs.logs import set_up
from jobs.work import Stage

log = logging.getLogger("openear.worker")

STAGES: Mapping[str, Stage] = {
    "collect": collect.collect,
    "score": score.score,
    "link": link.link,
    "series": series.rebuild,
    "forecast": forecast.forecast,
    "alert": alerting.alert,
    "request": requests.act,
    "retain": retain.retain,
    "calls": calls.watch,
    "sample": sample_city.sample,
}

#: The threads of the process that does all but scoring, each with its stages in order of preference.
#: One linker at a time: no other lane may name "link".
WORK_LANES = (
    ("alert", "request"),
    ("collect",),
    ("collect",),
    ("link", "series"),
    ("calls", "forecast", "retain", "sample"),
)
SCORE_LANES = (("score",),)


LANES = {"work": WORK_LANES, "score": SCORE_LANES, "all": WORK_LANES + SCORE_LANES}


def serve(runtime: Runtime, role: str, stopping: threading.Event) -> None:
    """Work until told to stop. Only a role that does more than score keeps the schedule."""
    if freed := free_the_dead(runtime.store, runtime.clock):
        log.warning("%s units were in the hands of a process that died: they are done again", freed)
    if role != "score":
        with runtime.store.write() as tx:
            register(tx, runtime)
    engine = LocalEngine(runtime, STAGES, LANES[role])
    engine.start()
    scheduler = None if role == "score" else schedule.start(runtime, engine.submit)
    stopping.wait()
    if scheduler is not None:
        scheduler.shutdown(wait=False)
    engine.stop()


def serve_until_told(runtime: Runtime, role: str) -> None:
    """Serve until SIGTERM or SIGINT."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    serve(runtime, role, stopping)


if __name__ == "__main__":
    set_up()
    serve_until_told(open_runtime(), sys.argv[1])
