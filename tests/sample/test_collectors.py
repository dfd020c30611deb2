"""The real collectors against the sample server, over HTTP: what they make is what the history import makes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import fields
from datetime import datetime, timedelta

import pytest

from collectors import registry
from collectors.kinds import Context
from collectors.query import from_settings
from core.batch import Backfill, Batch, Budget, Head, Missed, Recheck
from core.mention import Mention
from core.protocols import Collector
from core.settings import Settings
from net.client import Rules, open_client
from sample import city, history
from sample.server import serve
from sample.site import Faults, Site
from sample.world import World
from tests.sample.conftest import EVENING
from tests.sample.test_server import Hands

PLATFORMS = {"mastodon": "mastodon", "bluesky": "bluesky", "feed": "feed", "reviews_page": "reviews"}
NAMES = sorted(city.settings(1)["sources"])
SOON = timedelta(minutes=5)
Build = Callable[[str], Collector]


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def site(city_world: World, hands: Hands) -> Iterator[Site]:
    with serve(0, city_world, hands, Faults(withhold=37)) as found:
        yield found


@pytest.fixture
def collector(site: Site, hands: Hands) -> Iterator[Callable[[str], Collector]]:
    """Builds the collector of a name, as jobs do; closes its connections afterwards."""
    with ExitStack() as opened:
        yield lambda name: _built(name, site, hands, opened)


def _built(name: str, site: Site, hands: Hands, opened: ExitStack) -> Collector:
    settings = Settings(**city.settings(int(site.base.rsplit(":", 1)[1])))
    source = settings.sources[name]
    context = Context(
        client_for=lambda base: opened.enter_context(
            open_client(settings.network, base_url=base, rules=Rules(clock=hands))
        ),
        clock=hands,
        query=from_settings(settings.queries["city"]),
        agency=settings.agency,
        network=settings.network,
    )
    return registry.build(name, source, context)


def mentions_of(batches: list[Batch]) -> list[Mention]:
    return [one for batch in batches for one in batch.mentions]


def head(one: Collector, hands: Hands) -> list[Batch]:
    return list(one.collect(Head(), None, Budget(requests=200), hands.now + SOON))


def differences(found: Mention, ours: Mention) -> dict[str, object]:
    """Fields in which a collected mention and an imported one differ, but for what jobs set."""
    names = {field.name for field in fields(Mention)} - {"seen_at", "own"}
    return {
        name: (getattr(found, name), getattr(ours, name))
        for name in names
        if getattr(found, name) != getattr(ours, name)
    }


@pytest.mark.parametrize("name", NAMES)
def test_collected_and_imported_mentions_are_the_same(
    name: str, collector: Build, site: Site, hands: Hands, city_world: World
) -> None:
    found = mentions_of(head(collector(name), hands))
    kind = city.settings(1)["sources"][name]["kind"]
    said = city_world.newest(PLATFORMS[kind], EVENING, EVENING - timedelta(days=200))
    ours = {one.external_id: one for one in (history.mention(one, city_world, EVENING, site.base) for one in said)}
    assert len(found) >= 5
    for one in found:
        assert not differences(one, ours[one.external_id])


def test_a_server_that_withholds_37_posts_is_found_out_and_back_filled(
    collector: Build, site: Site, hands: Hands
) -> None:
    one = collector("bluesky")
    first = head(one, hands)
    gap = first[-1].coverage
    assert (gap.complete, gap.missed, gap.reason) == (False, 37, Missed.PENDING)
    site.withheld = frozenset()
    task = Backfill(since=gap.since, until=gap.until, resume=gap.resume)
    again = list(one.collect(task, None, Budget(), hands.now + SOON))
    assert again[-1].coverage.complete
    new = {one.external_id for one in mentions_of(again)} - {one.external_id for one in mentions_of(first)}
    assert len(new) == 37


@pytest.mark.parametrize("name", ["mastodon", "bluesky"])
def test_edits_and_deletions_are_seen_when_looked_at_again(
    name: str, collector: Build, site: Site, hands: Hands, city_world: World
) -> None:
    site.withheld = frozenset()
    hands.now, edited, gone = changing(city_world, name)
    later = hands.now + timedelta(days=2)
    one = collector(name)
    found = {mention.external_id: mention for mention in mentions_of(head(one, hands))}
    hands.now = later
    batches = list(one.collect(Recheck(ids=tuple(found)), None, Budget(requests=1000), hands.now + SOON))
    lost = {deletion.external_id for batch in batches for deletion in batch.deletions}
    changed = {two.external_id for two in mentions_of(batches) if two.version != found[two.external_id].version}
    assert {ident.rsplit("/", 1)[1] for ident in lost} == gone
    assert {ident.rsplit("/", 1)[1] for ident in changed} == edited


def changing(world: World, platform: str) -> tuple[datetime, set[str], set[str]]:
    """A moment at which something is yet to be edited and something to be taken back within two days, and what."""
    for tries in range(80):
        now = EVENING - timedelta(hours=3 * tries)
        later = now + timedelta(days=2)
        there = {one.id: one for one in world.newest(platform, now, now - timedelta(days=3))}
        left = {one.id: one for one in world.newest(platform, later, now - timedelta(days=3))}
        gone = {ident.rsplit("/", 1)[-1] for ident in there if ident not in left}
        edited = {
            ident.rsplit("/", 1)[-1] for ident, one in there.items() if ident in left and left[ident].text != one.text
        }
        if gone and edited:
            return now, edited, gone
    raise AssertionError("nothing changes in ten days")


def test_a_second_look_brings_what_is_new(collector: Build, hands: Hands) -> None:
    one = collector("mastodon")
    first = head(one, hands)
    hands.now = EVENING + timedelta(hours=3)
    second = list(one.collect(Head(), first[-1].cursor, Budget(), hands.now + SOON))
    new = {one.external_id for one in mentions_of(second)} - {one.external_id for one in mentions_of(first)}
    assert new
    assert second[-1].coverage.complete


def test_kinds_are_known() -> None:
    assert {source["kind"] for source in city.settings(1)["sources"].values()} <= set(registry.KINDS)
