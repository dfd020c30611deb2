import random
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import StatementError

from core.batch import Batch
from core.mention import Author, Deletion, Media, Mention, Person, Point
from storage import mentions, series, sources
from storage.engine import Store
from storage.sql import insert_all
from storage.tables import dirty_hour, handle, mention, mention_key, mention_version, reading, repost, sighting
from tests.conftest import NOW
from tests.storage.build import HOUR, batch, give_scores, post, put, read_as


def rows(read: Connection, table: object) -> int:
    return int(read.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]


def test_a_new_mention_is_stored_with_all_it_has(store: Store) -> None:
    said = post(
        text="Water main broke\n\non Mill Street",
        author=Author(pseudonym="ab12", epoch="2026-1", sealed_handle=b"sealed"),
        parent="https://harbor.example/0",
        root="https://harbor.example/0",
        stars=1.5,
        language="en",
        url="https://harbor.example/@x/1",
        point=Point(latitude=1.5, longitude=-2.5),
        media=(Media(url="https://harbor.example/p.jpg", alt="a wet street"),),
        posted_at=NOW - HOUR,
    )
    added = put(store, said)
    with store.read() as read:
        view = mentions.one(read, added.new[0])
    assert view is not None
    assert (view.text, view.author, view.author_epoch, view.stars) == (said.text, "ab12", "2026-1", 1.5)
    assert (view.parent, view.point, view.media) == (said.parent, said.point, said.media)
    assert (view.at, view.posted_at, view.sources, view.gone) == (NOW - HOUR, NOW - HOUR, ("town",), None)


def test_the_same_batch_twice_is_once(store: Store) -> None:
    items = [post(n, f"text {n}") for n in range(5)]
    first, second = put(store, *items), put(store, *items)
    assert (len(first.new), first.duplicate) == (5, 0)
    assert (second.new, second.updated, second.duplicate, second.seen_at) == ([], [], 5, ())


numbers = st.integers(min_value=0, max_value=6)


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    items = []
    for number in draw(st.lists(numbers, max_size=8)):
        version = draw(st.integers(min_value=1, max_value=3))
        kind = draw(st.sampled_from(["post", "own", "repost"]))
        age = timedelta(minutes=draw(st.integers(min_value=0, max_value=300)))
        items.append(
            post(
                f"r{number}" if kind == "repost" else number,
                f"text {number} {version}",
                version=str(version),
                edited_at=NOW + timedelta(seconds=version) if version > 1 else None,
                own=kind == "own",
                repost_of=f"https://harbor.example/{number}" if kind == "repost" else None,
                posted_at=NOW - age,
            )
        )
    gone = draw(st.lists(numbers, max_size=2))
    deletions = tuple(Deletion(platform="mastodon", external_id=f"https://harbor.example/{n}") for n in gone)
    return batch(*items, deletions=deletions)


def state(store: Store) -> list[object]:
    """Everything that a reader of the database could tell apart, but for what counts attempts."""
    tables = (mention, mention_version, sighting, repost, reading)
    with store.read() as read:
        return [sorted(map(repr, read.execute(select(table)))) for table in tables]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(batches(), max_size=3))
def test_every_batch_twice_is_every_batch_once(fresh: Callable[[], Store], several: list[Batch]) -> None:
    once, twice = fresh(), fresh()
    for each in several:
        put(once, *each.mentions, deletions=each.deletions)
        for _ in range(2):
            put(twice, *each.mentions, deletions=each.deletions)
    assert state(once) == state(twice)


def test_an_edit_keeps_the_old_words_and_asks_for_a_new_reading(store: Store) -> None:
    (one,) = put(store, post(1, "all fine")).new
    give_scores(store, [one])
    edit = post(1, "the main broke", version="2", seen_at=NOW + HOUR, edited_at=NOW + HOUR)
    added = put(store, edit, now=NOW + HOUR)
    assert (added.new, added.updated) == ([], [one])
    with store.read() as read:
        view = mentions.one(read, one)
        assert mentions.unscored(read, "mini@1", 0, 10) == [one]
    assert view is not None
    assert (view.text, [v.text for v in view.versions]) == ("the main broke", ["all fine"])
    assert view.scores is None
    assert view.reading is not None
    assert view.reading.label == "unread"


