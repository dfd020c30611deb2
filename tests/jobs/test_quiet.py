"""Nothing phones home: the whole service is run, and every connection that any of its processes opens is looked at."""

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import text

from jobs.build import open_runtime
from jobs.importing import import_file
from jobs.service import QUIET, parts
from jobs.settings_text import toml_text
from sample import city as maple
from sample.server import serve
from sample.site import Faults, Site
from sample.world import World
from storage.engine import Store
from tests.jobs.world import invented, settings_in, write_csv

ROOT = Path(__file__).parents[2]
#: Python runs this first in every process of the service.
WATCH = """
import os, sys

def _look(event, args):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo"):
        where = args[0] if event == "socket.getaddrinfo" else args[1]
        port = args[1] if event == "socket.getaddrinfo" else ""
        line = "\\t".join((event, repr(where), repr(port), " ".join(sys.argv[:4]))) + "\\n"
        file = os.open(os.environ["OPENEAR_TEST_LOOK"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(file, line.encode())
        os.close(file)

sys.addaudithook(_look)
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def site(city: World) -> Iterator[Site]:
    with serve(0, city, lambda: datetime.now(UTC), Faults(limit=1_000_000)) as served:
        yield served


@pytest.fixture
def environment(tmp_path: Path, site: Site) -> dict[str, str]:
    """A city of its own, that listens to the sample server and to nobody else, watched in all its processes."""
    values = maple.settings(int(site.base.rsplit(":", 1)[1]))
    values["sources"] = {
        name: {k: v for k, v in each.items() if k != "password"} for name, each in values["sources"].items()
    }
    values |= {
        "sample": False,
        "data_dir": tmp_path / "var",
        "api": {"port": free_port()},
        "dashboard": {"port": free_port()},
    }
    (tmp_path / "openear.toml").write_text(toml_text(values), "utf-8")
    (tmp_path / "watch").mkdir()
    (tmp_path / "watch" / "sitecustomize.py").write_text(WATCH, "utf-8")
    left_out = {*QUIET, "PYTHONPATH"} | {name for name in os.environ if name.startswith(("OPENEAR_", "COV_"))}
    return {name: value for name, value in os.environ.items() if name not in left_out} | {
        "OPENEAR_CONFIG": str(tmp_path / "openear.toml"),
        "OPENEAR_SOURCES__BLUESKY__PASSWORD": maple.PASSWORD,
        "OPENEAR_TEST_LOOK": str(tmp_path / "looked"),
        "PYTHONPATH": os.pathsep.join((str(tmp_path / "watch"), str(ROOT))),
    }


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_run_opens_no_connection_but_those_configured(
    tmp_path: Path, environment: dict[str, str], site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        if name.startswith("OPENEAR_"):
            monkeypatch.setenv(name, value)
    runtime = open_runtime(migrate=True)
    runtime.settings.data_dir.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    posts = write_csv(tmp_path / "posts.csv", invented(40, until=now))
    import_file(runtime, posts, mapping={}, platform="import", timezone="UTC")
    dashboard, api = runtime.settings.dashboard.port, runtime.settings.api.port
    with _service(tmp_path, environment) as service:
        _wait(lambda: _answers(dashboard, "/_stcore/health") and _answers(dashboard, "/"), 90)
        _wait(lambda: _answers(api, "/healthz"), 60)
        _wait(lambda: _all_read(runtime.store), 240)
        below = psutil.Process(service.pid).children(recursive=True)
        service.send_signal(signal.SIGINT)
        assert service.wait(30) == 0
    _, alive = psutil.wait_procs(below, timeout=5)
    assert not alive, "Ctrl-C ends all of it"
    runtime.store.close()
    opened = _opened((tmp_path / "looked").read_text())
    configured = {int(site.base.rsplit(":", 1)[1]), dashboard}
    assert {port for _, port in opened} == configured
    assert {host for host, _ in opened} == {"127.0.0.1"}


@contextlib.contextmanager
def _service(folder: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "output").open("ab") as output:
        command = (sys.executable, "-m", "jobs.cli", "run")
        service = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
    try:
        yield service
    finally:
        if service.poll() is None:
            service.kill()  # the kernel ends its children with it
            service.wait()


def _wait(ready: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, f"not ready after {seconds} s"
        time.sleep(0.3)


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _all_read(store: Store) -> bool:
    """Whether posts of the sample server came too, and the model has read all."""
    with store.read() as read:
        unread = read.execute(text("SELECT count(*) FROM reading WHERE model = ''")).scalar_one()
        sources = read.execute(
            text("SELECT count(*) FROM source WHERE state = 'ok' AND ok_at IS NOT NULL")
        ).scalar_one()
    return bool(unread == 0 and sources == 5)


def _opened(looked: str) -> set[tuple[str, int]]:
    """Where something connected to, or what name was asked for; sockets within the machine's files aside."""
    found = set()
    for line in looked.splitlines():
        event, where, port, _ = line.split("\t")
        if event == "socket.getaddrinfo":
            assert where in ("'127.0.0.1'", "'localhost'", "None", "''", "b'127.0.0.1'"), line
            continue
        place = re.match(r"\('([^']+)', (\d+)", where)
        if place is None:
            assert where.startswith(("'/", "b'/", "b'\\x00", "'\\x00")), line  # a socket in the file system
            continue
        found.add((place[1], int(place[2])))
        assert port == "''"
    return found


def test_every_switch_against_telemetry_is_off(tmp_path: Path) -> None:
    """The ones that matter are seen at work above; the page's own is sent by the browser."""
    settings = settings_in(tmp_path)
    [dashboard] = [part for part in parts(settings, dashboard=True) if part.name == "dashboard"]
    assert "--browser.gatherUsageStats=false" in dashboard.command
    assert "--client.toolbarMode=minimal" in dashboard.command
    assert QUIET["STREAMLIT_BROWSER_GATHER_USAGE_STATS"] == "false"
    assert QUIET["HF_HUB_OFFLINE"] == QUIET["HF_HUB_DISABLE_TELEMETRY"] == QUIET["TRANSFORMERS_OFFLINE"] == "1"
