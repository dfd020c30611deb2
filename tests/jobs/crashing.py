"""A worker that stands still at a chosen moment, so that it can be killed there.

`python -m tests.jobs.crashing FOLDER ROLE`, or forked(), which is quicker.
FOLDER/crash.json says what there is to do (Story), FOLDER/halt.json where to stand still (Halt). When that moment has
come the file `hit` appears; when all work is done, `done`. ROLE: all, work, score, or tree: a supervisor over the two.
"""

import json
import multiprocessing
import os
import random
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from core.actor import Actor
from jobs.build import Runtime
from jobs.engines import LocalEngine
from jobs.importing import import_file
from jobs.leases import free_the_dead
from jobs.schedule import tick
from jobs.supervisor import Part, Supervisor
from jobs.work import Stage
from jobs.worker import LANES, STAGES
from sample import city
from storage import requests
from storage.engine import Store
from storage.work import Unit
from tests.jobs.world import Ticking, Words, invented, runtime_of, settings_in, write_csv

ROLES = ("all", "work", "score", "tree")
QUIET_SECONDS = 0.6


#: The stages in an order in which each leaves work for those after it.
ORDER = ("import", "calls", "forecast", "request", "collect", "score", "link", "series", "alert", "retain", "sample")


@dataclass(frozen=True)
class Halt:
    """Where to stand still: `before` a unit's work, `inside` its nth transaction, `after` its work, not yet noted.

    So many such moments are passed by (`skip`) first. With `alone` no stage after it in ORDER is run: each of them
    still has its work before it when its turn comes.
    """

    stage: str = ""
    moment: str = ""
    nth: int = 1
    skip: int = 0
    alone: bool = False

    def lanes(self, role: str) -> list[tuple[str, ...]]:
        """What the threads of that role do."""
        last = ORDER.index(self.stage) if self.alone else len(ORDER)
        kept = (tuple(name for name in lane if ORDER.index(name) <= last) for lane in LANES[role])
        return [lane for lane in kept if lane]


@dataclass(frozen=True)
class Story:
    """What there is to do.

    Attributes:
        file: mentions to be imported.
        began: epoch seconds that the clock's beginning `now` is laid on, the same after each crash.
        sources, alerts, phones: settings.
        real: read with the weights that ship, not with a few rules.
    """

    file: str
    now: str
    began: float
    sources: dict[str, Any]
    alerts: dict[str, Any]
    phones: dict[str, Any]
    real: bool = False

    def clock(self) -> datetime:
        """Runs on while nobody works."""
        return datetime.fromisoformat(self.now) + timedelta(seconds=time.time() - self.began)


class Standing:
    """Knows what each thread is at, and stands still where it should."""

    def __init__(self, folder: Path, halt: Halt) -> None:
        self._folder, self._halt, self._at = folder, halt, threading.local()
        self._passed, self._lock = 0, threading.Lock()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """This thread works on a unit of that stage."""
        self._at.stage, self._at.writes = name, 0
        self.reached("before")
        yield
        self.reached("after")
        self._at.stage = ""

    def wrote(self) -> None:
        """A transaction is about to be kept."""
        if getattr(self._at, "stage", ""):
            self._at.writes += 1
            if self._at.writes == self._halt.nth:
                self.reached("inside")

    def reached(self, moment: str) -> None:
        """Stand still if this is the moment."""
        if (self._at.stage, moment) != (self._halt.stage, self._halt.moment):
            return
        with self._lock:
            self._passed += 1
            if self._passed <= self._halt.skip:
                return
        (self._folder / "hit").touch()
        time.sleep(600)


class StandingStore(Store):
    """A store that may stand still before it keeps a transaction."""

    def __init__(self, url: str, standing: Standing) -> None:
        super().__init__(url)
        self._standing = standing

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """See Store."""
        with super().write() as tx:
            yield tx
            self._standing.wrote()


