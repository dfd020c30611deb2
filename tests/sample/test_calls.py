from collections import defaultdict
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from core.series import Calls
from sample import calls, city
from sample.mentions import Said
from sample.story import ZONE, Story, tell
from tests.sample.conftest import EVENING

LATER = EVENING + timedelta(days=3, hours=1)


def newest(records: list[Calls]) -> dict[tuple[str, datetime], Calls]:
    """Of each slot the record that counts."""
    found: dict[tuple[str, datetime], Calls] = {}
    for call in sorted(records, key=lambda call: call.recorded_at):
        found[call.queue, call.start] = call
    return found


def by_day(records: list[Calls], queue: str) -> dict[date, float]:
    found: dict[date, float] = defaultdict(float)
    for call in newest(records).values():
        if call.queue == queue:
            found[call.start.astimezone(ZONE).date()] += call.offered
    return found


def usual(days: dict[date, float], day: date) -> float:
    """The median of the same weekday in the eight weeks before."""
    before = [days[day - timedelta(weeks=n)] for n in range(1, 9) if day - timedelta(weeks=n) in days]
    return float(np.median(before))


def test_18_months_of_three_queues_by_half_hour(phoned: list[Calls]) -> None:
    starts = [call.start for call in phoned]
    assert {call.queue for call in phoned} == set(city.QUEUES)
    assert {call.step for call in phoned} == {timedelta(minutes=30)}
    assert max(starts) - min(starts) > timedelta(days=540)
    assert 20_000 < len(phoned) < 30_000


def test_same_seed_same_calls_another_seed_others(story: Story, phoned: list[Calls]) -> None:
    assert calls.records(story, EVENING) == phoned
    assert calls.records(tell(EVENING, seed=8), EVENING) != phoned


def test_what_was_counted_stays_as_the_clock_goes_on(story: Story, phoned: list[Calls]) -> None:
    later = calls.records(story, LATER)
    assert later[: len(phoned)] == phoned
    assert len(later) > len(phoned)
    assert later[len(phoned) :] == calls.records(story, LATER, since=EVENING)


def test_nothing_is_known_before_it_was_recorded(phoned: list[Calls]) -> None:
    assert all(call.start + call.step < call.recorded_at <= EVENING for call in phoned)


def test_counts_add_up(phoned: list[Calls]) -> None:
    for call in phoned:
        assert call.answered is not None
        assert call.abandoned is not None
        assert call.answered + call.abandoned == call.offered
        assert call.offered == int(call.offered) >= 0
        assert call.handle_time is None or 45 <= call.handle_time <= 1800


def test_no_call_is_counted_while_the_phones_are_closed(phoned: list[Calls]) -> None:
    for call in phoned:
        local = call.start.astimezone(ZONE)
        opens, closes = city.HOURS[local.weekday()]
        assert city.is_open(local.date())
        assert opens <= local.hour * 60 + local.minute < closes


def test_clocks_go_forward_without_moving_the_opening(phoned: list[Calls]) -> None:
    hours = {call.start.astimezone(ZONE).hour for call in phoned if call.start.astimezone(ZONE).weekday() < 5}
    assert hours == set(range(8, 18))
    assert {call.start.astimezone(UTC).hour for call in phoned} >= {12, 22}, "both summer and winter time are there"


def test_mondays_are_busy_and_saturdays_short(phoned: list[Calls]) -> None:
    days = by_day(phoned, "general")
    level = [np.mean([n for day, n in days.items() if day.weekday() == weekday]) for weekday in range(6)]
    assert level[0] > 1.1 * level[2] > 1.1 * 3 * level[5]


def test_more_spread_than_poisson_and_days_hang_together(phoned: list[Calls]) -> None:
    days = by_day(phoned, "general")
    kept = sorted(day for day in days if day.weekday() < 5)
    level = np.array([np.log(days[day] / usual(days, day)) for day in kept if day - timedelta(weeks=8) in days])
    assert level.std() > 2 / np.sqrt(np.mean(list(days.values())))
    assert np.corrcoef(level[1:], level[:-1])[0, 1] > 0.3


@pytest.mark.parametrize(
    ("queue", "offset", "least"), [("utilities", 0, 1.8), ("sanitation", 1, 1.3), ("general", 2, 1.4)]
)
def test_each_incident_is_seen_in_its_queue(
    story: Story, phoned: list[Calls], queue: str, offset: int, least: float
) -> None:
    day = (
        story.break_day,
        story.recycling_monday + timedelta(days=1),
        story.rumour_day + timedelta(days=1),
    )[offset]
    days = by_day(phoned, queue)
    assert days[day] / usual(days, day) > least


def test_calls_follow_mentions_by_about_two_hours_on_the_day_of_the_break(
    story: Story, phoned: list[Calls], said: list[Said]
) -> None:
    offered = {call.start: call.offered for call in newest(phoned).values() if call.queue == "utilities"}
    slots = sorted(start for start in offered if start.astimezone(ZONE).date() == story.break_day)
    ratio = [offered[slot] / np.mean([offered[slot - timedelta(weeks=n)] for n in (1, 3, 4)]) for slot in slots]

    def heard(lag: timedelta) -> list[int]:
        return [
            sum(slot - lag <= one.at < slot - lag + timedelta(minutes=30) and one.theme == "main_break" for one in said)
            for slot in slots
        ]

    hours = {half / 2: np.corrcoef(ratio, heard(timedelta(hours=half / 2)))[0, 1] for half in range(-4, 11)}
    best = max(hours, key=lambda lag: hours[lag])
    assert 1.0 <= best <= 3.0, hours
    assert hours[best] > 0.7
    assert hours[best] > hours[0.0] + 0.1


def test_some_slots_are_corrected_later(phoned: list[Calls]) -> None:
    corrected = len(phoned) - len(newest(phoned))
    assert 10 < corrected < 150


def test_one_afternoon_was_lost(story: Story, phoned: list[Calls]) -> None:
    lost = story.break_day - timedelta(days=270)
    there = [call for call in phoned if call.start.astimezone(ZONE).date() == lost]
    assert all(call.start.astimezone(ZONE).hour < 13 for call in there)
