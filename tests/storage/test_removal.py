from pathlib import Path

import pytest
from sqlalchemy import String, Text, inspect, select
from sqlalchemy import Table as SqlTable

from core.case import CaseDraft
from core.mention import Author, Deletion
from storage import cases, holds, mentions, removal, retention, scores, search, series, work
from storage.engine import Store
from storage.tables import metadata, score_vector
from tests.conftest import NOW
from tests.storage.build import HOUR, MARIA, batch, open_for, post, put, waiting

GONE = Deletion(platform="mastodon", external_id=post(1).external_id)
CANARY = "quetzalfeather"


def everywhere(store: Store, word: str) -> list[str]:
    """The columns of any table in which the word stands."""
    found = []
    with store.read() as read:
        for table in metadata.tables.values():
            found += [f"{table.name}.{name}" for name in _holding(read, table, word)]
    return found


def _holding(read: object, table: SqlTable, word: str) -> list[str]:
    names = []
    for column in table.c:
        text = isinstance(column.type, String | Text) or "JSON" in str(column.type).upper()
        values = read.execute(select(column)).scalars() if text or "String" in repr(column.type) else ()  # type: ignore[attr-defined]
        if any(word in str(value) for value in values):
            names.append(column.name)
    return names


def test_deleted_text_is_nowhere(store: Store) -> None:
    author = Author(pseudonym="ab12", epoch="2026-1", sealed_handle=b"x")
    one = waiting(store, 1, text=f"{CANARY} one", author=author, url=f"https://harbor.example/{CANARY}")
    put(store, post(1, f"{CANARY} two", version="2", seen_at=NOW + HOUR), now=NOW + HOUR)
    with store.write() as tx:
        key = cases.open(tx, "mention:mastodon:" + post(1).external_id, _draft(), NOW, MARIA)
        assert search.search(tx, CANARY) == [one]
    assert set(everywhere(store, CANARY)) >= {"mention.text", "mention_version.text", "cases.title", "cases.body"}
    put(store, deletions=(GONE,), now=NOW + HOUR)
    assert everywhere(store, CANARY) == []
    with store.read() as read:
        assert search.search(read, CANARY) == []
        assert read.execute(select(score_vector)).all() == []
        view, case = mentions.one(read, one), cases.one(read, key)
    assert view is not None
    assert (view.gone, view.text, view.author, view.versions) == ("deleted", "", None, ())
    assert case is not None
    assert case.case.title == removal.WITHDRAWN


def _draft() -> CaseDraft:
    return CaseDraft(
        key="unused", title=f"{CANARY} title", body=f"{CANARY} body", topic=None, urgency=0, safety=0, url=""
    )


def test_deleted_words_are_not_in_the_file_either(sqlite: Store, tmp_path: Path) -> None:
    put(sqlite, *(post(n, f"text {n}") for n in range(2, 200)), post(1, f"{CANARY} one"))
    put(sqlite, deletions=(GONE,))
    with sqlite.write() as tx:
        retention.tidy(tx)
    sqlite.close()
    for path in tmp_path.glob("only.db*"):
        assert CANARY.encode() not in path.read_bytes(), path.name


def test_a_tombstone_is_not_collected_again(store: Store) -> None:
    put(store, post(1))
    assert put(store, deletions=(GONE,)).removed == 1
    again = put(store, post(1, "back again", version="9", seen_at=NOW + HOUR), now=NOW + HOUR)
    assert (again.new, again.updated, again.tombstoned, again.duplicate) == ([], [], 1, 0)
    with store.read() as read:
        view = mentions.one(read, 1)
    assert view is not None
    assert view.text == ""


def test_removing_twice_removes_once(store: Store) -> None:
    put(store, post(1))
    assert [put(store, deletions=(GONE, GONE)).removed for _ in range(2)] == [1, 0]


def test_a_removed_mention_still_counts_but_waits_no_more(store: Store) -> None:
    one = waiting(store)
    put(store, deletions=(GONE,))
    with store.write() as tx:
        series.mark_all(tx)
        series.rebuild(tx, [NOW])
        assert [(r.sentiment, r.n, r.needs_answer) for r in series.mention_hours(tx, NOW, NOW + HOUR)] == [
            ("negative", 1, 1)
        ]
        assert mentions.passages(tx, [one]) == []
        assert mentions.unscored(tx, "other@1", 0, 10) == []
        scores.add(tx, [], NOW)


def test_a_deletion_of_what_we_never_had_changes_nothing(store: Store) -> None:
    assert put(store, deletions=(GONE,)).removed == 0
    assert len(put(store, post(1)).new) == 1


def test_a_mention_and_its_deletion_in_one_batch_leave_a_tombstone(store: Store) -> None:
    added = put(store, post(1), deletions=(GONE,))
    assert (len(added.new), added.removed) == (1, 1)
    assert put(store, post(1)).tombstoned == 1


