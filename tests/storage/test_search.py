from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import search
from storage.engine import Store
from tests.conftest import NOW
from tests.storage.build import HOUR, post, put


def test_all_words_newest_first(store: Store) -> None:
    ids = put(store, *(post(n, f"Water main {n} broke", posted_at=NOW - n * HOUR) for n in range(3))).new
    put(store, post(9, "water all fine"))
    with store.read() as read:
        assert search.search(read, "MAIN water") == sorted(ids, reverse=True)
        assert search.search(read, "main", limit=1) == [max(ids)]
        assert search.search(read, "main 2 water") == [min(ids)]
        assert search.search(read, "main sharks") == []


def test_only_what_was_said_in_the_span(store: Store) -> None:
    put(store, post(1, "main", posted_at=NOW - 2 * HOUR), post(2, "main", posted_at=NOW))
    with store.read() as read:
        assert len(search.search(read, "main", since=NOW - HOUR)) == 1
        assert len(search.search(read, "main", until=NOW - HOUR)) == 1
        assert search.search(read, "main", since=NOW - 9 * HOUR, until=NOW - 8 * HOUR) == []


def test_an_edit_is_found_by_its_new_words_alone(store: Store) -> None:
    put(store, post(1, "pothole"))
    put(store, post(1, "sinkhole", version="2", seen_at=NOW + HOUR), now=NOW + HOUR)
    with store.read() as read:
        assert search.search(read, "pothole") == []
        assert search.search(read, "sinkhole") == [1]


@pytest.mark.parametrize(
    "asked", ['"', "a OR", "NEAR(", "text:main", "main*", "^main", "-main", "(((", "'", "\x00", ""]
)
def test_what_is_asked_is_words_never_syntax(store: Store, asked: str) -> None:
    put(store, post(1, "nothing to see"))
    with store.read() as read:
        assert search.search(read, asked) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(), st.text())
def test_any_text_can_be_stored_and_any_asked_for(made: Store, said: str, asked: str) -> None:
    put(made, post(said or "x", said))
    with made.read() as read:
        assert isinstance(search.search(read, asked), list)
        if said.isascii():
            assert all(search.search(read, word) for word in search.words(said))


@pytest.fixture
def made(fresh: Callable[[], Store]) -> Store:
    return fresh()


def test_common_words_are_found_along_the_dates(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "COMMON", 3)
    ids = put(store, *(post(n, "main", posted_at=NOW - n * HOUR) for n in range(6))).new
    with store.read() as read:
        assert search.search(read, "main", limit=4) == sorted(ids, reverse=True)[:4]
