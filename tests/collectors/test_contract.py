"""What every source must do. A source is covered the moment it is registered: its fake is in fakes.py."""

import copy
import json
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.recordings import Exchange
from collectors.registry import KINDS
from core.batch import Backfill, Batch, Budget, Head, Missed, Recheck, Task
from core.errors import (
    SourceBusy,
    SourceChanged,
    SourceDown,
    SourceError,
    SourceRefused,
    SourceRetired,
)
from core.mention import Mention
from core.protocols import Collector
from tests.collectors.fakes import FAKES, START, Fake, Ticker

#: Kinds that do not speak HTTP through our client, and the tests that stand in for these.
ELSEWHERE = {"folder": "test_folder.py", "reviews_page": "test_reviews_page.py"}


def test_every_kind_has_a_fake_or_tests_that_stand_in() -> None:
    assert KINDS.keys() <= FAKES.keys() | ELSEWHERE.keys()
    assert all(kind not in KINDS or Path(__file__).with_name(ELSEWHERE[kind]).exists() for kind in ELSEWHERE)


def of(*, speaks_json: bool = False, tells_total: bool = False) -> list[str]:
    """The kinds whose fakes can do that."""
    made = {kind: make(Ticker()) for kind, make in FAKES.items()}
    return sorted(k for k, f in made.items() if f.speaks_json >= speaks_json and f.tells_total >= tells_total)


@pytest.fixture(params=sorted(FAKES))
def fake(request: pytest.FixtureRequest) -> Fake:
    return FAKES[request.param](Ticker())


@pytest.fixture(params=of(speaks_json=True))
def json_fake(request: pytest.FixtureRequest) -> Fake:
    return FAKES[request.param](Ticker())


@pytest.fixture(params=of(tells_total=True))
def counting_fake(request: pytest.FixtureRequest) -> Fake:
    return FAKES[request.param](Ticker())


def collected(
    collector: Collector, task: Task, cursor: str | None = None, budget: Budget | None = None, seconds: float = 3600
) -> list[Batch]:
    deadline = collector.clock() + timedelta(seconds=seconds)  # type: ignore[attr-defined]
    return list(collector.collect(task, cursor, budget or Budget(requests=60), deadline))


def mentions(batches: list[Batch]) -> list[Mention]:
    return [one for batch in batches for one in batch.mentions]


def ids(batches: list[Batch]) -> set[str]:
    return {one.external_id for one in mentions(batches)}


def first_poll(fake: Fake, collector: Collector) -> str:
    """A poll that meets 30 posts; the cursor after it, an hour later."""
    fake.post(30, minutes=120)
    batches = collected(collector, Head())
    assert len(ids(batches)) == 30
    assert batches[-1].coverage.complete
    fake.clock.advance(hours=1)
    cursor = next(batch.cursor for batch in reversed(batches) if batch.cursor)
    assert cursor is not None
    return cursor


def backfilled(collector: Collector, last: Batch, budget: Budget | None = None, runs: int = 40) -> list[Batch]:
    """Back-fill the gap that `last` notes until it is closed."""
    batches: list[Batch] = []
    for _ in range(runs):
        gap = last.coverage
        task = Backfill(since=gap.since, until=gap.until, resume=gap.resume)
        batches += collected(collector, task, None, budget)
        assert all(batch.cursor is None for batch in batches)
        last = batches[-1]
        if last.coverage.complete:
            return batches
    raise AssertionError(f"the gap does not close: {last.coverage}")


def test_250_posts_between_two_polls_are_250_mentions_newest_first(fake: Fake) -> None:
    collector = fake.collector()
    cursor = first_poll(fake, collector)
    new = fake.post(250)
    batches = collected(collector, Head(), cursor)
    assert set(new) <= ids(batches)
    assert batches[-1].coverage.complete
    found = [one.external_id for one in mentions(batches) if one.external_id in set(new)]
    assert found == list(reversed(new))


def test_what_a_small_budget_leaves_is_noted_and_back_filled(fake: Fake) -> None:
    collector = fake.collector()
    cursor = first_poll(fake, collector)
    new = fake.post(250)
    batches = collected(collector, Head(), cursor, Budget(requests=2, mentions=70))
    assert not batches[-1].coverage.complete
    assert batches[-1].coverage.reason is Missed.PENDING
    assert ids(batches) < set(new)
    rest = backfilled(collector, batches[-1], Budget(requests=3, mentions=90))
    assert ids(batches) | ids(rest) >= set(new)


