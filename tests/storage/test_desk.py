import pytest
from sqlalchemy import Connection, text

from core.errors import BadInput
from core.mention import Deletion
from storage import audit, desk
from storage.engine import Store
from tests.conftest import NOW
from tests.storage.build import HOUR, MARIA, open_for, post, put, read_as, waiting


def ids(items: list[desk.InboxItem]) -> list[int]:
    return [item.mention_id for item in items]


def test_the_most_urgent_or_the_newest_first(store: Store) -> None:
    calm = waiting(store, 1, read_as(urgency=0.1), posted_at=NOW)
    urgent = waiting(store, 2, read_as(urgency=0.9), posted_at=NOW - HOUR)
    with store.read() as read:
        assert ids(desk.inbox(read)) == [urgent, calm]
        assert ids(desk.inbox(read, order="newest")) == [calm, urgent]
        assert ids(desk.inbox(read, limit=1, offset=1)) == [calm]


def test_an_item_shows_what_is_needed_to_answer(store: Store) -> None:
    one = waiting(store, 1)
    case_id = open_for(store, one)
    with store.read() as read:
        (item,) = desk.inbox(read)
        assert desk.items(read, [one]) == [item]
    assert (item.text, item.case_id, item.verdict, item.label) == (post().text, case_id, "open", "negative")
    assert item.topics == ("roads_potholes", "noise")
    assert item.case_code is not None


def test_filters_narrow(store: Store) -> None:
    roads, noise = waiting(store, 1), waiting(store, 2, read_as(topics=(), language="es"), platform="bluesky")
    with store.write() as tx:
        desk.assign(tx, roads, "maria", MARIA, NOW)
    with store.read() as read:
        assert ids(desk.inbox(read, topic="noise")) == [roads]
        assert ids(desk.inbox(read, language="es")) == [noise]
        assert ids(desk.inbox(read, platform="bluesky")) == [noise]
        assert ids(desk.inbox(read, label="positive")) == []
        assert ids(desk.inbox(read, assignee="maria")) == [roads]
        assert ids(desk.inbox(read, assignee="")) == [noise]


def test_badges_count_those_that_wait(store: Store) -> None:
    one = waiting(store, 1, read_as(safety=0.9))
    waiting(store, 2)
    waiting(store, 3, read_as(needs_answer=0.1))
    with store.write() as tx:
        assert desk.assign(tx, one, "maria", MARIA, NOW)
        assert not desk.assign(tx, one, "maria", MARIA, NOW)
        assert desk.counts(tx) == desk.Counts(waiting=2, unassigned=1, negative=2, safety=1)
        assert desk.newer(tx, one) == 1
        assert [e.after for e in audit.page(tx)] == ["maria"]
        with pytest.raises(BadInput):
            desk.assign(tx, 99, "maria", MARIA, NOW)


def test_what_was_removed_waits_no_more(store: Store) -> None:
    waiting(store, 1)
    put(store, deletions=(Deletion(platform="mastodon", external_id=post(1).external_id),))
    with store.read() as read:
        assert desk.inbox(read) == []
        assert desk.counts(read).waiting == 0


def plan(read: Connection, sql: str) -> str:
    return "\n".join(str(row[-1]) for row in read.execute(text(f"EXPLAIN QUERY PLAN {sql}")))


@pytest.mark.parametrize(
    ("order", "index"), [("urgency DESC, mention_id DESC", "ix_reading_urgent"), ("at DESC", "ix_reading_newest")]
)
def test_the_inbox_walks_a_partial_index(sqlite: Store, order: str, index: str) -> None:
    with sqlite.read() as read:
        found = plan(read, f"SELECT mention_id FROM reading WHERE waiting = 1 ORDER BY {order} LIMIT 25")
    assert index in found
    assert "TEMP B-TREE" not in found


def test_the_badges_read_an_index_alone(sqlite: Store) -> None:
    counts = "count(*), count(*) FILTER (WHERE assignee IS NULL), count(*) FILTER (WHERE safety > 1 OR label = 'x')"
    with sqlite.read() as read:
        assert "COVERING INDEX ix_reading_urgent" in plan(read, f"SELECT {counts} FROM reading WHERE waiting = 1")


def test_what_is_undecided_is_found_by_a_partial_index(sqlite: Store) -> None:
    with sqlite.read() as read:
        found = plan(read, "SELECT mention_id FROM reading WHERE undecided = 1 AND mention_id > 5 ORDER BY mention_id")
    assert "ix_reading_undecided" in found