def test_an_old_copy_that_arrives_late_is_no_edit(store: Store) -> None:
    put(store, post(1, "second", version="2", edited_at=NOW))
    late = put(store, post(1, "first", version="1", edited_at=NOW - HOUR, seen_at=NOW + HOUR), now=NOW + HOUR)
    assert (late.updated, late.duplicate) == ([], 1)


def test_an_edit_may_be_taken_back(store: Store) -> None:
    for n, text in enumerate(["one", "two", "one"]):
        put(store, post(1, text, version=f"hash of {text}", seen_at=NOW + n * HOUR), now=NOW + n * HOUR)
    with store.read() as read:
        view = mentions.one(read, 1)
    assert view is not None
    assert (view.text, [v.text for v in view.versions]) == ("one", ["one", "two"])


def test_a_mention_that_two_sources_saw_is_one_mention(store: Store) -> None:
    first, second = put(store, post(), source="town"), put(store, post(), source="county")
    assert (second.new, second.duplicate) == ([], 1)
    assert second.seen_at == (NOW,)
    with store.read() as read:
        view = mentions.one(read, first.new[0])
    assert view is not None
    assert (view.source, set(view.sources)) == ("town", {"town", "county"})


def test_a_person_is_refused(store: Store) -> None:
    with store.write() as tx, pytest.raises(TypeError, match="protected"):
        mentions.add(tx, "town", batch(post(author=Person(id="1", handle="jane"))), now=NOW)


def test_own_posts_are_kept_and_never_counted(store: Store) -> None:
    (own,) = put(store, post(1, own=True)).new
    with store.write() as tx:
        assert series.dirty(tx, 10) == []
        assert mentions.unscored(tx, "mini@1", 0, 10) == []
        series.rebuild(tx, [NOW])
        assert series.mention_hours(tx, NOW - HOUR, NOW + HOUR) == []
        view = mentions.one(tx, own)
    assert view is not None
    assert view.own
    assert view.text
    give_scores(store, [own])
    with store.read() as read:
        assert rows(read, reading) == 0


def test_a_repost_is_a_counter_on_its_original(store: Store) -> None:
    (one,) = put(store, post(1)).new
    shared = [post(f"r{n}", "", repost_of=post(1).external_id) for n in range(3)]
    assert put(store, *shared).reposts == 3
    assert put(store, *shared).reposts == 0
    put(store, deletions=(Deletion(platform="mastodon", external_id=shared[0].external_id),))
    with store.read() as read:
        view = mentions.one(read, one)
        assert rows(read, mention) == 1
    assert view is not None
    assert view.reposts == 2


def test_what_two_posts_of_one_batch_say_last_holds(store: Store) -> None:
    newer = post(1, "new", version="2", edited_at=NOW)
    added = put(store, newer, post(1, "old", edited_at=NOW - HOUR))
    with store.read() as read:
        view = mentions.one(read, added.new[0])
    assert view is not None
    assert (view.text, added.duplicate) == ("new", 1)


@pytest.mark.parametrize("text", ["a\x00b", "half \ud83d a pair", "'; DROP TABLE mention; --", "%s %(x)s :y"])
def test_text_that_databases_choke_on_is_stored(store: Store, text: str) -> None:
    added = put(store, post(1, text), post("x" * 5000 + "\x00"))
    with store.read() as read:
        view = mentions.one(read, added.new[0])
        found = mentions.known(read, "mastodon", [post("x" * 5000 + "\x00").external_id])
    assert view is not None
    assert view.text == text.replace("\x00", "").replace("\ud83d", "?")
    assert len(found) == 1


def test_a_time_in_the_future_is_a_wrong_clock(store: Store) -> None:
    added = put(store, post(1, posted_at=NOW + 48 * HOUR), post(2, posted_at=None))
    assert set(added.new_at) == {NOW}


def test_ids_follow_the_time_though_the_newest_come_first(store: Store) -> None:
    added = put(store, *(post(n, posted_at=NOW - n * HOUR) for n in range(4)))
    with store.read() as read:
        times = [mentions.one(read, i).at for i in sorted(added.new)]  # type: ignore[union-attr]
    assert times == sorted(times)


def test_a_passage_shows_the_post_it_answers_and_no_author(store: Store) -> None:
    put(store, post(1, "the main broke"))
    author = Author(pseudonym="ab12", epoch="2026-1")
    (answer,) = put(store, post(2, "thanks", parent=post(1).external_id, author=author)).new
    with store.read() as read:
        ((_, passage),) = mentions.passages(read, [answer])
    assert (passage.text, passage.parent_text) == ("thanks", "the main broke")
    assert "ab12" not in repr(passage)