def test_a_crash_after_the_first_batch_loses_nothing(fake: Fake) -> None:
    collector = fake.collector()
    cursor = first_poll(fake, collector)
    new = fake.post(250)
    deadline = fake.clock() + timedelta(hours=1)
    stored = next(iter(collector.collect(Head(), cursor, Budget(requests=60), deadline)))
    assert stored.cursor is not None
    assert not stored.coverage.complete
    fake.clock.advance(minutes=5)
    later = fake.post(3, minutes=2)
    head = collected(collector, Head(), stored.cursor)
    assert set(later) <= ids(head)
    rest = backfilled(collector, stored)
    assert ids([stored]) | ids(rest) | ids(head) >= set(new) | set(later)
    untouched = {fake.ident(item) for item in fake.items[:10]}
    assert not ids(rest) & untouched  # the gap ends where the last poll began


def test_a_back_fill_by_time_alone_brings_what_was_posted_then(fake: Fake) -> None:
    collector = fake.collector()
    cursor = first_poll(fake, collector)
    new = fake.post(90)
    collected(collector, Head(), cursor)
    task = Backfill(since=START + timedelta(minutes=20), until=fake.clock() + timedelta(seconds=1))
    assert ids(collected(collector, task)) == set(new)


def test_the_same_poll_twice_gives_the_same(fake: Fake) -> None:
    collector = fake.collector()
    cursor = first_poll(fake, collector)
    fake.post(60)
    once, twice = (collected(collector, Head(), cursor) for _ in range(2))
    assert mentions(once) == mentions(twice)
    assert once[-1].cursor == twice[-1].cursor


def test_nothing_new_is_a_complete_run(fake: Fake) -> None:
    collector = fake.collector()
    cursor = first_poll(fake, collector)
    batches = collected(collector, Head(), cursor)
    assert batches[-1].coverage.complete
    assert ids(batches) <= {fake.ident(item) for item in fake.items}


def test_an_empty_source_is_a_complete_run(fake: Fake) -> None:
    batches = collected(fake.collector(), Head())
    assert mentions(batches) == []
    assert batches[-1].coverage.complete


def test_an_edit_is_a_new_version_and_a_deletion_is_seen(fake: Fake) -> None:
    collector = fake.collector()
    same, edited, deleted, *_ = fake.post(5)
    before = {one.external_id: one for one in mentions(collected(collector, Head()))}
    fake.edit(edited, "Fixed since this morning, thank you")
    fake.delete(deleted)
    batches = collected(collector, Recheck(ids=(same, edited, deleted)))
    after = {one.external_id: one for one in mentions(batches)}
    assert after[same].version == before[same].version
    assert after[edited].version != before[edited].version
    assert "Fixed since" in after[edited].text
    assert [gone.external_id for batch in batches for gone in batch.deletions] == [deleted]
    assert deleted not in after


def test_a_recheck_stops_at_its_budget_and_marks_nothing_unseen_as_deleted(fake: Fake) -> None:
    collector = fake.collector()
    known = fake.post(60)
    collected(collector, Head())
    before = len(fake.requests)
    batches = collected(collector, Recheck(ids=tuple(known)), None, Budget(requests=2))
    assert ids(batches)
    assert len(fake.requests) <= before + 2
    assert not any(batch.deletions for batch in batches)


RESETS = {
    "seconds": ({"retry-after": "120"}, 120),
    "date": ({"retry-after": (START + timedelta(seconds=90)).strftime("%a, %d %b %Y %H:%M:%S GMT")}, 90),
    "bluesky": ({"ratelimit-reset": str(int(START.timestamp()) + 300), "ratelimit-remaining": "0"}, 300),
    "mastodon": ({"x-ratelimit-reset": (START + timedelta(seconds=200)).isoformat()}, 200),
    "reddit": ({"x-ratelimit-reset": "34.5", "x-ratelimit-remaining": "0.0"}, 34.5),
    "x": ({"x-rate-limit-reset": str(int(START.timestamp()) + 60)}, 60),
    "ietf": ({"ratelimit": '"default";r=0;t=45'}, 45),
    "silent": ({}, 60),
}


