from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import SettingsError
from core.settings import Agency
from crm.sla import Answer, business_seconds, due, first_answer, public_holidays

ZONE = "America/New_York"
NY = ZoneInfo(ZONE)
WEEK = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "08:00-18:00")
ALL_DAY = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "00:00-24:00")
NONE: frozenset[date] = frozenset()
H = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NY)


@pytest.mark.parametrize(
    ("opened", "hours", "expected"),
    [
        ("2026-03-02 09:00", 8, "2026-03-02 17:00"),  # Monday
        ("2026-03-02 09:00", 9, "2026-03-02 18:00"),  # the last minute counts
        ("2026-03-02 17:00", 2, "2026-03-03 09:00"),  # over night
        ("2026-03-02 02:00", 1, "2026-03-02 09:00"),  # opened at night
        ("2026-03-06 17:00", 2, "2026-03-09 09:00"),  # over a weekend, on which the clocks change
        ("2026-07-02 17:00", 2, "2026-07-06 09:00"),  # Friday the third is a holiday (observed)
    ],
)
def test_due_counts_opening_hours(opened: str, hours: int, expected: str) -> None:
    off = public_holidays(Agency(country="US"), [2026])
    assert date(2026, 7, 3) in off
    assert due(at(opened), WEEK, ZONE, off, hours * H) == at(expected).astimezone(UTC)


def test_a_day_of_24_hours_has_23_in_spring_and_25_in_autumn() -> None:
    for day, hours in (("2026-03-08", 23), ("2026-11-01", 25), ("2026-11-02", 24)):
        start = at(f"{day} 00:00")
        end = datetime.combine(start.date() + timedelta(days=1), start.time(), NY)
        assert business_seconds(start, end, ALL_DAY, ZONE, NONE) == hours * 3600


def test_a_night_shift_ends_the_next_day_and_belongs_to_the_day_it_began() -> None:
    nights = {"fri": "22:00-06:00"}
    assert due(at("2026-03-06 23:00"), nights, ZONE, NONE, 6 * H) == at("2026-03-07 05:00")
    assert business_seconds(at("2026-03-07 01:00"), at("2026-03-07 12:00"), nights, ZONE, NONE) == 5 * 3600
    assert (
        business_seconds(at("2026-03-06 00:00"), at("2026-03-07 12:00"), nights, ZONE, frozenset({date(2026, 3, 6)}))
        == 0
    )


def test_a_break_at_noon_and_overlapping_shifts() -> None:
    assert due(at("2026-03-02 11:00"), {"mon": "08:00-12:00, 13:00-17:00"}, ZONE, NONE, 2 * H) == at("2026-03-02 14:00")
    twice = {"mon": "08:00-12:00,10:00-14:00"}
    assert business_seconds(at("2026-03-02 00:00"), at("2026-03-03 00:00"), twice, ZONE, NONE) == 6 * 3600


def test_the_clock_stands_in_a_pause_even_if_pauses_overlap() -> None:
    pauses = [(at("2026-03-02 10:00"), at("2026-03-02 12:00")), (at("2026-03-02 11:00"), at("2026-03-02 13:00"))]
    assert due(at("2026-03-02 09:00"), WEEK, ZONE, NONE, 2 * H, pauses) == at("2026-03-02 14:00")
    assert due(at("2026-03-02 09:00"), WEEK, ZONE, NONE, 2 * H, reversed_(pauses)) == at("2026-03-02 14:00")


def reversed_(pauses: list[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    return pauses[::-1]


def test_a_reopened_case_starts_anew() -> None:
    assert due(at("2026-03-05 17:30"), WEEK, ZONE, NONE, H) == at("2026-03-06 08:30")


@pytest.mark.parametrize("hours", [{}, {"mon": ""}, {"mon": "8-18"}, {"mon": "08:00-24:30"}])
def test_hours_that_never_open_or_cannot_be_read_name_the_setting(hours: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=r"agency\.hours"):
        due(at("2026-03-02 09:00"), hours, ZONE, NONE, H)


def test_an_unknown_country_names_the_setting() -> None:
    with pytest.raises(SettingsError, match=r"agency\.country"):
        public_holidays(Agency(country="ZZ"), [2026])


def test_automatic_words_are_no_first_answer() -> None:
    opened = at("2026-03-02 09:00")
    answers = [Answer(at=opened + H, automatic=True), Answer(at=opened + 3 * H), Answer(at=opened + 2 * H)]
    assert first_answer(answers, opened) == opened + 2 * H
    assert first_answer(answers[:1], opened) is None
    assert first_answer(answers, opened + timedelta(hours=2, minutes=30)) == opened + 3 * H  # after a reopening


BEGINNING = datetime(2025, 1, 1, tzinfo=UTC)
moments = st.integers(0, 3 * 365 * 86_400).map(lambda second: BEGINNING + timedelta(seconds=second))
zones = st.sampled_from([ZONE, "Europe/Madrid", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns", "UTC"])
weeks = st.sampled_from(
    [
        WEEK,
        ALL_DAY,
        {"sat": "22:00-06:00", "sun": "02:15-02:45"},
        {"mon": "08:00-12:00,13:00-17:00", "sun": "23:00-01:00"},
    ]
)
off = st.frozensets(st.dates(date(2025, 1, 1), date(2028, 12, 31)), max_size=5)
seconds = st.integers(0, 200_000).map(lambda one: timedelta(seconds=one))
pauses = st.lists(st.tuples(moments, seconds).map(lambda one: (one[0], one[0] + one[1])), max_size=4)


@given(moments, weeks, zones, off, seconds, pauses)
def test_exactly_the_allowance_lies_between_opening_and_due(opened, week, zone, days, allowance, stood) -> None:  # type: ignore[no-untyped-def]
    when = due(opened, week, zone, days, allowance, stood)
    assert when >= opened
    assert business_seconds(opened, when, week, zone, days, stood) == allowance.total_seconds()


@given(moments, seconds, seconds, weeks, zones, off, pauses)
def test_seconds_add_up_and_never_exceed_the_clock(start, first, second, week, zone, days, stood) -> None:  # type: ignore[no-untyped-def]
    mid, end = start + first, start + first + second
    whole = business_seconds(start, end, week, zone, days, stood)
    parts = business_seconds(start, mid, week, zone, days, stood) + business_seconds(mid, end, week, zone, days, stood)
    assert whole == parts
    assert 0 <= whole <= (end - start).total_seconds()
    assert business_seconds(end, start, week, zone, days, stood) == -whole


@given(moments, weeks, zones, off, seconds, seconds)
def test_a_larger_allowance_or_one_more_pause_is_never_due_earlier(opened, week, zone, days, small, more) -> None:  # type: ignore[no-untyped-def]
    when = due(opened, week, zone, days, small)
    assert when <= due(opened, week, zone, days, small + more)
    assert when <= due(opened, week, zone, days, small, [(opened, opened + more)])
