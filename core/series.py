"""Calls as they were counted, series as they are modelled, forecasts as they are shown."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: The quantile levels of every forecast, and their column names.
QUANTILES = (0.025, 0.05, 0.10, 0.25, 0.50, 0.75, 0.80, 0.90, 0.95, 0.975)
QUANTILE_NAMES = ("q025", "q05", "q10", "q25", "q50", "q75", "q80", "q90", "q95", "q975")


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """One interval of one queue. A correction is a new record; the newest recorded_at counts.

    Attributes:
        handle_time: mean seconds an agent needed for a call, talk and after-call work.
    """

    queue: str
    start: datetime
    step: timedelta
    offered: float
    recorded_at: datetime
    answered: float | None = None
    abandoned: float | None = None
    handle_time: float | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for what no interval may be."""
        if self.start.tzinfo is None or self.recorded_at.tzinfo is None:
            raise ValueError("times of calls must be aware")
        if not timedelta(minutes=5) <= self.step <= timedelta(days=1):
            raise ValueError(f"a step lies between 5 minutes and a day, got {self.step}")
        for name in ("offered", "answered", "abandoned", "handle_time"):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise ValueError(f"{name} must not be negative, got {value}")


class Slot(IntEnum):
    """What a slot of a series is."""

    OPEN = 0
    CLOSED = 1
    MISSING = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """An evenly spaced series. Missing is NaN, never zero; closed slots hold NaN too.

    Attributes:
        start: start of the first slot, aware.
        step: slot length. Sub-day slots are even in UTC; slots of a day start at local midnight.
        timezone: IANA name; hours of the day and days of the week are local.
        values: float64, shape (n,).
        state: int8 of Slot, shape (n,).
    """

    name: str
    start: datetime
    step: timedelta
    timezone: str
    values: NDArray[np.float64]
    state: NDArray[np.int8]

    def __post_init__(self) -> None:
        """Raise ValueError if values and state do not fit together."""
        if self.values.shape != self.state.shape or self.values.ndim != 1:
            raise ValueError(f"values {self.values.shape} and state {self.state.shape} must be one shape (n,)")
        if self.start.tzinfo is None:
            raise ValueError("a series starts at an aware time")

    def __len__(self) -> int:
        return int(self.values.shape[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What besides the history is known at the origin, as it stood then.

    Attributes:
        country, subdivision: ISO codes for public holidays, e.g. "US", "NM".
        closed_days: local dates on which nobody answers, "YYYY-MM-DD".
        events: (local date, name, expected uplift as a ratio, 1.0 = none).
        signals: name -> float64 aligned with the history (leading signals).
    """

    country: str = "US"
    subdivision: str | None = None
    closed_days: frozenset[str] = frozenset()
    events: tuple[tuple[str, str, float], ...] = ()
    signals: tuple[tuple[str, NDArray[np.float64]], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What is expected from `start` on; knows only what was known at `made_at`.

    Attributes:
        quantiles: float64, shape (steps, 10), columns as QUANTILES, never crossing, NaN where closed.
        spike_probability: float64, shape (steps,), chance of at least spike_ratio times the usual.
        notes: what the page must say, e.g. ("less than a year of history: calendar model alone",).
    """

    series: str
    start: datetime
    step: timedelta
    timezone: str
    quantiles: NDArray[np.float64]
    spike_probability: NDArray[np.float64]
    made_at: datetime
    model: str
    notes: tuple[str, ...] = ()
    details: dict[str, Any] | None = None
