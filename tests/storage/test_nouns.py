"""The small nouns: sources, requests, alerts, pseudonyms, budgets, holds."""

import random
from datetime import timedelta

import pytest

from core.errors import BadInput
from core.mention import Author
from storage import alerts, audit, budgets, holds, pseudonyms, requests, sources
from storage.engine import Store
from tests.conftest import NOW
from tests.storage.build import HOUR, MARIA, post, put

MINUTE = timedelta(minutes=1)
TWO = {"town": ("feed", 300.0, True), "sky": ("bluesky", 60.0, True)}


def sync(store: Store, configured: dict[str, tuple[str, float, bool]]) -> None:
    with store.write() as tx:
        sources.sync(tx, configured, NOW)


def due(store: Store, minutes: int = 0, limit: int = 10) -> list[str]:
    with store.write() as tx:
        return [row.name for row in sources.claim_due(tx, NOW + minutes * MINUTE, limit)]


def test_due_sources_are_claimed_once_and_advance_from_now(store: Store) -> None:
    sync(store, TWO)
    assert due(store) == ["sky", "town"]
    assert due(store) == []
    assert due(store, 1) == ["sky"]
    assert due(store, 60) == ["sky", "town"]
    assert due(store, 60) == []


def test_jitter_spreads_by_a_tenth_at_most(store: Store) -> None:
    sync(store, TWO)
    with store.write() as tx:
        sources.claim_due(tx, NOW, 10, random.Random(1))
        row = sources.one(tx, "town")
    assert row is not None
    assert NOW + 5 * MINUTE < row.next_due_at < NOW + 5.5 * MINUTE


def test_states_decide_who_is_asked(store: Store) -> None:
    sync(store, TWO)
    with store.write() as tx:
        sources.set_state(tx, "town", "refused", "the token was revoked", NOW)
        sources.set_state(tx, "sky", "waiting", "rate limit", NOW, retry_at=NOW + 10 * MINUTE)
        with pytest.raises(ValueError, match="ok, waiting"):
            sources.set_state(tx, "sky", "asleep", "", NOW)
    assert due(store) == []
    assert due(store, 10) == ["sky"]
    with store.write() as tx:
        assert sources.ask_now(tx, "town", NOW)
        assert not sources.ask_now(tx, "nobody", NOW)
    assert due(store) == ["town"]


def test_settings_are_taken_over_and_nothing_is_lost(store: Store) -> None:
    sync(store, TWO)
    with store.write() as tx:
        sources.set_cursor(tx, "town", "etag 7")
        sources.set_cursor(tx, "town", None)
        sources.set_state(tx, "town", "ok", "", NOW)
    sync(store, {"town": ("feed", 900.0, True)})
    with store.read() as read:
        town, sky = sources.one(read, "town"), sources.one(read, "sky")
        assert sources.cursor(read, "town") == "etag 7"
    assert town is not None
    assert sky is not None
    assert (town.every_seconds, town.ok_at, sky.enabled) == (900, NOW, False)
    sync(store, {"town": ("mastodon", 900.0, True)})
    with store.read() as read:
        assert sources.cursor(read, "town") is None


def test_a_refused_source_is_asked_again_when_it_is_switched_off_and_on(store: Store) -> None:
    sync(store, TWO)
    with store.write() as tx:
        sources.set_state(tx, "town", "refused", "token", NOW)
    for enabled in (False, True):
        sync(store, {"town": ("feed", 300.0, enabled)})
    assert due(store) == ["town"]


def test_a_request_is_done_once_and_says_how_it_went(store: Store) -> None:
    with store.write() as tx:
        one = requests.add(tx, "collect", {"source": "town"}, MARIA, NOW)
        two = requests.add(tx, "collect", {}, MARIA, NOW)
        assert [(r.id, r.actor, r.payload) for r in requests.waiting(tx, 1)] == [(one, MARIA, {"source": "town"})]
        assert requests.finish(tx, one, "3 new", NOW)
        assert not requests.finish(tx, one, "again", NOW)
        assert requests.fail(tx, two, "no such source", NOW)
        assert requests.waiting(tx) == []
        assert [(r.state, r.answer) for r in requests.recent(tx)] == [("failed", "no such source"), ("done", "3 new")]
        found = requests.one(tx, one)
    assert found is not None
    assert found.done_at == NOW


