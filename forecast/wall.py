"""A series laid on the local wall clock: one row a day, one column a slot of the day.

All models work here, because hours of the day and days of the week are what residents live by. The hour that
daylight saving skips is NaN; the hour it repeats holds the mean of its two occurrences.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import BadInput
from core.series import Series

DAY = timedelta(days=1)
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Wall:
    """What is known of a series before one moment.

    Attributes:
        values: shape (n,), flat; slot i belongs to day i // per_day. Value 0 is the first slot of a Monday.
        per_day: slots a day.
        monday: the local date of day 0.
    """

    values: Floats
    per_day: int
    monday: date

    @property
    def per_week(self) -> int:
        """Slots a week."""
        return 7 * self.per_day

    def until(self, origin: int) -> "Wall":
        """The same, without everything at or after slot `origin`; unknown slots before it are NaN."""
        n = len(self.values)
        known = self.values[:origin] if origin <= n else np.concatenate([self.values, np.full(origin - n, np.nan)])
        return Wall(known, self.per_day, self.monday)

    def days(self) -> Floats:
        """Values as (days, per_day); the rest of the last day is NaN."""
        short = -len(self.values) % self.per_day
        return np.concatenate([self.values, np.full(short, np.nan)]).reshape(-1, self.per_day)

    def first(self) -> int:
        """The first slot that has a value (0 if none has)."""
        return int(np.argmax(~np.isnan(self.values))) if len(self.values) else 0

    def coarsen(self, factor: int) -> "Wall":
        """Add `factor` slots to one; a slot of which a part is unknown is scaled up from the part that is known.

        Only whole coarse slots are kept.
        """
        n = len(self.values) // factor
        parts = self.values[: n * factor].reshape(n, factor)
        known = np.sum(~np.isnan(parts), axis=1)
        total = np.nansum(parts, axis=1)
        coarse = np.where(known > 0, total, np.nan)
        return Wall(coarse, self.per_day // factor, self.monday)


def slots_per_day(step: timedelta) -> int:
    """How many slots a day has.

    Raises:
        BadInput: a day is no whole number of such steps.
    """
    if step <= timedelta(0) or step > DAY or DAY % step:
        raise BadInput(f"a step of {step} cannot be forecast: use a step from 5 minutes to 1 day that divides a day")
    return int(DAY / step)


def local_starts(series: Series, first: int, count: int) -> pd.DatetimeIndex:
    """Local aware starts of `count` slots from slot number `first` on; may lie after the end of the series."""
    zone = ZoneInfo(series.timezone)
    if series.step >= DAY:
        day0 = series.start.astimezone(zone).date() + first * DAY
        midnights = pd.date_range(day0, periods=count, freq="D")
        return midnights.tz_localize(zone, ambiguous=np.ones(count, dtype=bool), nonexistent="shift_forward")
    start = pd.Timestamp(series.start).tz_convert("UTC") + first * series.step
    return pd.date_range(start, periods=count, freq=series.step).tz_convert(zone)


def slot_number(series: Series, moment: datetime) -> int:
    """The number of the first slot that starts at or after `moment`."""
    if series.step >= DAY:
        zone = ZoneInfo(series.timezone)
        local = moment.astimezone(zone)
        days = (local.date() - series.start.astimezone(zone).date()).days
        return days + (local.timetz().replace(tzinfo=None) != datetime.min.time())
    return -((series.start.astimezone(UTC) - moment.astimezone(UTC)) // series.step)


def positions(series: Series, first: int, count: int) -> Ints:
    """Where slots lie on the wall whose day 0 is the Monday of the week of the series' start."""
    if count <= 0:
        return np.zeros(0, dtype=np.int64)
    per_day = slots_per_day(series.step)
    wall = local_starts(series, first, count).tz_localize(None)
    days = (wall.normalize() - pd.Timestamp(monday_of(series))).days.to_numpy()
    seconds = ((wall - wall.normalize()) // pd.Timedelta(seconds=1)).to_numpy()
    slot = np.zeros(count) if per_day == 1 else seconds // int(series.step.total_seconds())
    return np.asarray(days * per_day + slot, dtype=np.int64)


def monday_of(series: Series) -> date:
    """The local Monday on or before the start of the series."""
    first = series.start.astimezone(ZoneInfo(series.timezone)).date()
    return first - first.weekday() * DAY


def lay(series: Series, origin: datetime) -> tuple[Wall, int]:
    """Lay what is known before `origin` on the wall; return it with the number of the first slot to forecast."""
    number = max(slot_number(series, origin), 0)
    known = min(number, len(series))
    values = np.where(series.state[:known] == 0, series.values[:known], np.nan)
    where = positions(series, 0, known)
    end = int(positions(series, number, 1)[0])
    size = max(end, int(where.max()) + 1 if known else 0)
    good = ~np.isnan(values)
    total = np.bincount(where[good], values[good], minlength=size)
    count = np.bincount(where[good], minlength=size)
    with np.errstate(invalid="ignore", divide="ignore"):
        flat = np.where(count > 0, total / count, np.nan)
    return Wall(flat[:end], slots_per_day(series.step), monday_of(series)), number