def main(folder: Path, role: str) -> None:
    """Work until all is done."""
    story = Story(**json.loads((folder / "crash.json").read_text()))
    if role == "tree":
        _supervise(folder)
        return
    halt = Halt(**json.loads((folder / "halt.json").read_text()))
    standing = Standing(folder, halt)
    settings = settings_in(folder, story.sources, alerts=story.alerts, phones=story.phones)
    runtime = Runtime(settings=settings, store=StandingStore(settings.url, standing), clock=story.clock)
    if not story.real:
        runtime.classifier = Words()
        runtime.model = Words.model
    free_the_dead(runtime.store, runtime.clock)
    if role != "score":
        with standing.stage("import"):
            _import(runtime, folder, story)
    stages = {name: _standing_stage(standing, name, stage) for name, stage in STAGES.items()}
    engine = LocalEngine(runtime, stages, halt.lanes(role))
    engine.start()
    _until_done(runtime, folder, keeps_schedule=role != "score")
    engine.stop()


def _supervise(folder: Path) -> None:
    command = (sys.executable, "-m", "tests.jobs.crashing", str(folder))
    parts = [Part(name=role, command=(*command, role)) for role in ("work", "score")]
    supervisor = Supervisor(parts, folder / "logs")
    supervisor.start()
    while not (folder / "done").exists():
        time.sleep(0.1)
    supervisor.stop()


def _standing_stage(standing: Standing, name: str, stage: Stage) -> Stage:
    def run(runtime: Runtime, unit: Unit) -> None:
        with standing.stage(name):
            stage(runtime, unit)

    return run


def _import(runtime: Runtime, folder: Path, story: Story) -> None:
    """The file first, then the sources: so ids are the same whatever happens between."""
    from jobs.listen import register

    if not (folder / "imported").exists():
        import_file(runtime, Path(story.file), mapping={}, platform="import", timezone="UTC")
        (folder / "imported").touch()
    actor = Actor(kind="person", issuer="local", subject="maria")
    with runtime.store.write() as tx:
        register(tx, runtime)
        if story.sources and not _any(tx, "SELECT 1 FROM request LIMIT 1"):
            requests.add(tx, "source.ask", {"source": next(iter(story.sources))}, actor, runtime.clock())


#: What is still to be done, whatever the ledger of work says.
TO_DO = (
    "SELECT 1 FROM work_unit WHERE state IN ('pending', 'leased') LIMIT 1",
    "SELECT 1 FROM reading WHERE model = '' OR undecided LIMIT 1",
    "SELECT 1 FROM dirty_hour LIMIT 1",
    "SELECT 1 FROM request WHERE state = 'waiting' LIMIT 1",
    "SELECT 1 FROM alert WHERE state <> 'sent' LIMIT 1",
    "SELECT 1 FROM source WHERE ok_at IS NULL LIMIT 1",
    "SELECT 1 FROM gap WHERE closed_at IS NULL LIMIT 1",
)


def _any(read: Connection, question: str) -> bool:
    return read.execute(text(question)).first() is not None


def _until_done(runtime: Runtime, folder: Path, *, keeps_schedule: bool) -> None:
    """Tick, and end once nothing was left to do for a while; the process that only scores waits to be ended."""
    quiet_since = time.monotonic()
    while not (folder / "done").exists():
        time.sleep(0.1)
        if not keeps_schedule:
            continue
        with suppress(OperationalError):  # as the schedule does: the next tick comes
            tick(runtime)
        with runtime.store.read() as read:
            busy = any(_any(read, question) for question in TO_DO)
        if busy:
            quiet_since = time.monotonic()
        elif time.monotonic() - quiet_since > QUIET_SECONDS:
            (folder / "done").touch()


