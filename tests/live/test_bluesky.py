"""The Bluesky source against a real Bluesky network on this machine: ../shared/servers/README.md says how it is built.

$OPENEAR_BLUESKY is the folder of the build (n22/ and node_modules/). Needs Redis and the PostgreSQL of the other tests.
"""

import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from collectors.kinds import Context
from collectors.registry import build
from core.batch import Backfill, Batch, Budget, Head, Recheck, Task
from core.errors import SourceRefused
from core.mention import Mention
from core.protocols import Collector
from core.settings import Network, Source
from net.client import open_client
from tests.conftest import missing

PDS = "http://127.0.0.1:2583"
POSTGRES = os.environ.get("OPENEAR_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
POST = "app.bsky.feed.post"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def _on_server(statement: str) -> None:
    engine = create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(20)


def _ready(process: subprocess.Popen[bytes], seconds: float) -> bool:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and process.poll() is None:
        try:
            found = httpx.get(f"{PDS}/xrpc/com.atproto.identity.resolveHandle?handle=carla.test", trust_env=False)
            if found.status_code == 200:
                return True
        except httpx.TransportError:
            pass
        time.sleep(0.5)
    return False


@pytest.fixture(scope="module")
def network(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Bluesky network of our own; the address of its account server."""
    folder = Path(os.environ.get("OPENEAR_BLUESKY", ""))
    node = folder / "n22/bin/node"
    if not os.environ.get("OPENEAR_BLUESKY") or not node.exists():
        missing("bluesky", "OPENEAR_BLUESKY is not the folder of a built Bluesky network")
    redis = shutil.which("redis-server")
    if redis is None:
        missing("bluesky", "no redis-server")
    database = f"bsky_{uuid.uuid4().hex[:12]}"
    try:
        _on_server(f"CREATE DATABASE {database}")
    except (OperationalError, ModuleNotFoundError) as error:
        missing("bluesky", f"no PostgreSQL at OPENEAR_TEST_POSTGRES: {type(error).__name__}")
    port, log = _free_port(), tmp_path_factory.mktemp("bluesky") / "log"
    url = make_url(POSTGRES).set(database=database, drivername="postgresql")
    env = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "REDIS_HOST": f"127.0.0.1:{port}",
        "DB_POSTGRES_URL": url.render_as_string(hide_password=False),
        "LOG_ENABLED": "false",
        "NODE_ENV": "development",
    }
    command = [
        str(node),
        "--require",
        str(shared / "servers/loopback.cjs"),
        "node_modules/@atproto/dev-env/dist/bin.js",
    ]
    with log.open("wb") as out:
        store = subprocess.Popen([str(redis), "--port", str(port), "--bind", "127.0.0.1", "--save", ""], stdout=out)
        servers = subprocess.Popen(command, cwd=folder, env=env, stdout=out, stderr=out)
        try:
            assert _ready(servers, 240), log.read_text("utf-8", "replace")[-2000:]
            yield PDS
        finally:
            _ended(servers)
            _ended(store)
            _on_server(f"DROP DATABASE {database} WITH (FORCE)")


class Resident:
    """Someone with an account, who posts."""

    def __init__(self, client: httpx.Client, handle: str) -> None:
        session = client.post(
            "/xrpc/com.atproto.server.createSession", json={"identifier": handle, "password": "hunter2"}
        ).json()
        self._client, self.did = client, session["did"]
        self._headers = {"authorization": f"Bearer {session['accessJwt']}"}

    def _do(self, method: str, **payload: Any) -> dict[str, Any]:
        answer = self._client.post(f"/xrpc/{method}", json=payload, headers=self._headers)
        assert answer.status_code == 200, answer.text
        return dict(answer.json()) if answer.content else {}

    def say(self, words: str) -> str:
        record = {"$type": POST, "text": words, "createdAt": datetime.now(UTC).isoformat().replace("+00:00", "Z")}
        uri = self._do("com.atproto.repo.createRecord", repo=self.did, collection=POST, record=record)["uri"]
        return str(uri)

    def edit(self, uri: str, words: str) -> None:
        record = {"$type": POST, "text": words, "createdAt": datetime.now(UTC).isoformat().replace("+00:00", "Z")}
        self._do("com.atproto.repo.putRecord", repo=self.did, collection=POST, rkey=_rkey(uri), record=record)

    def delete(self, uri: str) -> None:
        self._do("com.atproto.repo.deleteRecord", repo=self.did, collection=POST, rkey=_rkey(uri))


def _rkey(uri: str) -> str:
    return uri.rpartition("/")[2]


@pytest.fixture(scope="module")
def bob(network: str) -> Iterator[Resident]:
    with httpx.Client(base_url=network, trust_env=False, timeout=30) as client:
        yield Resident(client, "bob.test")


@pytest.fixture
def listener(network: str) -> Iterator[Callable[..., Collector]]:
    """Makes the source as an operator sets it up, listening for a word."""
    opened: list[httpx.Client] = []

    def client_for(base_url: str) -> httpx.Client:
        opened.append(open_client(Network(allow=("127.0.0.1",)), base_url=base_url))
        return opened[-1]

    def listening(word: str, username: str = "alice.test", password: str = "hunter2") -> Collector:
        account = {"username": username, "password": password}
        section = Source.model_validate({"kind": "bluesky", "server": network, "searches": [word], **account})
        return build("town", section, Context(client_for=client_for, clock=lambda: datetime.now(UTC)))

    yield listening
    for client in opened:
        client.close()


def run(collector: Collector, task: Task, cursor: str | None = None, budget: Budget | None = None) -> list[Batch]:
    return list(collector.collect(task, cursor, budget or Budget(), datetime.now(UTC) + timedelta(minutes=2)))


def found(batches: list[Batch]) -> dict[str, Mention]:
    return {one.external_id: one for batch in batches for one in batch.mentions}


def eventually(
    look: Callable[[], list[Batch]], good: Callable[[list[Batch]], bool], seconds: float = 60
) -> list[Batch]:
    """What `look` gives once it is `good`: the network needs a moment to index."""
    ends = time.monotonic() + seconds
    while True:
        seen = look()
        if good(seen) or time.monotonic() > ends:
            return seen
        time.sleep(0.5)


def test_posts_are_found_and_an_edit_and_a_deletion_between_two_runs_are_seen(
    bob: Resident, listener: Callable[..., Collector]
) -> None:
    word = f"pothole{uuid.uuid4().hex[:6]}"
    same, edited, deleted = (bob.say(f"{word} on Alder Street, number {n}") for n in range(3))
    collector = listener(word)
    first = eventually(lambda: run(collector, Head()), lambda seen: len(found(seen)) == 3)
    assert found(first).keys() == {same, edited, deleted}
    assert list(found(first)) == [deleted, edited, same]
    bob.edit(edited, f"{word} is fixed now, thank you")
    bob.delete(deleted)
    known = (same, edited, deleted)
    second = eventually(
        lambda: run(collector, Recheck(ids=known)),
        lambda seen: any(b.deletions for b in seen) and "fixed" in found(seen)[edited].text,
    )
    assert found(second)[edited].version != found(first)[edited].version
    assert found(second)[same].version == found(first)[same].version
    assert [one.external_id for batch in second for one in batch.deletions] == [deleted]


def test_130_posts_between_two_polls_are_130_mentions(bob: Resident, listener: Callable[..., Collector]) -> None:
    word = f"flood{uuid.uuid4().hex[:6]}"
    new = {bob.say(f"{word} number {n}") for n in range(130)}
    collector = listener(word)
    eventually(lambda: run(collector, Head()), lambda seen: len(found(seen)) == 130)
    batches = run(collector, Head(), None, Budget(mentions=60))
    assert len(found(batches)) == 60
    last = batches[-1]
    assert not last.coverage.complete
    rest = run(collector, Backfill(since=last.coverage.since, until=last.coverage.until, resume=last.coverage.resume))
    assert found(batches).keys() | found(rest).keys() == new
    assert not found(batches).keys() & found(rest).keys()
    assert rest[-1].coverage.complete


def test_a_wrong_password_is_refused(listener: Callable[..., Collector]) -> None:
    with pytest.raises(SourceRefused, match="app password"):
        run(listener("water", "carla.test", "no"), Head())
