from collections.abc import Callable
from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from core.scores import Sentiment
from storage import series
from storage.engine import Store
from storage.tables import mention, mention_day, reading
from tests.conftest import NOW
from tests.storage.build import HOUR, give_scores, post, put, read_as, waiting

CALM = Sentiment(negative=0.1, neutral=0.2, positive=0.7)


def rebuild(store: Store, timezone: str = "UTC") -> int:
    with store.write() as tx:
        return series.rebuild(tx, series.dirty(tx, 10_000), timezone=timezone)


def test_hours_count_by_sentiment_with_the_unread_apart(store: Store) -> None:
    waiting(store, 1)
    waiting(store, 2, read_as(sentiment=CALM, needs_answer=0.1))
    put(store, post(3), post(4, own=True), post("r", repost_of=post(1).external_id))
    assert rebuild(store) == 1
    with store.read() as read:
        rows = series.mention_hours(read, NOW, NOW + HOUR)
        assert series.dirty(read, 10) == []
    assert [(r.hour, r.sentiment, r.n, r.needs_answer) for r in rows] == [
        (NOW, "negative", 1, 1),
        (NOW, "positive", 1, 0),
        (NOW, "unread", 1, 0),
    ]


def test_rebuilding_twice_changes_nothing(store: Store) -> None:
    waiting(store, 1)
    rebuild(store)
    with store.write() as tx:
        series.rebuild(tx, [NOW, NOW + HOUR / 2])
        series.mark_all(tx)
    rebuild(store)
    with store.read() as read:
        assert [r.n for r in series.mention_hours(read, NOW, NOW + HOUR)] == [1]
        assert [r.n for r in series.mention_days(read, NOW.date(), NOW.date() + timedelta(days=1))] == [1]


def test_a_mention_counts_in_each_of_its_topics_and_once_in_all(store: Store) -> None:
    waiting(store, 1)
    rebuild(store)
    today = NOW.date()
    with store.read() as read:
        topics = series.topic_days(read, today, today + timedelta(days=1))
        assert [(r.topic, r.n) for r in topics] == [("noise", 1), ("roads_potholes", 1)]
        assert [r.n for r in series.mention_days(read, today, today + timedelta(days=1))] == [1]
        assert [r.n for r in series.mention_hours(read, NOW, NOW + HOUR, topic="noise")] == [1]
        assert series.mention_hours(read, NOW, NOW + HOUR, topic="transit_taxi") == []


def test_filters_narrow(store: Store) -> None:
    put(store, post(1), source="town")
    put(store, post(2, platform="bluesky", language="es"), source="county")
    rebuild(store)
    with store.read() as read:
        for narrow in ({"source": "county"}, {"platform": "bluesky"}, {"language": "es"}):
            assert [r.n for r in series.mention_hours(read, NOW, NOW + HOUR, **narrow)] == [1]


def test_a_day_is_the_agencys_own(store: Store) -> None:
    late = NOW.replace(hour=3)  # 22:00 of the day before in New York
    put(store, post(1, posted_at=late), post(2, posted_at=NOW))
    rebuild(store, "America/New_York")
    with store.read() as read:
        days = series.mention_days(read, date(2026, 2, 1), date(2026, 4, 1))
    assert [(r.day, r.n) for r in days] == [(date(2026, 3, 1), 1), (date(2026, 3, 2), 1)]


def test_days_with_23_and_25_hours_and_odd_zones_add_up(store: Store) -> None:
    start = NOW.replace(month=3, day=7, hour=0)
    put(store, *(post(n, f"text {n}", posted_at=start + n * HOUR) for n in range(72)), now=start + 80 * HOUR)
    for zone in ("America/New_York", "Asia/Kolkata", "UTC"):
        with store.write() as tx:
            series.mark_all(tx)
            tx.execute(mention_day.delete())
        rebuild(store, zone)
        with store.read() as read:
            days = series.mention_days(read, date(2026, 3, 1), date(2026, 4, 1))
        assert sum(r.n for r in days) == 72, zone
    assert len(days) == 3


def test_dirty_hours_come_newest_first(store: Store) -> None:
    put(store, *(post(n, posted_at=NOW - n * HOUR) for n in range(4)))
    with store.read() as read:
        assert series.dirty(read, 2) == [NOW, NOW - HOUR]


def test_the_nightly_check_finds_what_does_not_add_up(store: Store) -> None:
    put(store, post(1), post(2, posted_at=NOW - 2 * HOUR))
    with store.read() as read:
        assert series.check(read) == []
    rebuild(store)
    with store.write() as tx:
        assert series.check(tx) == []
        tx.execute(text("UPDATE mention_hour SET n = 7 WHERE hour = (SELECT max(hour) FROM mention_hour)"))
        assert series.check(tx) == [series.Difference(hour=NOW, stored=7, counted=1)]
        assert series.check(tx, until=NOW) == []
        series.mark_all(tx)
        series.rebuild(tx, series.dirty(tx, 10))
        assert series.check(tx) == []


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 30), st.booleans(), st.booleans()), max_size=12))
def test_roll_ups_are_what_a_recount_gives(fresh: Callable[[], Store], said: list[tuple[int, int, bool, bool]]) -> None:
    store = fresh()
    for number, age, own, scored in said:
        added = put(store, post(number, own=own, posted_at=NOW - age * HOUR))
        if scored:
            give_scores(store, added.new, read_as(sentiment=CALM) if age % 2 else None)
        rebuild(store, "Asia/Kolkata")
    with store.read() as read:
        assert series.check(read) == []
        recount = read.execute(select(func.count()).select_from(reading)).scalar_one()
        ours = read.execute(select(func.count()).where(mention.c.own)).scalar_one()
        days = series.mention_days(read, date(2026, 1, 1), date(2026, 12, 31))
        assert sum(r.n for r in days) == recount == len({n for n, *_ in said}) - ours


def test_what_marks_an_hour_while_it_is_counted_is_counted_after(store: Store) -> None:
    put(store, post(1))
    with store.write() as tx:
        series.rebuild(tx, [NOW])
    put(store, post(2))
    with store.read() as read:
        assert series.dirty(read, 5) == [NOW]