def start(folder: Path, role: str, halt: Halt) -> psutil.Process:
    """Start it as a process tree of its own."""
    _set(folder, halt)
    root = Path(__file__).parents[2]
    with (folder / "output").open("ab") as output:
        command = [sys.executable, "-m", "tests.jobs.crashing", str(folder), role]
        return psutil.Popen(command, cwd=root, stdout=output, stderr=output, env=os.environ | {"OMP_NUM_THREADS": "1"})


def forked(folder: Path, role: str, halt: Halt) -> psutil.Process:
    """The same from a process that has imported everything already."""
    _set(folder, halt)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=_forked, args=(folder, role))
    process.start()
    assert process.pid is not None
    return psutil.Process(process.pid)


def _forked(folder: Path, role: str) -> None:
    with (folder / "output").open("ab") as output:
        for number in (1, 2):
            os.dup2(output.fileno(), number)
    main(folder, role)


def _set(folder: Path, halt: Halt) -> None:
    for name in ("hit", "done"):
        (folder / name).unlink(missing_ok=True)
    (folder / "halt.json").write_text(json.dumps(asdict(halt)))


def lives(process: psutil.Process) -> bool:
    """Whether it has not ended; one that nobody has buried yet has."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def kill_tree(process: psutil.Process) -> int:
    """SIGKILL for a process that we started and all it started; how many."""
    tree = [process]
    with suppress(psutil.NoSuchProcess):
        tree = [*process.children(recursive=True), process]
    for one in tree:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    end = time.monotonic() + 10
    while any(map(lives, tree)) and time.monotonic() < end:
        time.sleep(0.01)
    return len(tree)


def wait_for(folder: Path, process: psutil.Process, seconds: float) -> str:
    """What comes first: "hit", "done", or "ended" if the process fell; "late" if nothing came."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for name in ("hit", "done"):
            if (folder / name).exists():
                return name
        if not lives(process):
            return "done" if (folder / "done").exists() else "ended"
        time.sleep(0.02)
    return "late"


def leased(runtime: Runtime) -> list[tuple[str, str]]:
    """Stage and owner of each unit that is in somebody's hands."""
    with runtime.store.read() as read:
        units = read.execute(text("SELECT stage, owner FROM work_unit WHERE state = 'leased'")).all()
    return [(stage, owner) for stage, owner in units]


def prepared(folder: Path, server: str, hook: str, posts: int, when: datetime, *, real: bool = False) -> Runtime:
    """A folder with something to do for every stage: posts in a file, a sample server, calls, a webhook."""
    (folder / "calls").mkdir(parents=True)
    rng = random.Random(3)
    days = [when - timedelta(days=n) for n in range(120, 0, -1)]
    counted = "".join(f"{day.date()},{100 + 10 * day.weekday() + rng.randrange(9)}\n" for day in days)
    (folder / "calls" / "main.csv").write_text("start,calls\n" + counted)
    file = write_csv(folder / "posts.csv", invented(posts, until=when, hours=40.0))
    mastodon = city.settings(int(server.rsplit(":", 1)[1]))["sources"]["mastodon"] | {"every": "1h"}
    story = Story(
        file=str(file),
        now=when.isoformat(),
        began=time.time(),
        sources={"mastodon": mastodon},
        alerts={"webhook_url": hook, "webhook_secret": "invented"},
        phones={"folder": str(folder / "calls")},
        real=real,
    )
    (folder / "crash.json").write_text(json.dumps(asdict(story)))
    return runtime_of(settings_in(folder), Ticking(when))


def finished(folder: Path, process: psutil.Process, seconds: float) -> None:
    """Wait until it says that all is done; then end it."""
    met = wait_for(folder, process, seconds)
    kill_tree(process)
    if met != "done":
        raise AssertionError(f"{met}, not done: {said(folder)}")


def said(folder: Path) -> str:
    """The last words of the processes."""
    logs = (folder / "output", *(folder / "logs").glob("*.log"))
    return "\n".join(file.read_text("utf-8", "replace")[-2000:] for file in logs if file.exists())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
