"""What happens in Maple Harbor, laid around the moment at which a newcomer first looks.

Mentions and calls are drawn from the same story, so that calls really follow mentions where the story says so.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from sample import city

ZONE = ZoneInfo(city.TIMEZONE)
DAYS = 548  # about 18 months
#: A newcomer should see the water-main break well under way: before this local hour it was the last open day.
SHOWS_FROM = time(11, 0)

#: Small troubles: theme, topics' family in the words, queue that feels it.
FLURRIES = (
    ("storm", "utilities"),
    ("outage", "utilities"),
    ("signals", "general"),
    ("buses", "general"),
    ("fallen_trees", "sanitation"),
    ("app_down", "general"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """A time at which many speak of one thing.

    Attributes:
        theme: its family of words.
        start: the first mention, UTC.
        rise: hours to the peak.
        fade: hours in which it then falls to a third.
        peak: mentions an hour at the peak, besides the usual ones; 0 if nobody writes about it.
        calls: queue -> extra calls at the peak as a share of the usual; empty if nobody calls.
        lag: hours by which calls follow mentions.
    """

    theme: str
    start: datetime
    rise: float
    fade: float
    peak: float
    calls: Mapping[str, float] = field(default_factory=dict)
    lag: float = 2.0

    def level(self, seconds: NDArray[np.float64], lag: float = 0.0) -> NDArray[np.float64]:
        """How far it is on, 0..1, at times in seconds since the epoch, any shape."""
        hours = (seconds - self.start.timestamp()) / 3600 - lag
        rising = np.sin(np.pi / 2 * np.clip(hours / self.rise, 0, 1)) ** 2
        return rising * np.exp(-np.clip(hours - self.rise, 0, None) / self.fade)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The 18 months before `anchor` and all time after it.

    Attributes:
        anchor: when the newcomer first looked, UTC; keep it, and the city stays the same city.
        break_day: local day of the water-main break: today, or the last open day if it is early or closed.
        recycling_monday: first day of the week in which recycling was not collected.
        rumour_day: local day in whose evening the false rumour about a fee begins.
    """

    anchor: datetime
    seed: int
    first_day: date
    break_day: date
    recycling_monday: date
    rumour_day: date
    bursts: tuple[Burst, ...]


def tell(anchor: datetime, seed: int = 7) -> Story:
    """Lay the story around `anchor` (aware)."""
    local = anchor.astimezone(ZONE)
    broke = local.date() if local.time() >= SHOWS_FROM else local.date() - timedelta(days=1)
    while not city.is_open(broke):
        broke -= timedelta(days=1)
    monday = broke - timedelta(days=broke.weekday() + 77)
    rumour = broke - timedelta(days=(broke.weekday() - 1) % 7 + 147)
    first = local.date() - timedelta(days=DAYS - 1)
    return Story(
        anchor=anchor.astimezone(UTC),
        seed=seed,
        first_day=first,
        break_day=broke,
        recycling_monday=monday,
        rumour_day=rumour,
        bursts=(*_main_break(broke), *_recycling(monday), *_rumour(rumour), *_flurries(first, broke, seed)),
    )


def at(day: date, hour: float) -> datetime:
    """That local hour of that day, UTC."""
    return (datetime.combine(day, time(), ZONE) + timedelta(hours=hour)).astimezone(UTC)


def _main_break(day: date) -> tuple[Burst, ...]:
    after = day + timedelta(days=1)
    calls = {"utilities": 3.6, "general": 1.3, "sanitation": 0.1}
    return (
        Burst(theme="main_break", start=at(day, 5.6), rise=3.6, fade=5.0, peak=62, calls=calls),
        Burst(theme="boil_notice", start=at(after, 7.0), rise=2.0, fade=4.0, peak=9, calls={"utilities": 0.7}),
    )


def _recycling(monday: date) -> tuple[Burst, ...]:
    sizes = (9.0, 14.0, 17.0, 13.0, 8.0)
    calls = (0.8, 1.3, 1.5, 1.2, 0.8)
    return tuple(
        Burst(
            theme="recycling",
            start=at(monday + timedelta(days=day), 6.5),
            rise=3.0,
            fade=4.0,
            peak=size,
            calls={"sanitation": more, "general": more / 5},
        )
        for day, (size, more) in enumerate(zip(sizes, calls, strict=True))
    )


def _rumour(day: date) -> tuple[Burst, ...]:
    return (
        Burst(theme="fee_rumour", start=at(day, 18.5), rise=2.5, fade=4.0, peak=34),
        Burst(
            theme="fee_rumour",
            start=at(day + timedelta(days=1), 6.5),
            rise=3.0,
            fade=5.0,
            peak=26,
            calls={"general": 1.7, "utilities": 0.6},
        ),
        Burst(
            theme="fee_rumour",
            start=at(day + timedelta(days=2), 7.0),
            rise=2.5,
            fade=4.0,
            peak=9,
            calls={"general": 0.5, "utilities": 0.2},
        ),
    )


def _flurries(first: date, broke: date, seed: int) -> tuple[Burst, ...]:
    """Some thirty small troubles: most are written about before they are called about, some are not."""
    rng = random.Random(f"{seed} flurries {first}")
    found = []
    day = first + timedelta(days=10)
    while (day := day + timedelta(days=rng.randint(9, 24))) < broke - timedelta(days=6):
        if not city.is_open(day) or day.weekday() == 5:
            continue
        theme, queue = rng.choice(FLURRIES)
        kind = rng.random()
        found.append(
            Burst(
                theme=theme,
                start=at(day, rng.uniform(6.5, 12.5)),
                rise=rng.uniform(1.5, 2.5),
                fade=rng.uniform(1.8, 3.5),
                peak=0.0 if kind > 0.85 else rng.uniform(6, 12),
                calls={} if kind < 0.2 else {queue: rng.uniform(0.6, 1.4), "general": rng.uniform(0.1, 0.4)},
                lag=rng.uniform(1.6, 2.4),
            )
        )
    return tuple(found)
