"""One process that starts the others, starts again what falls, and ends all of it when it ends."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

RESTART_SECONDS = 2.0
GRACE_SECONDS = 8.0


@dataclass(kw_only=True)
class Part:
    """One process of the service.

    Attributes:
        essential: if it cannot be kept up (five falls within a minute) everything is ended.
    """

    name: str
    command: Sequence[str]
    essential: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    falls: list[float] = field(default_factory=list)


class Supervisor:
    """Runs parts until told to stop.

    Each part gets a process group of its own, and on Linux the kernel's promise to end it should this process be
    killed outright, so that nothing is left behind.
    """

    def __init__(
        self, parts: Sequence[Part], logs: Path, *, grace: float = GRACE_SECONDS, restart: float = RESTART_SECONDS
    ) -> None:
        """Parts in the order they are started; seconds they get to end, and before they are started again."""
        self._grace, self._restart = grace, restart
        self._parts = list(parts)
        self._logs = logs
        self._stopping = False

    def start(self) -> None:
        """Start every part."""
        self._logs.mkdir(parents=True, exist_ok=True)
        for part in self._parts:
            self._start(part)

    def _start(self, part: Part) -> None:
        with (self._logs / f"{part.name}.log").open("ab") as log:
            part.process = subprocess.Popen(
                part.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **part.environment},
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )

    def watch(self) -> int:
        """Keep the parts up until SIGINT or SIGTERM; the exit code."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        while not self._stopping:
            for part in self._parts:
                if part.process and part.process.poll() is not None and not self._revive(part):
                    self.stop()
                    return 1
            time.sleep(0.2)
        self.stop()
        return 0

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _revive(self, part: Part) -> bool:
        now = time.monotonic()
        part.falls = [moment for moment in part.falls if now - moment < 60] + [now]
        if len(part.falls) >= 5:
            if part.essential:
                log = self._logs / f"{part.name}.log"
                sys.stderr.write(
                    f"{part.name} fell five times within a minute. It said: {last_words(log)}\nSee {log}\n"
                )
                return False
            part.process = None
            return True
        time.sleep(self._restart)
        self._start(part)
        return True

    def stop(self) -> None:
        """End every part: politely, then for good."""
        running = [part.process for part in self._parts if part.process and part.process.poll() is None]
        for process in running:
            _signal_group(process, signal.SIGTERM)
        end = time.monotonic() + self._grace
        for process in running:
            try:
                process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal_group(process, signal.SIGKILL)
                process.wait()


def last_words(log: Path) -> str:
    """The last line of a log, at most 500 characters; "nothing" if it is empty."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 4000))
        lines = file.read().decode("utf-8", "replace").split("\n")
    return next((line.strip()[-500:] for line in reversed(lines) if line.strip()), "nothing")


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _end_with_parent() -> None:
    """PR_SET_PDEATHSIG: a child does not outlive a supervisor that was killed. No-op outside Linux."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