@pytest.mark.parametrize("dialect", RESETS)
def test_a_rate_limit_in_any_dialect_says_how_long_to_wait(fake: Fake, dialect: str) -> None:
    headers, seconds = RESETS[dialect]
    fake.override = lambda request: httpx.Response(429, headers=headers, json={"error": "slow down"})
    with pytest.raises(SourceBusy) as caught:
        collected(fake.collector(), Head())
    assert caught.value.retry_after == timedelta(seconds=seconds)
    assert caught.value.source == "town"


def test_a_limit_in_the_middle_keeps_what_came_and_notes_why(fake: Fake) -> None:
    collector = fake.collector()
    cursor = first_poll(fake, collector)
    new = fake.post(250)
    paged = 0

    def limited(request: httpx.Request) -> httpx.Response | None:
        nonlocal paged
        paged += any(word in str(request.url) for word in ("max_id=", "cursor=", "paged="))
        return httpx.Response(429, headers={"retry-after": "900"}) if paged == 2 else None

    fake.override = limited
    stored: list[Batch] = []
    with pytest.raises(SourceBusy):
        stored.extend(collector.collect(Head(), cursor, Budget(), fake.clock() + timedelta(hours=1)))
    assert stored[-1].coverage.reason is Missed.QUOTA
    assert mentions(stored)
    fake.clock.advance(minutes=16)
    paged = 10
    assert ids(stored) | ids(backfilled(collector, stored[-1])) >= set(new)


STATUSES: list[tuple[int, type[SourceError]]] = [
    (401, SourceRefused),
    (403, SourceRefused),
    (410, SourceRetired),
    (500, SourceDown),
    (502, SourceDown),
    (503, SourceDown),
]


@pytest.mark.parametrize(("status", "error"), STATUSES)
def test_a_status_is_an_error_of_ours(fake: Fake, status: int, error: type[SourceError]) -> None:
    fake.post(5)
    fake.override = lambda request: httpx.Response(status, json={"error": "Oops", "message": "no"})
    with pytest.raises(error) as caught:
        collected(fake.collector(), Head())
    assert str(status) in str(caught.value) or "wrong" in str(caught.value)


def test_a_web_page_with_200_is_down_not_silence(fake: Fake) -> None:
    page = "<!doctype html><title>Back soon</title>"
    fake.override = lambda request: httpx.Response(200, html=page)
    with pytest.raises(SourceDown, match="Back soon"):
        collected(fake.collector(), Head())


def test_one_item_that_cannot_be_read_does_not_stop_the_others(json_fake: Fake) -> None:
    json_fake.post(10)
    json_fake.mutate = lambda data: _without(data, "created_at", "uri", nth=3)
    batches = collected(json_fake.collector(), Head())
    assert len(ids(batches)) == 9
    rejected = [why for batch in batches for _, why in batch.coverage.rejected]
    assert len(rejected) == 1


def test_items_of_which_none_can_be_read_are_a_change_of_the_source(json_fake: Fake) -> None:
    json_fake.post(10)
    json_fake.mutate = lambda data: _without(data, "created_at", "uri")
    with pytest.raises(SourceChanged):
        collected(json_fake.collector(), Head())


def _without(data: Any, *names: str, nth: int | None = None) -> Any:
    """A page whose items (or the nth one) lack some fields."""
    items = data if isinstance(data, list) else data.get("posts", [])
    for at, item in enumerate(items):
        if nth is None or at == nth:
            for name in names:
                item.pop(name, None)
    return data


@pytest.mark.parametrize("budget", [Budget(requests=1), Budget(requests=4), Budget(mentions=55), Budget(mentions=1)])
def test_the_budget_is_never_passed(fake: Fake, budget: Budget) -> None:
    fake.post(250)
    batches = collected(fake.collector(), Head(), None, budget)
    assert len(fake.requests) <= budget.requests
    assert len(mentions(batches)) <= budget.mentions


def test_the_deadline_stops_a_run_and_leaves_a_note(fake: Fake) -> None:
    fake.post(250)
    fake.seconds_a_request = 10.0
    collector = fake.collector()
    deadline = fake.clock() + timedelta(seconds=35)
    batches = list(collector.collect(Head(), None, Budget(), deadline))
    assert fake.clock() <= deadline
    assert batches
    assert not batches[-1].coverage.complete
    fake.seconds_a_request = 0.0
    assert len(ids(batches) | ids(backfilled(collector, batches[-1]))) == 250


