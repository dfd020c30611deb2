"""Posts come over HTTP from the sample server, through every registered source: once, with edits and deletions."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors.registry import KINDS
from jobs.build import Runtime
from jobs.listen import register
from sample import city as maple
from sample.mentions import Said
from sample.server import serve
from sample.site import Faults, Site
from sample.world import World
from storage import audit, coverage, series, sources
from tests.conftest import NOW
from tests.jobs.world import Ticking, counts, holds, rows, run_all, runtime_in

EARLIER = NOW - timedelta(days=2)  # in the middle of the day on which the water main broke
HISTORY = timedelta(days=3)


def settings_for(port: int) -> dict[str, Any]:
    """The sample's own settings, for those kinds of source that are registered."""
    values = maple.settings(port)
    chosen = {name: each for name, each in values["sources"].items() if each["kind"] in KINDS}
    return {"sources": chosen, "queries": values["queries"], "agency": values["agency"]}


@pytest.fixture
def clock() -> Ticking:
    return Ticking(EARLIER)


@pytest.fixture
def site(city: World, clock: Ticking) -> Iterator[Site]:
    with serve(0, city, clock, Faults(limit=1_000_000)) as served:
        yield served


@pytest.fixture
def runtime(site: Site, clock: Ticking, tmp_path: Path) -> Iterator[Runtime]:
    opened = runtime_in(tmp_path, clock, **settings_for(int(site.base.rsplit(":", 1)[1])))
    yield opened
    opened.store.close()


def shown(city: World, platform: str, now: datetime) -> list[Said]:
    """What a reader would find under the city's hashtag, or in its search; advertisements left out."""
    found = city.newest(platform, now, now - HISTORY)
    said = [one for one in found if maple.EXCLUDED.casefold() not in one.text.casefold()]
    if platform == "mastodon":
        return [one for one in said if "#mapleharbor" in one.text.casefold()]
    return [one for one in said if "mapleharbor" in one.text.casefold().replace(" ", "")]


def stored(runtime: Runtime, platform: str) -> dict[str, str]:
    """The posts that are there, by the last part of their id, with their text."""
    found = rows(
        runtime,
        "SELECT k.external_id, m.text FROM mention m JOIN mention_key k ON k.id = m.id "
        "WHERE m.platform = :platform AND k.gone_at IS NULL",
        platform=platform,
    )
    return {last(external_id): text for external_id, text in found}


def last(external_id: str) -> str:
    """What tells a post from its platform's other ones."""
    return external_id.rpartition("/")[2]


@pytest.mark.parametrize("platform", ["bluesky", "mastodon"])
def test_each_post_is_there_once_and_edits_and_deletions_follow(
    runtime: Runtime, city: World, clock: Ticking, platform: str
) -> None:
    only = {platform: runtime.settings.sources[platform]}
    runtime.settings = runtime.settings.model_copy(update={"sources": only})
    with runtime.store.write() as tx:
        register(tx, runtime)
    run_all(runtime)
    first = {last(one.id): one for one in shown(city, platform, EARLIER) if not one.repost_of}
    assert len(first) > 50
    assert stored(runtime, platform).keys() == first.keys()
    assert counts(runtime)["links"] == sum(not one.own for one in first.values())
    _as_it_was(runtime)

    clock.advance(days=2)
    for _ in range(4):  # a run looks at a hundred again
        run_all(runtime)
        clock.advance(minutes=11)
    then = {ident: city.find(platform, one.id, NOW) for ident, one in first.items()}
    gone = {ident for ident, one in then.items() if one is None}
    edited = {ident for ident, one in then.items() if one is not None and one.text != first[ident].text}
    assert gone
    assert edited
    now = stored(runtime, platform)
    assert not gone & now.keys()
    assert all(now[ident] != "" for ident in edited)
    assert counts(runtime)["versions"] >= len(edited)
    assert rows(runtime, "SELECT count(*) FROM mention_key WHERE gone_at IS NOT NULL")[0][0] >= len(gone)
    _as_it_was(runtime)


def _as_it_was(runtime: Runtime) -> None:
    """Asked again at once, with all sources due: nothing changes."""
    before, numbers = holds(runtime), counts(runtime)
    with runtime.store.write() as tx:
        for name in runtime.settings.sources:
            sources.ask_now(tx, name, runtime.clock())
    run_all(runtime)
    assert holds(runtime) == before
    assert counts(runtime)["audit"] == numbers["audit"]


def test_all_sources_at_once_own_posts_and_reposts_are_never_counted(runtime: Runtime, city: World) -> None:
    ran = run_all(runtime)
    assert ran.count("collect") >= len(runtime.settings.sources)
    state = rows(runtime, "SELECT name, state, message FROM source")
    assert {name: s for name, s, _ in state} == dict.fromkeys(runtime.settings.sources, "ok"), state
    per_source = dict(rows(runtime, "SELECT source, count(*) FROM mention GROUP BY source"))
    assert per_source.keys() == runtime.settings.sources.keys()

    own = [i for (i,) in rows(runtime, "SELECT id FROM mention WHERE own")]
    total = counts(runtime)["mentions"]
    assert len(own) >= 5
    assert total > 200
    for table in ("score", "case_link", "reading"):
        assert not set(own) & {i for (i,) in rows(runtime, f"SELECT mention_id FROM {table}")}
    with runtime.store.read() as read:
        counted = sum(row.n for row in series.mention_hours(read, EARLIER - timedelta(days=40), EARLIER))
        assert series.check(read) == []
        assert audit.verify(read).ok
    assert counted == total - len(own)

    boosts = [one for one in shown(city, "mastodon", EARLIER) if one.repost_of]
    originals = {last(one) for (one,) in rows(runtime, "SELECT original FROM repost")}
    assert originals == {str(one.repost_of) for one in boosts}
    assert not {one.id for one in boosts} & stored(runtime, "mastodon").keys()


def test_what_was_read_is_in_the_ledger_hour_by_hour(runtime: Runtime) -> None:
    run_all(runtime)
    with runtime.store.read() as read:
        ledger = coverage.ledger(read, EARLIER - timedelta(days=60), EARLIER + timedelta(hours=1))
        assert coverage.open_gaps(read) == []
    for source, count in rows(runtime, "SELECT source, count(*) FROM sighting GROUP BY source"):
        of_it = [row for row in ledger if row.source == source]
        assert sum(row.seen for row in of_it) == count
        assert sum(row.missed or 0 for row in of_it) == 0
