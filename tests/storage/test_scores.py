import pytest

from core.errors import BadInput
from core.scores import Sentiment
from storage import audit, desk, mentions, scores, series
from storage.engine import Store
from tests.conftest import NOW
from tests.storage.build import HOUR, MARIA, give_scores, open_for, post, put, read_as, waiting


def test_scores_come_back_as_they_went_in(store: Store) -> None:
    one = waiting(store)
    with store.read() as read:
        view = mentions.one(read, one)
        (vector,) = scores.vectors(read, NOW - HOUR)
    assert view is not None
    assert view.scores == read_as(vector=b"")
    assert (vector.mention_id, vector.vector, vector.model) == (one, read_as().vector, "mini@1")
    assert view.reading is not None
    assert (view.reading.label, view.reading.topics) == ("negative", ("roads_potholes", "noise"))
    assert view.reading.waiting


def test_scoring_twice_adds_nothing(store: Store) -> None:
    one = waiting(store)
    give_scores(store, [one])
    with store.read() as read:
        assert len(scores.vectors(read, NOW - HOUR)) == 1
        assert scores.newest_scores(read, one) == read_as(vector=b"")


def test_a_new_revision_adds_and_counts(store: Store) -> None:
    one = waiting(store)
    calm = Sentiment(negative=0.1, neutral=0.2, positive=0.7)
    give_scores(store, [one], read_as(revision="2", sentiment=calm, needs_answer=0.1))
    with store.read() as read:
        view = mentions.one(read, one)
        assert desk.inbox(read) == []
    assert view is not None
    assert view.scores is not None
    assert view.scores.revision == "2"
    assert view.reading is not None
    assert view.reading.label == "positive"


def test_a_score_of_a_text_that_was_edited_since_does_not_count(store: Store) -> None:
    (one,) = put(store, post(1, "first")).new
    stale = mentions.text_hash("first")
    put(store, post(1, "second", version="2", seen_at=NOW + HOUR), now=NOW + HOUR)
    with store.write() as tx:
        scores.add(tx, [(one, stale, read_as())], NOW)
    with store.read() as read:
        view = mentions.one(read, one)
    assert view is not None
    assert view.scores is None
    assert view.reading is not None
    assert view.reading.label == "unread"


@pytest.mark.parametrize(
    ("head", "shown"),
    [("sentiment", "unread"), ("language", "unread"), ("topics", "negative"), ("urgency", "negative")],
)
def test_what_the_model_was_unsure_of_is_not_counted(sqlite: Store, head: str, shown: str) -> None:
    one = waiting(sqlite, given=read_as(unsure=frozenset({head})))
    with sqlite.read() as read:
        view = mentions.one(read, one)
    assert view is not None
    assert view.reading is not None
    assert view.reading.label == shown
    assert bool(view.reading.topics) is (head != "topics")


@pytest.mark.parametrize(
    ("changes", "waits"),
    [
        ({}, True),
        ({"needs_answer": 0.2}, False),
        ({"about_us": 0.2}, False),
        ({"needs_answer": 0.2, "safety": 0.9}, True),
        ({"about_us": 0.2, "safety": 0.9}, False),
        ({"unsure": frozenset({"needs_answer"})}, False),
    ],
)
def test_who_waits_for_an_answer(sqlite: Store, changes: dict[str, object], waits: bool) -> None:
    waiting(sqlite, given=read_as(**changes))
    with sqlite.read() as read:
        assert bool(desk.inbox(read)) is waits


def test_a_correction_holds_over_every_model_and_is_audited(store: Store) -> None:
    one = waiting(store)
    with store.write() as tx:
        scores.correct(tx, one, "sentiment", "positive", MARIA, "sarcasm", NOW)
        scores.correct(tx, one, "topics", ["parks_recreation"], MARIA, "", NOW)
        scores.correct(tx, one, "needs_answer", False, MARIA, "", NOW)
    for revision in ("2", "3"):
        give_scores(store, [one], read_as(revision=revision))
    with store.read() as read:
        view = mentions.one(read, one)
        assert desk.inbox(read) == []
        assert [c.head for c in scores.corrections(read)] == ["sentiment", "topics", "needs_answer"]
        assert [c.value for c in scores.corrections(read, head="topics")] == [["parks_recreation"]]
        (first,) = [e for e in audit.page(read) if e.action == "score.correct.sentiment"]
    assert (first.actor, first.before, first.after, first.reason) == ("person:maria", "negative", "positive", "sarcasm")
    assert view is not None
    assert view.reading is not None
    assert (view.reading.label, view.reading.topics) == ("positive", ("parks_recreation",))
    assert view.scores is not None
    assert view.scores.sentiment.label == "negative"


def test_a_correction_makes_its_hour_dirty(store: Store) -> None:
    one = waiting(store)
    with store.write() as tx:
        series.rebuild(tx, series.dirty(tx, 10))
        scores.correct(tx, one, "sentiment", "neutral", MARIA, "", NOW)
        series.rebuild(tx, series.dirty(tx, 10))
        (row,) = series.mention_hours(tx, NOW, NOW + HOUR)
    assert row.sentiment == "neutral"


@pytest.mark.parametrize(
    ("head", "value"),
    [("mood", "bad"), ("sentiment", "angry"), ("topics", ["sharks"]), ("topics", "noise"), ("safety", 0.4)],
)
def test_a_correction_that_means_nothing_is_refused(sqlite: Store, head: str, value: object) -> None:
    one = waiting(sqlite)
    with sqlite.write() as tx, pytest.raises(BadInput):
        scores.correct(tx, one, head, value, MARIA, "", NOW)


def test_what_nobody_has_read_cannot_be_corrected(sqlite: Store) -> None:
    put(sqlite, post())
    with sqlite.write() as tx, pytest.raises(BadInput, match="not been read"):
        scores.correct(tx, 1, "sentiment", "neutral", MARIA, "", NOW)


def test_an_edit_asks_again_where_a_job_saw_no_need(store: Store) -> None:
    from core.case import Link, Rule, Verdict
    from storage import cases
    from tests.storage.build import LINKER

    one, two = waiting(store, 1), waiting(store, 2)
    with store.write() as tx:
        cases.link(tx, one, Link(verdict=Verdict.IGNORE, rule=Rule.NONE), NOW, LINKER)
    open_for(store, two, "mention:mastodon:https://harbor.example/2")
    later = NOW + HOUR
    put(store, *(post(n, "worse", version="2", seen_at=later) for n in (1, 2)), now=later)
    give_scores(store, [one, two], now=later)
    with store.read() as read:
        assert cases.unlinked(read, 0, 10) == [one]
