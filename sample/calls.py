"""The phones of Maple Harbor: calls of three queues by half hour, 18 months back and on with the clock.

They have what real call series have: a shape of the day and the week, a year, holidays, a slow trend, days that are
high together, more spread than Poisson, corrections, a lost afternoon, and the incidents of the story.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache

import numpy as np
from numpy.typing import NDArray

from core.series import Calls
from sample import city
from sample.story import ZONE, Story, at

STEP = timedelta(minutes=30)
OPENS, CLOSES = 8, 18  # local hours of the longest day
SLOTS = (CLOSES - OPENS) * 2
_WEEK = np.array([1.20, 1.06, 1.0, 0.97, 0.93, 0.58])
_DAY = np.array(
    [
        0.7,
        0.88,
        1.02,
        1.13,
        1.2,
        1.22,
        1.16,
        1.08,
        0.98,
        0.94,
        0.97,
        1.04,
        1.1,
        1.09,
        1.04,
        0.98,
        0.92,
        0.84,
        0.72,
        0.58,
    ]
)
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Queue:
    """How one queue lives.

    Attributes:
        usual: calls in a half hour of an ordinary Wednesday.
        swing, summit: relative height of the yearly wave, and the day of the year it is highest.
        handle_time: mean seconds a call keeps an agent.
    """

    usual: float
    swing: float
    summit: int
    handle_time: float


QUEUES = {
    "general": Queue(24.0, 0.09, 45, 235.0),
    "utilities": Queue(12.0, 0.16, 20, 320.0),
    "sanitation": Queue(9.0, 0.20, 190, 205.0),
}


def records(story: Story, now: datetime, since: datetime | None = None) -> list[Calls]:
    """What the phone system had reported by `now`, oldest first; with `since` only what came in after it.

    The same slot always has the same count, whenever it is asked for.
    """
    made = [
        call
        for number, name in enumerate(city.QUEUES)
        for call in _of_queue(story, name, number, now)
        if call.recorded_at <= now and (since is None or call.recorded_at > since)
    ]
    return sorted(made, key=lambda call: (call.recorded_at, call.queue, call.start))


def _of_queue(story: Story, name: str, number: int, now: datetime) -> Iterator[Calls]:
    queue = QUEUES[name]
    days = _days(story, now)
    starts = np.array([at(day, OPENS).timestamp() for day in days])[:, None] + np.arange(SLOTS) * STEP.total_seconds()
    usual = queue.usual * _days_level(story, queue, number, days)[:, None] * _DAY
    mean = usual * (1 + _extra(story, name, starts))
    spread = np.random.default_rng([story.seed, number, 5]).gamma(45.0, 1 / 45.0, mean.shape)
    offered = np.random.default_rng([story.seed, number]).poisson(mean * spread).astype(np.float64)
    abandoned = _abandoned(story, number, offered, usual)
    handle = _handle_time(story, number, queue, offered, mean / usual)
    open_slots = np.array([_open(day) for day in days]) & ~_lost(story, days)
    corrected = np.random.default_rng([story.seed, number, 4]).random(mean.shape) < 0.002
    for row, column in zip(*np.nonzero(open_slots), strict=True):
        slot = row, column
        start = at(days[row], OPENS) + column * STEP
        whole = _call(name, start, offered[slot], abandoned[slot], handle[slot], timedelta(minutes=5))
        if corrected[slot]:  # the phone system first reported half of it
            half = offered[slot] // 2, min(abandoned[slot], offered[slot] // 2)
            yield _call(name, start, *half, handle[slot], timedelta(minutes=5))
            yield _call(name, start, offered[slot], abandoned[slot], handle[slot], timedelta(hours=20))
        else:
            yield whole


def _call(queue: str, start: datetime, offered: float, abandoned: float, handle: float, late: timedelta) -> Calls:
    answered = float(offered - abandoned)
    return Calls(
        queue=queue,
        start=start,
        step=STEP,
        offered=float(offered),
        answered=answered,
        abandoned=float(abandoned),
        handle_time=round(float(handle), 1) if answered else None,
        recorded_at=start + STEP + late,
    )


def _days(story: Story, now: datetime) -> list[date]:
    """All local days from the first to today; a longer list begins like a shorter one, so draws stay the same."""
    count = (now.astimezone(ZONE).date() - story.first_day).days + 1
    return [story.first_day + timedelta(days=n) for n in range(max(count, 0))]


@cache
def _open(day: date) -> tuple[bool, ...]:
    """Which half hours of the day are answered."""
    opens, closes = city.HOURS.get(day.weekday(), (0, 0)) if city.is_open(day) else (0, 0)
    return tuple(opens <= (OPENS * 2 + slot) * 30 < closes for slot in range(SLOTS))


def _days_level(story: Story, queue: Queue, number: int, days: list[date]) -> Floats:
    """Relative level of each day, shape (n_days,)."""
    position = np.arange(len(days), dtype=np.float64)
    year_day = np.array([day.timetuple().tm_yday for day in days])
    week = np.array([_WEEK[min(day.weekday(), 5)] for day in days])
    yearly = 1 + queue.swing * np.cos(2 * np.pi * (year_day - queue.summit) / 365.25)
    after_closing = np.array([1.22 if _was_closed(day) else 1.0 for day in days])
    bills = np.array([1.12 if day.day <= 3 else 1.0 for day in days])
    together = _wander(np.random.default_rng([story.seed, 90]), len(days), 0.07)
    alone = _wander(np.random.default_rng([story.seed, number, 1]), len(days), 0.05)
    level: Floats = week * yearly * after_closing * bills * np.exp(together + alone) * 1.04 ** (position / 365)
    return level


@cache
def _was_closed(day: date) -> bool:
    """Whether a working day just before this one was a holiday."""
    before = day - timedelta(days=1)
    while before.weekday() == 6:
        before -= timedelta(days=1)
    return not city.is_open(before)


def _wander(rng: np.random.Generator, n: int, spread: float) -> Floats:
    """Log levels that stay near where they were the day before: AR(1), standard deviation `spread`."""
    keep = 0.65
    steps = rng.standard_normal(n) * spread * np.sqrt(1 - keep**2)
    level = np.zeros(n)
    for index in range(n):
        level[index] = steps[index] + (keep * level[index - 1] if index else 0.0)
    return level


def _extra(story: Story, queue: str, seconds: Floats) -> Floats:
    """What the story adds, as a share of the usual; each burst reaches the phones `lag` hours after the posts."""
    extra = np.zeros_like(seconds)
    for burst in story.bursts:
        if share := burst.calls.get(queue):
            extra += share * burst.level(seconds, burst.lag)
    return extra


def _abandoned(story: Story, number: int, offered: Floats, usual: Floats) -> Floats:
    """Callers who gave up: few while the planned staff copes, many beyond."""
    rng = np.random.default_rng([story.seed, number, 2])
    overload = np.clip(offered / (1.25 * usual) - 1, 0, 2)
    return rng.binomial(offered.astype(np.int64), 0.025 + 0.22 * overload).astype(np.float64)


def _handle_time(story: Story, number: int, queue: Queue, offered: Floats, height: Floats) -> Floats:
    """Mean seconds a call; shorter when everyone asks the same thing, noisier with few calls."""
    rng = np.random.default_rng([story.seed, number, 3])
    noise = rng.standard_normal(offered.shape) * 0.45 / np.sqrt(np.maximum(offered, 1))
    return np.clip(queue.handle_time * (1 - 0.05 * np.log(height)) * (1 + noise), 45, 1800)


def _lost(story: Story, days: list[date]) -> NDArray[np.bool_]:
    """An afternoon nine months ago of which the phone system kept nothing."""
    lost = np.zeros((len(days), SLOTS), dtype=np.bool_)
    day = (story.break_day - timedelta(days=270) - story.first_day).days
    lost[day : day + 1, 10:] = True
    return lost