def test_what_a_server_withholds_is_counted_then_back_filled(counting_fake: Fake) -> None:
    collector = counting_fake.collector()
    cursor = first_poll(counting_fake, collector)
    new = counting_fake.post(250)
    counting_fake.withheld = set(range(100, 137))
    batches = collected(collector, Head(), cursor)
    last = batches[-1].coverage
    assert (last.complete, last.missed, last.reason) == (False, 37, Missed.PENDING)
    assert len(ids(batches) & set(new)) == 250 - 37
    counting_fake.withheld = set()
    rest = backfilled(collector, batches[-1])
    assert ids(batches) | ids(rest) >= set(new)


def test_what_a_server_never_shows_is_given_up_in_the_end(counting_fake: Fake) -> None:
    collector = counting_fake.collector()
    counting_fake.post(50)
    counting_fake.withheld = {3, 4}
    last = collected(collector, Head())[-1].coverage
    for _ in range(5):
        if last.resume is None:
            break
        task = Backfill(since=last.since, until=last.until, resume=last.resume)
        last = collected(collector, task)[-1].coverage
    assert (last.complete, last.missed, last.reason, last.resume) == (False, 2, Missed.WINDOW, None)


def test_a_clock_that_is_ahead_does_not_hide_what_comes_after(fake: Fake) -> None:
    collector = fake.collector()
    fake.post(5)
    fake.items[-1].at += timedelta(days=2)
    batches = collected(collector, Head())
    cursor = batches[-1].cursor
    fake.clock.advance(minutes=10)
    new = fake.post(3, minutes=5)
    assert set(new) <= ids(collected(collector, Head(), cursor))


def test_odd_letters_arrive_as_text_that_can_be_stored(fake: Fake) -> None:
    fake.post(1)
    lone = "\ud83d" if fake.speaks_json else ""  # half a letter travels in a JSON escape alone
    fake.items[0].text = f"Bache {lone} en la calle \x00 Peña \u202e 🚧 Ünïcode"
    (mention,) = mentions(collected(fake.collector(), Head()))
    mention.text.encode("utf-8")
    assert "\x00" not in mention.text
    assert "Peña" in mention.text
    assert "🚧" in mention.text


def test_a_cursor_that_is_not_ours_is_an_error_of_ours(fake: Fake) -> None:
    fake.post(3)
    with pytest.raises(SourceChanged):
        collected(fake.collector(), Head(), "not ours")


def test_no_secret_is_in_an_error_or_a_note(fake: Fake) -> None:
    collector = fake.collector()
    fake.post(250)
    batches = collected(collector, Head(), None, Budget(requests=3))
    fake.override = lambda request: httpx.Response(401, json={"error": "AuthMissing", "message": "no"})
    with pytest.raises(SourceRefused) as caught:
        collected(fake.collector(), Head())
    words = f"{caught.value} {batches} {collector!r}"
    for secret in ("app-pass-word-here", "token1", "Bearer"):
        assert secret not in words


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.sampled_from(["posts", "uri"]), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(path=st.lists(st.integers(0, 12), min_size=1, max_size=6), value=JSON, drop=st.booleans())
def test_a_field_that_is_missing_or_of_another_type_parses_or_is_an_error_of_ours(
    json_fake: Fake, path: list[int], value: Any, drop: bool
) -> None:
    json_fake.items.clear()
    json_fake.post(4)
    json_fake.mutate = lambda data: _mutated(copy.deepcopy(data), path, value, drop)
    with suppress(SourceError):
        for one in mentions(collected(json_fake.collector(), Head(), None, Budget(requests=5))):
            assert one.text == one.text.strip()
            assert one.posted_at is None or isinstance(one.posted_at, datetime)


def _mutated(data: Any, path: list[int], value: Any, drop: bool) -> Any:
    """`data` with the place at `path` dropped or replaced."""
    place = data
    for at, step in enumerate(path):
        keys = list(place) if isinstance(place, dict) else list(range(len(place)) if isinstance(place, list) else ())
        if not keys:
            return data
        key = keys[step % len(keys)]
        if at == len(path) - 1:
            if drop:
                del place[key]
            else:
                place[key] = value
            return data
        place = place[key]
    return data


@pytest.mark.parametrize("kind", sorted(KINDS))
@settings(max_examples=80, deadline=None)
@given(body=JSON.map(str) | st.binary(max_size=60) | JSON.map(json.dumps))
def test_any_answer_parses_or_is_an_error_of_ours(kind: str, body: str | bytes) -> None:
    data = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    with suppress(SourceError):
        KINDS[kind].parse(Exchange(body=data), START)