def test_an_alert_is_raised_once_and_its_sending_may_be_unknown(store: Store) -> None:
    (mention_id,) = put(store, post()).new
    with store.write() as tx:
        one = alerts.add(tx, "safety:1:email", "email", "safety", NOW, mention_id=mention_id)
        assert one is not None
        assert alerts.add(tx, "safety:1:email", "email", "safety", NOW) is None
        assert alerts.start(tx, one, NOW)
        assert [(a.state, a.attempts) for a in alerts.unsent(tx)] == [("unknown", 1)]
        alerts.set_state(tx, one, "failed", NOW, "no route\x00")
        assert alerts.start(tx, one, NOW)
        alerts.set_state(tx, one, "sent", NOW)
        assert not alerts.start(tx, one, NOW)
        assert alerts.unsent(tx) == []
        assert [a.id for a in alerts.unseen(tx)] == [one]
        assert alerts.acknowledge(tx, one, MARIA, NOW)
        assert not alerts.acknowledge(tx, one, MARIA, NOW)
        assert alerts.unseen(tx) == []
        with pytest.raises(ValueError, match="unknown"):
            alerts.set_state(tx, one, "maybe", NOW)


def test_a_destroyed_key_takes_its_handles_with_it(store: Store) -> None:
    authors = [Author(pseudonym=f"p{n}", epoch=f"e{n % 2}", sealed_handle=b"x") for n in range(4)]
    put(store, *(post(n, author=a) for n, a in enumerate(authors)))
    with store.write() as tx:
        assert pseudonyms.add(tx, "e0", NOW)
        assert not pseudonyms.add(tx, "e0", NOW)
        pseudonyms.add(tx, "e1", NOW + HOUR)
        assert pseudonyms.current(tx) == pseudonyms.all(tx)[1]
        assert pseudonyms.destroy(tx, "e1", MARIA, "quarter ended", NOW) == 2
        assert pseudonyms.destroy(tx, "e1", MARIA, "again", NOW) == 0
        assert pseudonyms.sealed_handle(tx, "p1") is None
        assert pseudonyms.sealed_handle(tx, "p0") == b"x"
        assert pseudonyms.erase_handle(tx, "p0", MARIA, "asked for it", NOW)
        assert not pseudonyms.erase_handle(tx, "p0", MARIA, "asked for it", NOW)
        current = pseudonyms.current(tx)
        assert current is not None
        assert current.name == "e0"


def test_a_host_is_asked_by_one_worker_at_a_time(store: Store) -> None:
    with store.write() as tx:
        assert budgets.take(tx, "harbor.example", MINUTE, NOW) is None
        assert budgets.take(tx, "harbor.example", MINUTE, NOW) == NOW + MINUTE
        assert budgets.take(tx, "other.example", MINUTE, NOW) is None
        budgets.hold_off(tx, "harbor.example", NOW + HOUR)
        budgets.hold_off(tx, "harbor.example", NOW + MINUTE)
        assert budgets.take(tx, "harbor.example", MINUTE, NOW + 2 * MINUTE) == NOW + HOUR
        assert budgets.take(tx, "harbor.example", MINUTE, NOW + HOUR) is None


def test_a_hold_needs_a_reason_and_is_audited(store: Store) -> None:
    with store.write() as tx:
        with pytest.raises(BadInput):
            holds.place(tx, "matter", " ", MARIA, NOW)
        one = holds.place(tx, "matter", "Doe v. City", MARIA, NOW, since=NOW)
        assert [h.name for h in holds.standing(tx)] == ["matter"]
        holds.release(tx, one, MARIA, "settled", NOW)
        holds.release(tx, one, MARIA, "settled", NOW)
        assert holds.standing(tx) == []
        assert [e.action for e in audit.page(tx)] == ["hold.release", "hold.place"]
