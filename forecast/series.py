"""From records with times to an evenly spaced series; nothing missing becomes zero."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from core.errors import BadInput
from core.series import Calls, Series, Slot
from forecast.profile import opening
from forecast.wall import DAY, Bools, Floats, Ints, Wall, local_starts, monday_of, positions, slots_per_day

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FAMILIAR = tuple(timedelta(minutes=m) for m in (5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1440))
REGULAR = 0.95
LARGEST = 4_000_000


def step_of(name: str, moments: pd.DatetimeIndex) -> timedelta:
    """The step most records keep. Moments are local, sorted, unique.

    Raises:
        BadInput: there is none between 5 minutes and a day.
    """
    if len(moments) < 2:
        raise BadInput(f"{name}: {len(moments)} record is too short for a forecast")
    gaps = pd.Series(moments[1:] - moments[:-1])
    common = gaps.mode().iloc[0].to_pytimedelta()
    if gaps.median() > pd.Timedelta(days=6):
        raise BadInput(f"{name}: about one record every {gaps.median().days} days; records of a day or less are needed")
    seconds = gaps.dt.total_seconds().to_numpy()
    for step in sorted((s for s in FAMILIAR if not common % s), reverse=True):
        if np.mean(seconds % step.total_seconds() == 0) >= REGULAR:
            return step
    raise BadInput(f"{name}: the records keep no regular step (the commonest gap is {common}); give --step")


def evenly(name: str, moments: pd.DatetimeIndex, values: Floats, step: timedelta, timezone: str) -> Series:
    """Lay records on even slots; moments are aware, sorted and unique, values NaN where a record does not know."""
    slots_per_day(step)
    zone = ZoneInfo(timezone)
    local = moments.tz_convert(zone)
    if step >= DAY:
        days = local.tz_localize(None).normalize()
        number = (days - days[0]).days.to_numpy()
        start = datetime.combine(days[0].date(), time(), tzinfo=zone)
    else:
        since = ((moments - moments[0]) // pd.Timedelta(seconds=1)).to_numpy()
        late = most_common(since % int(step.total_seconds()))
        number = (since - late) // int(step.total_seconds())
        start = (moments[0] + pd.Timedelta(seconds=late + int(number[0]) * int(step.total_seconds()))).to_pydatetime()
        number = number - number[0]
    size = int(number[-1]) + 1
    if size > LARGEST:
        raise BadInput(f"{name}: {size} slots of {step} are more than openear forecasts; give a larger --step")
    flat = np.full(size, np.nan)
    flat[number] = values
    return with_states(
        Series(name=name, start=start, step=step, timezone=timezone, values=flat, state=np.zeros(size, dtype=np.int8))
    )


def most_common(numbers: Ints) -> int:
    """The number seen most often; the smallest of equals."""
    unique, count = np.unique(numbers, return_counts=True)
    return int(unique[np.argmax(count)])


def open_slots(series: Series) -> Bools:
    """Which slots of the week are ever open, from Monday's first on, shape (per_week,)."""
    per_day = slots_per_day(series.step)
    where = positions(series, 0, len(series))
    size = int(where.max()) + 1
    flat = np.full(size + -size % (7 * per_day), np.nan)
    flat[where] = series.values
    return opening(Wall(flat, per_day, monday_of(series)))


def with_states(series: Series) -> Series:
    """Open where there is a value; closed where the hour of the week never has one; else missing."""
    is_open = open_slots(series)
    state = np.where(is_open[positions(series, 0, len(series)) % len(is_open)], Slot.MISSING, Slot.CLOSED)
    return replace(series, state=np.where(np.isnan(series.values), state, Slot.OPEN).astype(np.int8))


def aggregate(series: Series, step: timedelta) -> Series:
    """The same series in larger steps.

    A large slot of which some open part is missing is scaled up if at least half of it is known, else missing; an
    unfinished last slot is left off.

    Raises:
        BadInput: the step is no multiple of the series' own.
    """
    if step == series.step:
        return series
    if step < series.step or step % series.step or step > DAY:
        raise BadInput(f"{series.name}: records every {series.step} cannot be added up to steps of {step}")
    number, start = coarse_numbers(series, step)
    size = int(number[-1]) + 1
    expected = np.bincount(number[series.state != Slot.CLOSED], minlength=size)
    known = np.bincount(number[series.state == Slot.OPEN], minlength=size)
    total = np.bincount(number, np.nan_to_num(series.values, nan=0.0), minlength=size)
    good = (known > 0) & (2 * known >= expected)
    values = np.where(good, total * expected / np.maximum(known, 1), np.nan)
    values = np.where(known >= expected, np.where(known > 0, total, np.nan), values)
    values = values[: -1 if unfinished(series, number, step) else None]
    state = np.where(np.isnan(values), np.where(expected[: len(values)] > 0, Slot.MISSING, Slot.CLOSED), Slot.OPEN)
    return Series(
        name=series.name,
        start=start,
        step=step,
        timezone=series.timezone,
        values=values,
        state=state.astype(np.int8),
    )


