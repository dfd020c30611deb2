import os
import re
import signal
import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.metrics import text
from api.state import State, read_state
from core.series import Calls
from core.settings import Settings
from storage import alerts, calls, sources, work
from storage.engine import Store, upgrade
from tests.api.conftest import Clock
from tests.conftest import NOW


def test_the_process_is_alive(client: TestClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"alive": True})
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_ready_while_the_schedule_keeps_up(client: TestClient, store: Store, clock: Clock) -> None:
    with store.write() as tx:
        sources.sync(tx, {"town_feed": ("feed", 300, True), "old": ("feed", 300, False)}, NOW)
    clock.wait(minutes=14)
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["oldest_due_source_seconds"] == 840
    clock.wait(minutes=2)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    assert "16 minutes overdue" in answer.json()["problems"][0]


@pytest.mark.parametrize("state", ["refused", "retired"])
def test_a_source_that_is_not_asked_is_not_late(store: Store, state: str) -> None:
    with store.write() as tx:
        sources.sync(tx, {"town_feed": ("feed", 300, True)}, NOW)
        sources.set_state(tx, "town_feed", state, "a token is needed", NOW)
    with store.read() as read:
        assert read_state(read, NOW + timedelta(days=1)).late == timedelta()


def test_a_source_that_was_told_to_wait_is_late_only_after_that(store: Store) -> None:
    with store.write() as tx:
        sources.sync(tx, {"town_feed": ("feed", 300, True)}, NOW)
        sources.set_state(tx, "town_feed", "waiting", "429", NOW, NOW + timedelta(minutes=50))
    with store.read() as read:
        assert read_state(read, NOW + timedelta(hours=1)).late == timedelta(minutes=10)


def test_a_database_of_another_version_is_not_ready(client: TestClient, store: Store) -> None:
    with store.write() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["migrations"]) == (503, "behind")
    assert "openear db upgrade" in answer.json()["problems"][0]


def test_a_database_that_does_not_answer_is_said_so_everywhere(
    settings: Settings, store: Store, clock: Clock, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is no database" * 100)
    elsewhere = settings.model_copy(update={"data_dir": tmp_path / "none"})
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "openear.db").write_bytes(broken.read_bytes())
    opened = Store(elsewhere.url)
    with TestClient(create_app(elsewhere, opened, clock), raise_server_exceptions=False) as client:
        assert client.get("/healthz").status_code == 200
        assert (client.get("/readyz").status_code, client.get("/readyz").json()["database"]) == (503, "down")
        answer = client.get("/metrics")
    opened.close()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert "broken" not in answer.text


def test_the_metrics_tell_what_waits(client: TestClient, store: Store, clock: Clock) -> None:
    with store.write() as tx:
        sources.sync(tx, {"town_feed": ("feed", 300, True)}, NOW)
        sources.set_state(tx, "town_feed", "ok", "", NOW)
        work.add(tx, "score", "1", {}, NOW)
        dead = work.add(tx, "score", "2", {}, NOW)
        assert dead is not None
        work.fail(tx, dead, "broken", NOW, None)
        calls.add(tx, [Calls(queue='a"b\n', start=NOW, step=timedelta(minutes=30), offered=3, recorded_at=NOW)])
        alerts.add(tx, "safety:1:email", "email", "harm", NOW)
    clock.wait(minutes=2)
    answer = client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.text.splitlines()
    for line in (
        "openear_source_oldest_due_seconds 120",
        f'openear_source_last_success_timestamp_seconds{{source="town_feed"}} {NOW.timestamp():.0f}',
        'openear_source_state{source="town_feed",state="ok"} 1',
        'openear_work_units{stage="score",state="pending"} 1',
        "openear_dead_letters 1",
        "openear_score_lag_seconds 120",
        f'openear_calls_newest_timestamp_seconds{{queue="a\\"b\\n"}} {NOW.timestamp():.0f}',
        "openear_alerts_untold 1",
    ):
        assert line in lines


def test_every_line_of_the_metrics_is_one_that_prometheus_reads() -> None:
    empty = State(sources=(), late=timedelta(), units={}, score_lag=timedelta(), calls_at={}, untold=0)
    sample = re.compile(r'[a-z_]+(\{([a-z]+="(\\.|[^"\\\n])*",?)+\})? -?[0-9.e+]+')
    for line in text(empty).splitlines():
        assert line.startswith("# ") or sample.fullmatch(line)


def test_the_description_is_there_and_no_page_that_loads_scripts(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    assert set(described["paths"]) == {"/calls", "/healthz", "/readyz", "/metrics"}
    assert "text/csv" in described["paths"]["/calls"]["post"]["requestBody"]["content"]
    for path in ("/docs", "/redoc", "/nothing"):
        assert (client.get(path).status_code, client.get(path).json()) == (404, {"error": "Not Found"})
    assert client.get("/calls").status_code == 405


def test_served_as_a_process_of_its_own_and_ended_by_a_signal(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = Settings(data_dir=tmp_path)
    upgrade(settings.url)
    here = {"OPENEAR_DATA_DIR": str(tmp_path), "OPENEAR_API__PORT": str(port), "OPENEAR_CONFIG": str(tmp_path / "no")}
    with subprocess.Popen(
        [sys.executable, "-m", "api.serve"], env=os.environ | here, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        try:
            assert _answer(f"http://127.0.0.1:{port}/readyz", process) == 200
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        said = process.stderr.read().decode()
        assert process.wait(20) in (0, -signal.SIGTERM), said


def _answer(url: str, process: subprocess.Popen[bytes]) -> int:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            return httpx.get(url, trust_env=False).status_code
        except httpx.ConnectError:
            time.sleep(0.1)
    raise AssertionError("the api did not start")
