"""Calls by the half hour and the forecasts of the last nights, drawn from one pattern."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from core.series import Calls, Forecast
from storage import calls, forecasts

STEP = timedelta(minutes=30)
WEEKS, NIGHTS, DAYS_AHEAD = 13, 30, 8
QUEUE = "311"
#: How far each of core.series.QUANTILES lies from the middle, in standard deviations.
AWAY = (-1.96, -1.645, -1.282, -0.674, 0.0, 0.674, 0.842, 1.282, 1.645, 1.96)


def usual(start: datetime, zone: ZoneInfo) -> float:
    """Calls expected in a slot; NaN where nobody answers."""
    local = start.astimezone(zone)
    if not 6 <= local.hour < 22:
        return float("nan")
    weekday = (1.25, 1.1, 1.0, 1.0, 0.95, 0.5, 0.4)[local.weekday()]
    return weekday * (8 + 18 * max(0.0, 1 - abs(local.hour + local.minute / 60 - 11) / 6))


def fill(tx: Connection, now: datetime, timezone: str) -> None:
    """Thirteen weeks of calls, thirty nights of forecasts, and one of this half hour."""
    zone, rng = ZoneInfo(timezone), random.Random(3)
    last = now - timedelta(minutes=now.minute % 30, seconds=now.second, microseconds=now.microsecond)
    starts = [last - n * STEP for n in range(1, WEEKS * 7 * 48)]
    counted = [
        Calls(
            queue=QUEUE,
            start=start,
            step=STEP,
            offered=max(0, round(rng.gauss(mean, mean**0.5))),
            recorded_at=start + STEP,
        )
        for start in starts
        if not np.isnan(mean := usual(start, zone))
    ]
    calls.add(tx, counted)
    today = now.astimezone(zone).date()
    for n in range(NIGHTS):
        day = today - timedelta(days=n)
        forecasts.add(tx, made(datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC), zone), now)
    forecasts.add(tx, made(last, zone), now)


def made(at: datetime, zone: ZoneInfo) -> Forecast:
    """The forecast made at `at`, from then on."""
    starts = [at + n * STEP for n in range(DAYS_AHEAD * 48)]
    mean: NDArray[np.float64] = np.array([usual(start, zone) for start in starts])
    quantiles = np.clip(mean[:, None] + np.sqrt(mean)[:, None] * np.array(AWAY), 0, None)
    days = [
        {
            "date": str((at + timedelta(days=n)).astimezone(zone).date()),
            "usual": 500.0,
            "expected": 520.0 + 100 * (n == 1),
            "low": 460.0,
            "high": 590.0 + 120 * (n == 1),
            "probability": 0.04 + 0.31 * (n == 1),
        }
        for n in range(DAYS_AHEAD)
    ]
    return Forecast(
        series=QUEUE,
        start=at,
        step=STEP,
        timezone=str(zone),
        quantiles=quantiles,
        spike_probability=np.full(len(starts), 0.1),
        made_at=at,
        model="openear",
        details={"days": days},
    )