def coarse_numbers(series: Series, step: timedelta) -> tuple[Ints, datetime]:
    """Which large slot each slot is in, and where the first large slot starts."""
    starts = local_starts(series, 0, len(series))
    zone = ZoneInfo(series.timezone)
    first_day: date = starts[0].date()
    midnight = datetime.combine(first_day, time(), tzinfo=zone)
    if step >= DAY:
        wall = starts.tz_localize(None).normalize()
        return np.asarray((wall - wall[0]).days.to_numpy(), dtype=np.int64), midnight
    since = ((starts - pd.Timestamp(midnight)) // pd.Timedelta(seconds=1)).to_numpy()
    number = since // int(step.total_seconds())
    start = (pd.Timestamp(midnight).tz_convert("UTC") + int(number[0]) * step).to_pydatetime()
    return np.asarray(number - number[0], dtype=np.int64), start


def slots_until(series: Series, n_open: int) -> int:
    """How many slots from the end of the series on hold `n_open` open ones."""
    is_open = open_slots(series)
    enough = (n_open // max(int(is_open.sum()), 1) + 2) * len(is_open)
    ahead = is_open[positions(series, len(series), min(enough, LARGEST)) % len(is_open)]
    return int(np.searchsorted(np.cumsum(ahead), n_open)) + 1


def unfinished(series: Series, number: Ints, step: timedelta) -> bool:
    """Whether open slots of the last large slot lie after the end of the series."""
    share = int(step / series.step) if step < DAY else slots_per_day(series.step)
    left = max(share - int((number == number[-1]).sum()), 0)
    is_open = open_slots(series)
    return bool(is_open[positions(series, len(series), left) % len(is_open)].any())


def from_calls(
    calls: Sequence[Calls],
    *,
    timezone: str,
    hours: dict[str, str] | None = None,
    until: datetime | None = None,
    step: timedelta | None = None,
    name: str | None = None,
) -> Series:
    """The newest record of each interval of one queue as a series.

    Args:
        calls: of one queue, in any order; of two records of one interval the newest recorded_at counts.
        timezone: IANA name of the agency's time.
        hours: opening hours by weekday, "mon" -> "08:00-18:00"; hours outside them are closed. None: read from records.
        until: only records known then, of intervals before then.
        step: add up to this step; None keeps the records' own.
        name: of the series; None: the queue's.

    Raises:
        BadInput: no calls, several queues, or no regular step.
    """
    kept: dict[datetime, Calls] = {}
    for call in sorted(calls, key=lambda c: c.recorded_at):
        if until is None or (call.start < until and call.recorded_at <= until):
            kept[call.start] = call
    if len({c.queue for c in kept.values()}) != 1:
        raise BadInput(f"a series is of one queue, got {sorted({c.queue for c in kept.values()}) or 'no calls'}")
    rows = sorted(kept.values(), key=lambda c: c.start)
    own = max({c.step for c in rows}, key=lambda s: sum(c.step == s for c in rows))
    rows = [c for c in rows if c.step == own]
    moments = pd.DatetimeIndex([c.start for c in rows]).tz_convert("UTC")
    series = evenly(name or rows[0].queue, moments, np.array([c.offered for c in rows], dtype=float), own, timezone)
    if hours is not None:
        series = outside_closed(series, hours)
    return series if step is None else aggregate(series, step)


def outside_closed(series: Series, hours: dict[str, str]) -> Series:
    """Close what lies outside the opening hours; daily series close on days without hours."""
    inside = within(local_starts(series, 0, len(series)), hours, series.step)
    values = np.where(inside, series.values, np.nan)
    state = np.where(inside, np.where(np.isnan(values), Slot.MISSING, Slot.OPEN), Slot.CLOSED)
    return replace(series, values=values, state=state.astype(np.int8))


def within(starts: pd.DatetimeIndex, hours: dict[str, str], step: timedelta) -> Bools:
    """Which starts lie in the opening hours."""
    minute = starts.hour.to_numpy() * 60 + starts.minute.to_numpy()
    inside = np.zeros(len(starts), dtype=bool)
    for day, name in enumerate(WEEKDAYS):
        if name not in hours:
            continue
        mine = starts.dayofweek.to_numpy() == day
        opens, closes = (int(t[:2]) * 60 + int(t[3:]) for t in hours[name].split("-"))
        inside |= mine if step >= DAY else mine & (minute >= opens) & (minute < closes)
    return inside