def test_legal_hold_keeps_text_hidden_until_it_is_released(store: Store) -> None:
    one = waiting(store, 1, text=CANARY)
    with store.write() as tx:
        hold = holds.place(tx, "Doe v. City", "case 12", MARIA, NOW, platform="mastodon")
        removal.remove(tx, [GONE], NOW)
    with store.read() as read:
        view = mentions.one(read, one)
    assert view is not None
    assert (view.text, view.held, view.gone) == ("", True, "deleted")
    assert "mention.text" in everywhere(store, CANARY)
    with store.write() as tx:
        held = retention.run(tx, now=NOW + HOUR, mentions_days=1)
        assert (held.expired, held.released, held.held) == (0, 0, 1)
        holds.release(tx, hold, MARIA, "settled", NOW + HOUR)
        released = retention.run(tx, now=NOW + HOUR, mentions_days=1)
        assert (released.released, released.held) == (1, 0)
    assert everywhere(store, CANARY) == []


@pytest.mark.parametrize(
    ("condition", "covered"),
    [
        ({"platform": "mastodon"}, True),
        ({"platform": "bluesky"}, False),
        ({"source": "town"}, True),
        ({"source": "county"}, False),
        ({"since": NOW - HOUR, "until": NOW + HOUR}, True),
        ({"since": NOW + HOUR}, False),
        ({"mention_id": 1}, True),
        ({"mention_id": 2}, False),
        ({"case_id": 1}, True),
        ({}, True),
    ],
)
def test_a_hold_covers_what_matches_all_it_says(sqlite: Store, condition: dict[str, object], covered: bool) -> None:
    one = waiting(sqlite)
    waiting(sqlite, 2, posted_at=NOW - 48 * HOUR, seen_at=NOW - 48 * HOUR)
    open_for(sqlite, one)
    with sqlite.write() as tx:
        holds.place(tx, "matter", "why", MARIA, NOW, **condition)  # type: ignore[arg-type]
        assert (one in holds.held(tx, [one, 2])) is covered


def test_retention_erases_words_and_keeps_counts(store: Store) -> None:
    old = 400 * 24 * HOUR
    author = Author(pseudonym="ab12", epoch="2026-1", sealed_handle=b"x")
    waiting(store, 1, text=CANARY, posted_at=NOW - old, seen_at=NOW - old, author=author)
    waiting(store, 2)
    with store.write() as tx:
        dry = retention.run(tx, now=NOW, mentions_days=365, dry_run=True)
        assert (dry.expired, dry.held, dry.dry_run) == (1, 0, True)
    assert "mention.text" in everywhere(store, CANARY)
    with store.write() as tx:
        assert retention.run(tx, now=NOW, mentions_days=365).expired == 1
        again = retention.run(tx, now=NOW, mentions_days=365)
        assert (again.expired, again.handles, again.more) == (0, 0, False)
        series.rebuild(tx, [NOW - old, NOW])
        assert sum(r.n for r in series.mention_hours(tx, NOW - 2 * old, NOW + HOUR)) == 2
    assert everywhere(store, CANARY) == []
    assert put(store, post(1)).tombstoned == 1


def test_what_is_done_and_old_goes(store: Store) -> None:
    one = waiting(store, 1, posted_at=NOW - 200 * 24 * HOUR, seen_at=NOW - 200 * 24 * HOUR)
    with store.write() as tx:
        done = work.add(tx, "score", "a", {}, NOW)
        work.add(tx, "score", "b", {}, NOW)
        assert done is not None
        work.finish(tx, done, NOW)
        later = NOW + 31 * 24 * HOUR
        dry = retention.run(tx, now=later, mentions_days=1000, dry_run=True)
        assert (dry.work, dry.vectors, dry.expired) == (1, 1, 0)
        wet = retention.run(tx, now=later, mentions_days=1000)
        assert (wet.work, wet.vectors) == (1, 1)
        assert work.counts(tx) == {"score": {"pending": 1}}
        assert scores.vectors(tx, NOW - 1000 * 24 * HOUR) == []
        view = mentions.one(tx, one)
    assert view is not None
    assert view.text


def test_a_source_may_ask_for_less_time(store: Store) -> None:
    put(store, post(1, posted_at=NOW - 48 * HOUR, seen_at=NOW - 48 * HOUR), source="strict")
    put(store, post(2, posted_at=NOW - 48 * HOUR, seen_at=NOW - 48 * HOUR), source="town")
    with store.write() as tx:
        report = retention.run(tx, now=NOW, mentions_days=365, by_source={"strict": 1})
        assert report.expired == 1
        view = mentions.one(tx, 1)
    assert view is not None
    assert view.gone == "retention"


def test_retention_works_in_pieces(store: Store) -> None:
    put(store, *(post(n, posted_at=NOW - 48 * HOUR, seen_at=NOW - 48 * HOUR) for n in range(5)))
    runs = []
    for _ in range(3):
        with store.write() as tx:
            runs.append(retention.run(tx, now=NOW, mentions_days=1, limit=3))
    assert [(r.expired, r.more) for r in runs] == [(3, True), (2, False), (0, False)]


def test_the_index_of_a_removed_table_is_known(store: Store) -> None:
    with store.read() as read:
        names = {column["name"] for column in inspect(read).get_columns("mention")}
    assert {"text", "author", "own"} <= names
    assert batch().mentions == ()
