"""`openear run`: the whole service under one supervisor."""

import contextlib
import fcntl
import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from core.errors import OpenearError
from core.settings import Settings, load
from jobs.sample_settings import PORT as SAMPLE_PORT
from jobs.sample_settings import sample_settings
from jobs.supervisor import Part, Supervisor

#: Nothing phones home; nothing asks a hub.
QUIET = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONUNBUFFERED": "1",
}
#: Every pair of colours has a contrast of 4.5:1 or better.
THEME = {
    "theme.base": "light",
    "theme.primaryColor": "#0b5394",
    "theme.backgroundColor": "#ffffff",
    "theme.secondaryBackgroundColor": "#f2f5f8",
    "theme.textColor": "#1b1f24",
    "theme.linkColor": "#0b5394",
}
START_SECONDS = 60.0


def run_service(*, dashboard: bool) -> int:
    """Prepare, start everything, print the address, wait for Ctrl-C; the exit code."""
    console = Console(stderr=True)
    config = Path(os.environ.get("OPENEAR_CONFIG", "openear.toml"))
    if not config.exists() and "OPENEAR_DATA_DIR" not in os.environ:
        config = sample_settings(Path("var/sample"))
        os.environ["OPENEAR_CONFIG"] = str(config)
        console.print("No openear.toml here: showing the invented sample city. Your own: [bold]openear init[/bold]")
    os.environ.update({name: value for name, value in QUIET.items() if name not in os.environ})
    settings = load()
    with only_one(settings.data_dir):
        with console.status("preparing the database"):
            done = subprocess.run((sys.executable, "-m", "jobs.prepare"), check=False)
        if done.returncode:
            return done.returncode
        supervisor = Supervisor(parts(settings, dashboard=dashboard), settings.data_dir / "logs")
        supervisor.start()
        try:
            _announce(settings, dashboard=dashboard)
            return supervisor.watch()
        finally:
            supervisor.stop()


def parts(settings: Settings, *, dashboard: bool) -> list[Part]:
    """The processes of the service, in the order they are started."""
    python = sys.executable
    chosen: list[Part] = []
    if settings.sample:
        chosen.append(Part(name="sample", command=_sample_server(settings)))
    chosen += [
        Part(name="work", command=(python, "-m", "jobs.worker", "work"), environment={"OMP_NUM_THREADS": "1"}),
        Part(name="score", command=(python, "-m", "jobs.worker", "score")),
    ]
    if settings.api.enabled:
        chosen.append(Part(name="api", command=(python, "-m", "api.serve"), essential=False))
    if dashboard:
        chosen.append(Part(name="dashboard", command=_streamlit(settings)))
    return chosen


def _sample_server(settings: Settings) -> tuple[str, ...]:
    anchor = (settings.data_dir / "anchor").read_text("utf-8")
    return (sys.executable, "-m", "sample.server", "--port", str(SAMPLE_PORT), "--anchor", anchor)


def _streamlit(settings: Settings) -> tuple[str, ...]:
    page = Path(__file__).parents[1] / "dashboard" / "app.py"
    options = {
        "server.address": settings.dashboard.host,
        "server.port": settings.dashboard.port,
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "client.showErrorLinks": "false",
        **THEME,
    }
    return (
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(page),
        *(f"--{key}={value}" for key, value in options.items()),
    )


def _announce(settings: Settings, *, dashboard: bool) -> None:
    """Print the address once the page answers."""
    if not dashboard:
        sys.stdout.write("openear works; Ctrl-C ends it\n")
        return
    address = f"http://{settings.dashboard.host}:{settings.dashboard.port}"
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if _answers(settings.dashboard.host, settings.dashboard.port):
            break
        time.sleep(0.2)
    else:
        logs = settings.data_dir / "logs" / "dashboard.log"
        raise OpenearError(f"the dashboard does not answer at {address} after {START_SECONDS:.0f} s: see {logs}")
    city = " (an invented city)" if settings.sample else ""
    sys.stdout.write(f"openear{city}: {address}   Ctrl-C ends it\n")
    sys.stdout.flush()


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=1)
    try:
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@contextlib.contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Hold the lock of this data folder.

    Raises:
        OpenearError: another openear holds it.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data_dir / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            owner = file.read().strip() or "?"
            raise OpenearError(
                f"openear is running already on {data_dir} (process {owner}): end it with Ctrl-C first"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
