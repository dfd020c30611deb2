"""What a source counts but does not show is in the ledger, with a reason, until a back-fill has fetched it."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import Connection

from core.batch import Missed
from jobs.build import Runtime
from jobs.schedule import tick
from jobs.work import run_unit
from jobs.worker import STAGES
from net.client import Rules, open_client
from sample import city as maple
from sample.server import serve
from sample.site import Faults, Site
from sample.world import World
from storage import coverage, sources
from storage.engine import Store
from tests.collectors.fakes import FAKES, Fake, Ticker
from tests.conftest import NOW
from tests.jobs.world import Ticking, rows, run_all, runtime_in

WITHHELD = 37


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def site(city: World, clock: Ticking) -> Iterator[Site]:
    with serve(0, city, clock, Faults(withhold=WITHHELD, limit=1_000_000)) as served:
        yield served


@pytest.fixture
def runtime(site: Site, clock: Ticking, tmp_path: Path) -> Iterator[Runtime]:
    section = maple.settings(urlsplit(site.base).port or 0)["sources"]["bluesky"]
    opened = runtime_in(tmp_path, clock, {"bluesky": section})
    yield opened
    opened.store.close()


def release(site: Site) -> int:
    """What the operator of the server does."""
    address = urlsplit(site.base)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
    connection.request("POST", "/_control/release", headers={"content-length": "0"})
    told = json.loads(connection.getresponse().read())
    connection.close()
    return int(told["released"])


def ledger(runtime: Runtime) -> list[coverage.LedgerRow]:
    with runtime.store.read() as read:
        return coverage.ledger(read, NOW - timedelta(days=4), NOW + timedelta(days=1))


def total(runtime: Runtime) -> int:
    return int(rows(runtime, "SELECT count(*) FROM mention")[0][0])


def test_37_withheld_posts_are_37_missed_then_back_filled(
    runtime: Runtime, site: Site, city: World, clock: Ticking
) -> None:
    there = sum(1 for _ in city.newest("bluesky", NOW, NOW - timedelta(days=3)))
    run_all(runtime)
    found = total(runtime)
    assert sum(row.missed or 0 for row in ledger(runtime)) == WITHHELD
    assert {row.reason for row in ledger(runtime) if row.missed} <= {Missed.PENDING, Missed.WINDOW}
    assert all(row.missed is not None for row in ledger(runtime))
    assert sum(row.expected or 0 for row in ledger(runtime)) == found + WITHHELD <= there

    clock.advance(minutes=11)  # asked again, still withheld
    run_all(runtime)
    assert sum(row.missed or 0 for row in ledger(runtime)) == WITHHELD

    assert release(site) == WITHHELD
    clock.advance(minutes=11)
    run_all(runtime)
    assert sum(row.missed or 0 for row in ledger(runtime)) == 0
    with runtime.store.read() as read:
        assert coverage.open_gaps(read) == []
        gaps = coverage.gaps(read, NOW - timedelta(days=4), NOW + timedelta(days=1))
    assert sum(gap.filled for gap in gaps) == WITHHELD
    assert sum(row.backfilled for row in ledger(runtime)) == WITHHELD
    since = sum(1 for _ in city.newest("bluesky", clock(), NOW))
    assert total(runtime) == found + WITHHELD + since


@dataclass
class Wired:
    """A runtime whose clients all reach one invented server."""

    runtime: Runtime
    fake: Fake


@pytest.fixture(params=sorted(FAKES))
def wired(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Wired]:
    clock = Ticker()
    fake: Fake = FAKES[request.param](clock)
    section = fake.section().model_copy(update={"requests": 2})  # too few for 250 posts
    values = section.model_dump() | {"password": section.password}
    runtime = runtime_in(tmp_path, clock, {"town": values})
    rules = Rules(clock=clock, sleep=lambda seconds: None)

    def client(base_url: str) -> httpx.Client:
        network = runtime.settings.network
        return open_client(network, base_url=base_url, rules=rules, transport=httpx.MockTransport(fake.handle))

    runtime.client = client  # type: ignore[method-assign]
    yield Wired(runtime, fake)
    runtime.store.close()


def poll(wired: Wired) -> None:
    with wired.runtime.store.write() as tx:
        sources.ask_now(tx, "town", wired.runtime.clock())
    run_all(wired.runtime)


def test_250_posts_between_two_polls_are_250_mentions(wired: Wired) -> None:
    wired.fake.post(30, minutes=120)
    poll(wired)
    assert total(wired.runtime) == 30
    wired.fake.clock.advance(hours=1)
    new = wired.fake.post(250)
    poll(wired)
    for _ in range(12):
        wired.fake.clock.advance(minutes=11)
        run_all(wired.runtime)
    stored = {one for (one,) in rows(wired.runtime, "SELECT external_id FROM mention_key")}
    assert set(new) <= stored
    assert len(stored) == 280
    with wired.runtime.store.read() as read:
        assert coverage.open_gaps(read) == []
        by_hour = coverage.ledger(read, NOW - timedelta(days=1), NOW + timedelta(days=1))
    assert sum(row.seen for row in by_hour) == 280
    assert sum(row.backfilled for row in by_hour) > 0
    assert rows(wired.runtime, "SELECT count(*) FROM work_unit WHERE state = 'dead'") == [(0,)]


class Dying(Store):
    """A store whose process dies at its nth transaction from now, before it is kept."""

    left = -1

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """See Store."""
        with super().write() as tx:
            yield tx
            self.left -= 1
            if self.left == 0:
                raise SystemExit


@pytest.mark.parametrize("nth", [2, 3, 4])
def test_a_run_that_dies_between_two_pages_loses_nothing(wired: Wired, nth: int) -> None:
    """The first transaction is the claim; then come the pages. The second attempt reads from the moved cursor."""
    wired.fake.post(30, minutes=120)
    poll(wired)
    wired.fake.clock.advance(hours=1)
    wired.fake.post(250)
    runtime = wired.runtime
    town = runtime.settings.sources["town"].model_copy(update={"requests": 60})
    runtime.settings = runtime.settings.model_copy(update={"sources": {"town": town}})
    calm, dying = runtime.store, Dying(runtime.settings.url)
    with calm.write() as tx:
        sources.ask_now(tx, "town", runtime.clock())
    tick(runtime)
    runtime.store, dying.left = dying, nth
    with pytest.raises(SystemExit):
        run_unit(runtime, STAGES, "collect")
    dying.close()
    runtime.store = calm
    for _ in range(4):
        wired.fake.clock.advance(minutes=7)  # its lease runs out
        run_all(runtime)
    assert total(runtime) == 280
    with runtime.store.read() as read:
        assert coverage.open_gaps(read) == []


def test_until_the_back_fill_came_the_ledger_says_what_is_missing(wired: Wired) -> None:
    wired.fake.post(30, minutes=120)
    poll(wired)
    wired.fake.clock.advance(hours=1)
    wired.fake.post(250)
    with wired.runtime.store.write() as tx:
        sources.ask_now(tx, "town", wired.runtime.clock())
    tick(wired.runtime)
    assert run_unit(wired.runtime, STAGES, "collect")
    with wired.runtime.store.read() as read:
        gaps = coverage.open_gaps(read)
    missing = 280 - total(wired.runtime)
    if not missing:
        assert wired.fake.kind == "feed"  # one page of it holds more than the others'
        assert gaps == []
        return
    [gap] = gaps
    assert gap.reason == Missed.PENDING
    assert gap.resume is not None
    # What a source counts holds the last minutes that are read anew: never less than what is missing.
    assert gap.missed is None or missing <= gap.missed <= missing + 30
