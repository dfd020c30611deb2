from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.query import from_settings
from core.settings import Settings
from sample import city
from sample.story import DAYS, ZONE, tell

moments = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def test_the_settings_of_a_sample_run_are_valid() -> None:
    found = Settings(**city.settings(9123))
    assert found.sample
    assert found.agency.timezone == city.TIMEZONE
    assert set(found.agency.hours) == {"mon", "tue", "wed", "thu", "fri", "sat"}
    assert {source.kind for source in found.sources.values()} == {"mastodon", "bluesky", "feed", "reviews_page"}


def test_every_source_asks_this_machine_only() -> None:
    for name, source in Settings(**city.settings(9123)).sources.items():
        options = source.options
        for address in options.get("urls", [options.get("server") or options.get("url")]):
            assert address.startswith("http://127.0.0.1:9123"), name


def test_the_query_can_be_read() -> None:
    query = Settings(**city.settings(9123)).queries["city"]
    assert "maple harbor" in str(from_settings(query)).lower()


def test_the_notice_says_that_it_is_invented() -> None:
    assert "invented" in city.NOTICE
    assert city.NAME in city.NOTICE


def test_holidays_are_kept_on_a_weekday() -> None:
    closed = city.closed_days(2026)
    assert {date(2026, 7, 3), date(2026, 7, 4), date(2026, 11, 26), date(2026, 5, 25), date(2026, 1, 19)} <= closed
    assert date(2026, 7, 6) not in closed
    assert not city.is_open(date(2026, 7, 5)), "Sundays are closed"


@given(moments)
@settings(max_examples=200)
def test_whenever_a_newcomer_looks_the_break_is_under_way(now: datetime) -> None:
    story, local = tell(now), now.astimezone(ZONE)
    shown_from = datetime.combine(story.break_day, datetime.min.time(), ZONE) + timedelta(hours=11)
    assert city.is_open(story.break_day)
    assert timedelta() <= local - shown_from < timedelta(days=5)
    if local.hour >= 11 and city.is_open(local.date()):
        assert story.break_day == local.date()


@given(moments)
@settings(max_examples=50)
def test_the_three_incidents_lie_in_the_18_months(now: datetime) -> None:
    story = tell(now)
    assert story.first_day + timedelta(days=300) < story.rumour_day < story.recycling_monday < story.break_day
    assert (now.astimezone(ZONE).date() - story.first_day).days == DAYS - 1
    assert story.recycling_monday.weekday() == 0
    assert {"main_break", "recycling", "fee_rumour"} <= {burst.theme for burst in story.bursts}
