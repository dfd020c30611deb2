"""Days as people live them: weekdays, holidays with their eves, closed days and the agency's own events."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import holidays as public_holidays
import numpy as np

from core.errors import BadInput
from core.series import Known
from forecast.wall import Bools, Floats, Ints

NO_HOLIDAY = 0


@dataclass(frozen=True, slots=True)
class Calendar:
    """What is known beforehand of `n` days from `monday` on.

    Attributes:
        holiday: index into names, 0 for an ordinary day, shape (n,).
        names: of the holidays; names[0] is "".
        year_end: true from 24 December to 2 January on days that are no holiday themselves.
        closed: days on which the agency says nobody answers.
        uplift: log of the ratio the agency expects from its own events, 0 without any.
    """

    monday: date
    holiday: Ints
    names: tuple[str, ...]
    year_end: Bools
    closed: Bools
    uplift: Floats

    def __len__(self) -> int:
        return len(self.holiday)

    def year_angle(self) -> Floats:
        """Where in the year each day lies, in radians."""
        start = np.datetime64(self.monday, "D")
        days = start + np.arange(len(self)).astype("timedelta64[D]")
        into = (days - days.astype("datetime64[Y]").astype("datetime64[D]")).astype(float)
        return np.asarray(2 * np.pi * into / 365.25)

    def month_angle(self) -> Floats:
        """Where in its month each day lies, in radians."""
        start = np.datetime64(self.monday, "D")
        days = start + np.arange(len(self)).astype("timedelta64[D]")
        month = days.astype("datetime64[M]")
        length = ((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(float)
        return np.asarray(2 * np.pi * (days - month.astype("datetime64[D]")).astype(float) / length)

    def near(self, days: int) -> Floats:
        """1.0 where the day `days` later is a holiday and the day itself is none (before: 1, after: -1)."""
        is_holiday = self.holiday != NO_HOLIDAY
        moved = np.zeros(len(self), dtype=bool)
        if days > 0:
            moved[:-days] = is_holiday[days:]
        else:
            moved[-days:] = is_holiday[:days]
        return np.asarray((moved & ~is_holiday).astype(np.float64))


@lru_cache(maxsize=64)
def holidays_of(country: str, subdivision: str | None, first: int, last: int) -> tuple[tuple[date, str], ...]:
    """Public holidays of the years first to last, observed days included, in order of date.

    Raises:
        BadInput: no such country or subdivision is known.
    """
    try:
        found = public_holidays.country_holidays(country, subdiv=subdivision, years=range(first, last + 1))
    except (NotImplementedError, KeyError) as error:
        where = country if subdivision is None else f"{country}, {subdivision}"
        raise BadInput(f"no public holidays are known for {where}: use ISO codes such as US and NM") from error
    return tuple(sorted((day, plain(name)) for day, name in found.items()))


def plain(name: str) -> str:
    """The same name for a holiday and its observed day, so that years are comparable."""
    return name.split(";")[0].replace(" (observed)", "").strip()


def calendar_for(monday: date, n: int, known: Known) -> Calendar:
    """The calendar of `n` days from `monday` on."""
    last = monday + timedelta(days=n)
    marked = holidays_of(known.country, known.subdivision, monday.year, last.year) if known.country else ()
    names = ("", *sorted({name for _, name in marked}))
    number = {name: i for i, name in enumerate(names)}
    holiday = np.zeros(n, dtype=np.int64)
    for day, name in marked:
        if 0 <= (i := (day - monday).days) < n:
            holiday[i] = number[name]
    days = np.datetime64(monday, "D") + np.arange(n).astype("timedelta64[D]")
    text = np.datetime_as_string(days)
    ends = np.char.endswith(text[:, None], ["12-24", "12-26", "12-27", "12-28", "12-29", "12-30", "12-31", "01-02"])
    closed = np.isin(text, sorted(known.closed_days)) if known.closed_days else np.zeros(n, dtype=bool)
    uplift = np.zeros(n)
    for day_text, _, ratio in known.events:
        uplift[text == day_text] += np.log(max(ratio, 0.01))
    return Calendar(monday, holiday, names, ends.any(axis=1) & (holiday == NO_HOLIDAY), closed, uplift)