def test_unscored_pages_through_all_and_leaves_out_what_has_nothing_to_read(store: Store) -> None:
    added = put(store, *(post(n, f"text {n}") for n in range(5)), post("empty", " "), post("stars", "", stars=1))
    with store.read() as read:
        first = mentions.unscored(read, "mini@1", 0, 4)
        rest = mentions.unscored(read, "mini@1", first[-1], 4)
    assert first == sorted(first)
    assert len(first) + len(rest) == 6
    give_scores(store, [*first, *rest])
    with store.read() as read:
        assert mentions.unscored(read, "mini@1", 0, 10) == []
        assert len(mentions.unscored(read, "mini@2", 0, 10)) == len(added.new) - 1
    give_scores(store, first[:2], read_as(revision="2"))
    with store.read() as read:
        assert len(mentions.unscored(read, "mini@2", 0, 10)) == 4


def test_a_recheck_takes_those_not_looked_at_for_longest(store: Store) -> None:
    put(store, post(1), now=NOW)
    put(store, post(2), now=NOW + HOUR)
    put(store, post(1), now=NOW + 2 * HOUR)
    with store.write() as tx:
        due = mentions.due_recheck(tx, "town", NOW + 3 * HOUR, 10)
        assert due == [post(2).external_id, post(1).external_id]
        mentions.mark_checked(tx, "mastodon", due, NOW + 4 * HOUR)
        assert mentions.due_recheck(tx, "town", NOW + 3 * HOUR, 10) == []


def test_cursor_and_mentions_are_stored_together_or_not_at_all(store: Store) -> None:
    with store.write() as tx:
        sources.sync(tx, {"town": ("feed", 60, True)}, NOW)

    def interrupted() -> None:
        with store.write() as tx:
            mentions.add(tx, "town", batch(post()), now=NOW)
            sources.set_cursor(tx, "town", "page 2")
            raise RuntimeError("the machine was switched off")

    with pytest.raises(RuntimeError):
        interrupted()
    with store.read() as read:
        assert sources.cursor(read, "town") is None
        assert rows(read, mention_key) == rows(read, dirty_hour) == rows(read, sighting) == 0


def test_a_handle_is_kept_apart_and_once(store: Store) -> None:
    author = Author(pseudonym="ab12", epoch="2026-1", sealed_handle=b"sealed")
    put(store, post(1, author=author), post(2, author=replace(author, sealed_handle=b"again")))
    with store.read() as read:
        assert read.execute(select(handle.c.sealed)).scalars().all() in ([b"sealed"], [b"again"])


def test_workers_with_the_same_posts_store_each_once(store: Store) -> None:
    items = [post(n, f"text {n}", posted_at=NOW - n * HOUR) for n in range(60)]
    found: list[int] = []

    def work(name: str, rng: random.Random) -> None:
        mine = rng.sample(items, len(items))
        for start in range(0, 60, 20):
            found.extend(put(store, *mine[start : start + 20], source=name).new)

    workers = [threading.Thread(target=work, args=(str(n), random.Random(n))) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with store.read() as read:
        assert rows(read, mention) == rows(read, reading) == len(found) == len(set(found)) == 60


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises((ValueError, TypeError)):
        put(store, post(1), now=NOW.replace(tzinfo=None))
    with pytest.raises(StatementError if store.dialect == "postgresql" else ValueError), store.write() as tx:
        insert_all(tx, dirty_hour, [{"hour": NOW.replace(tzinfo=None), "marks": 1}])


def test_known_gives_versions_of_tombstones_too(store: Store) -> None:
    put(store, post(1, version="7"), post(2))
    put(store, deletions=(Deletion(platform="mastodon", external_id=post(2).external_id),))
    with store.read() as read:
        ids = [post(n).external_id for n in (1, 2, 3)]
        assert mentions.known(read, "mastodon", ids) == {ids[0]: "7", ids[1]: "1"}
        assert mentions.known(read, "bluesky", ids) == {}


def test_a_batch_of_many_is_stored_whole(store: Store) -> None:
    items: list[Mention] = [post(n, f"text {n}", posted_at=NOW - n * HOUR) for n in range(1500)]
    assert len(put(store, *items).new) == 1500
    assert put(store, *items).duplicate == 1500
