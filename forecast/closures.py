"""Days on which nobody answered, read from the history, and the holidays on which nobody will."""

from dataclasses import replace

import numpy as np

from forecast.calendar import NO_HOLIDAY, Calendar
from forecast.profile import mean_known
from forecast.wall import Bools, Floats, Ints, Wall

SILENT_SHARE = 0.06
BUSY_DAY = 10.0
FEW_HOLIDAYS = 3
MOST = 0.75


def observe(calendar: Calendar, wall: Wall) -> Calendar:
    """The calendar with the closed days that the history shows, and holidays to come closed as they were before."""
    table = wall.days()
    whole = len(wall.values) // wall.per_day
    silent, expected = silent_days(table[:whole])
    closed = calendar.closed.copy()
    closed[:whole] |= silent
    closed[whole:] |= holidays_to_close(calendar, silent, expected, whole)
    return replace(calendar, closed=closed)


def silent_days(table: Floats) -> tuple[Bools, Floats]:
    """Which days were silent though their weekday is busy, and what each day's weekday usually has."""
    weekday = np.arange(len(table)) % 7
    total = np.where(np.isnan(table).all(axis=1), 0.0, np.nansum(table, axis=1))
    recorded: Bools = np.asarray(~np.isnan(table).all(axis=1))
    first = int(np.argmax(recorded)) if recorded.any() else len(table)
    expected = np.zeros(len(table))
    for day in range(7):
        mine = weekday == day
        busy = total[mine & recorded]
        if len(busy) and recorded[mine][-12:].mean() >= 0.25:
            expected[mine] = np.median(busy)
    silent = (total < SILENT_SHARE * expected) & (expected >= BUSY_DAY)
    silent[:first] = False
    return np.asarray(silent), expected


def holidays_to_close(calendar: Calendar, silent: Bools, expected: Floats, whole: int) -> Bools:
    """Which days from `whole` on are holidays on which this agency rests."""
    past: Ints = calendar.holiday[:whole]
    counted = (past != NO_HOLIDAY) & (expected >= BUSY_DAY)
    rests = counted.sum() >= FEW_HOLIDAYS and silent[counted].mean() >= MOST
    verdict = np.full(len(calendar.names), rests)
    verdict[NO_HOLIDAY] = False
    for name in np.unique(past[counted]):
        verdict[name] = silent[np.flatnonzero(counted & (past == name))[-1]]
    return np.asarray(verdict[calendar.holiday[whole:]])


def training_table(wall: Wall, calendar: Calendar) -> Floats:
    """The history as (days, per_day), days on which nobody answered taken out."""
    table = wall.days().copy()
    table[calendar.closed[: len(table)]] = np.nan
    return table


def training_wall(wall: Wall, calendar: Calendar) -> Wall:
    """The same, flat."""
    return Wall(training_table(wall, calendar).ravel()[: len(wall.values)], wall.per_day, wall.monday)


def day_means(table: Floats) -> Floats:
    """Mean of the known slots of each day; NaN for a day without any."""
    return mean_known(table, axis=1)
