"""Engines carry "do unit N". LocalEngine: threads of this process; other processes find their units in the ledger."""

import logging
import threading
from collections.abc import Mapping, Sequence

from jobs.build import Runtime
from jobs.work import Stage, run_unit

log = logging.getLogger("openear.engine")

#: How long a thread with nothing to do waits before it looks again.
IDLE_SECONDS = 0.5


class LocalEngine:
    """Threads that claim units of their stages from the ledger until stopped.

    submit() only wakes them: the ledger holds the unit already, so a unit submitted to a process that is gone, or
    that serves other stages, is found by whoever serves them.
    """

    def __init__(self, runtime: Runtime, stages: Mapping[str, Stage], lanes: Sequence[Sequence[str]]) -> None:
        """One thread for each of `lanes`, each a list of stage names in order of preference."""
        self._runtime = runtime
        self._stages = stages
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._serve, args=(tuple(lane),), name="+".join(lane), daemon=True)
            for lane in lanes
        ]

    def submit(self, stage: str, unit: int) -> None:
        """See core.protocols.Engine."""
        del stage, unit
        self._wake.set()

    def start(self) -> None:
        """Start serving."""
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """Finish the units in hand, then end. What is left is taken up at the next start."""
        self._stopping.set()
        self._wake.set()
        for thread in self._threads:
            thread.join(seconds)

    def _serve(self, stages: tuple[str, ...]) -> None:
        while not self._stopping.is_set():
            try:
                if any(run_unit(self._runtime, self._stages, stage) for stage in stages):
                    continue
            except Exception:
                log.exception("cannot reach the ledger of work")
                self._stopping.wait(5)
            self._wake.wait(IDLE_SECONDS)
            self._wake.clear()
