"""When something is said in Maple Harbor, and about which part of the story.

Exactly MENTIONS are said from the first day to the end of the day on which the newcomer looks; after that the city
goes on for as long as the clock does. Each UTC day can be drawn on its own.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sample.story import ZONE, Story, at

MENTIONS = 20_000
#: How much is written in each local hour of an ordinary day, relative.
_HOURS = np.array(
    [
        0.35,
        0.2,
        0.12,
        0.1,
        0.12,
        0.3,
        0.7,
        1.2,
        1.5,
        1.4,
        1.3,
        1.25,
        1.35,
        1.25,
        1.15,
        1.2,
        1.35,
        1.6,
        1.75,
        1.7,
        1.55,
        1.35,
        1.0,
        0.6,
    ]
)
_WEEKDAYS = np.array([1.08, 1.05, 1.02, 1.0, 1.02, 0.92, 0.88])
Floats = NDArray[np.float64]


_NONE = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """One thing that will be said.

    Attributes:
        at: UTC.
        theme: a burst's, "" for the usual, "safety" where somebody is in danger.
        burst: start of the burst that it belongs to, so that two bursts of one theme stay two.
    """

    at: datetime
    theme: str = ""
    burst: datetime = _NONE


class Plan:
    """All moments of a story."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self.first = datetime.combine(story.first_day, datetime.min.time(), UTC).date()
        self.last = story.anchor.date()

    def day(self, day: date) -> list[Moment]:
        """What is said on that UTC day, oldest first; the same whenever it is asked for."""
        rng = np.random.default_rng([self._story.seed, day.toordinal()])
        index = (day - self.first).days
        if index < 0:
            return []
        planned = self._counts[index * 24 : index * 24 + 24]  # empty once the story is over
        counts = planned if day <= self.last else rng.poisson(self._rates(day, 1))
        midnight = datetime.combine(day, datetime.min.time(), UTC)
        moments = [moment for moment in self._certain if moment.at.date() == day]
        for hour, column in zip(*np.nonzero(counts), strict=True):
            start = midnight + timedelta(hours=int(hour))
            burst = self._story.bursts[column - 1] if column else None
            for second in rng.uniform(0, 3600, counts[hour, column]):
                when = start + timedelta(milliseconds=int(second * 1000))
                moments.append(Moment(when, burst.theme, burst.start) if burst else Moment(when))
        return sorted(moments)

    @cached_property
    def _certain(self) -> tuple[Moment, ...]:
        """Cases of danger that a newcomer is sure to meet: in the night, today, and a few minutes from now."""
        night = at(self._story.break_day, 2.2)
        now = self._story.anchor
        return (
            Moment(night, "safety"),
            Moment(now - timedelta(minutes=35), "safety"),
            *(Moment(now + timedelta(minutes=4, days=days), "safety") for days in range(3)),
        )

    @cached_property
    def _counts(self) -> NDArray[np.int64]:
        """Mentions of each hour (rows) and theme (columns: the usual, then each burst) up to the last day."""
        rates = self._rates(self.first, (self.last - self.first).days + 1)
        certain = sum(moment.at.date() <= self.last for moment in self._certain)
        rng = np.random.default_rng([self._story.seed, 77])
        drawn = rng.multinomial(MENTIONS - certain, (rates / rates.sum()).ravel())
        return drawn.reshape(rates.shape)

    @cached_property
    def _usual(self) -> float:
        """Mentions in an hour of relative height 1, so that all add up to MENTIONS."""
        days = (self.last - self.first).days + 1
        heights, bursts = self._heights(self.first, days)
        return float((MENTIONS - bursts.sum()) / heights.sum())

    def _rates(self, day: date, days: int) -> Floats:
        heights, bursts = self._heights(day, days)
        return np.column_stack((heights * self._usual, bursts))

    def _heights(self, day: date, days: int) -> tuple[Floats, Floats]:
        """Relative height of the usual, shape (hours,); mentions an hour of each burst, shape (hours, n_bursts)."""
        start = datetime.combine(day, datetime.min.time(), UTC)
        local = [(start + timedelta(hours=n)).astimezone(ZONE) for n in range(days * 24)]
        growth = 1.12 ** (np.arange(len(local)) / 24 / 365 + (day - self.first).days / 365)
        usual = _HOURS[[moment.hour for moment in local]] * _WEEKDAYS[[moment.weekday() for moment in local]] * growth
        middle = start.timestamp() + 1800 + 3600 * np.arange(len(local), dtype=np.float64)
        bursts = [burst.peak * burst.level(middle) for burst in self._story.bursts]
        return usual, np.column_stack(bursts)
