"""Series we made up: a week's rhythm, a season, noise, gaps. Seeded."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from core.series import Series, Slot

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def daily(days: int = 200, *, seed: int = 1, level: float = 120.0, timezone: str = "UTC", name: str = "desk") -> Series:
    rng = np.random.default_rng(seed)
    start = datetime(2025, 1, 6, tzinfo=ZoneInfo(timezone))
    day = np.arange(days)
    rate = level * np.array([1.3, 1.1, 1.0, 0.95, 0.9, 0.4, 0.3])[day % 7] * (1 + 0.15 * np.sin(day / 40))
    values = rng.poisson(rate * rng.gamma(40, 1 / 40, days)).astype(float)
    return Series(
        name=name, start=start, step=DAY, timezone=timezone, values=values, state=np.zeros(days, dtype=np.int8)
    )


def hourly(
    weeks: int = 18,
    *,
    seed: int = 2,
    level: float = 20.0,
    timezone: str = "America/Chicago",
    office_hours: bool = False,
    start: datetime | None = None,
    name: str = "line",
) -> Series:
    rng = np.random.default_rng(seed)
    zone = ZoneInfo(timezone)
    start = start or datetime(2025, 1, 6, tzinfo=zone)
    n = weeks * 168
    local = [(start.astimezone(ZoneInfo("UTC")) + i * HOUR).astimezone(zone) for i in range(n)]
    hour = np.array([t.hour for t in local])
    weekday = np.array([t.weekday() for t in local])
    rate = level * (0.3 + np.exp(-(((hour - 13) / 4.0) ** 2))) * np.where(weekday < 5, 1.0, 0.6)
    values = rng.poisson(rate).astype(float)
    state = np.zeros(n, dtype=np.int8)
    if office_hours:
        shut = (hour < 8) | (hour > 16) | (weekday > 4)
        values[shut] = np.nan
        state[shut] = Slot.CLOSED
    return Series(name=name, start=start, step=HOUR, timezone=timezone, values=values, state=state)


def end_of(series: Series) -> datetime:
    return (series.start.astimezone(ZoneInfo("UTC")) + len(series) * series.step).astimezone(ZoneInfo(series.timezone))
