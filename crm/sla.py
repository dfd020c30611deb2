"""Clocks: when an answer is due, counted in opening hours.

Pure. Opening hours are local wall time; every moment in and out is aware; answers are in UTC. A day of 24 opening
hours has 23 or 25 where the clocks change, because that is how long people worked.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays as public

from core.errors import SettingsError
from core.settings import Agency

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: From one moment up to, not including, another.
Span = tuple[datetime, datetime]
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
#: An answer that is not due within so many days shows hours that never open.
_FARTHEST = timedelta(days=3660)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Something the agency said. Automatic words are no first answer."""

    at: datetime
    automatic: bool = False


def due(
    opened_at: datetime,
    hours: Mapping[str, str],
    timezone: str,
    holidays: frozenset[date],
    allowance: timedelta,
    pauses: Sequence[Span] = (),
) -> datetime:
    """When `allowance` of opening hours will have passed since `opened_at`.

    Args:
        opened_at: when the case was opened, or opened again; of merged cases the earliest.
        hours: weekday ("mon" ...) to "08:00-18:00"; several with commas; "22:00-06:00" ends the next day;
            "00:00-24:00" is all day; a day left out is closed.
        timezone: IANA name.
        holidays: local dates on which nothing opens.
        allowance: opening time, not negative.
        pauses: when the clock stood, because the resident was asked something; one that still runs ends now.

    Raises:
        SettingsError: the hours cannot be read, or never open.
    """
    if allowance < timedelta():
        raise ValueError("an allowance is not negative")
    if allowance == timedelta():
        return opened_at.astimezone(UTC)
    left = allowance
    for start, end in _working(opened_at, opened_at + _FARTHEST, hours, timezone, holidays, pauses):
        if end - start >= left:
            return start + left
        left -= end - start
    raise SettingsError("agency.hours: the phones open too rarely for any answer to come due; name opening hours")


def business_seconds(
    start: datetime,
    end: datetime,
    hours: Mapping[str, str],
    timezone: str,
    holidays: frozenset[date],
    pauses: Sequence[Span] = (),
) -> float:
    """Seconds of opening time between two moments, pauses left out; negative if `end` is the earlier one."""
    if end < start:
        return -business_seconds(end, start, hours, timezone, holidays, pauses)
    spans = _working(start, end, hours, timezone, holidays, pauses)
    return sum(((b - a).total_seconds() for a, b in spans), 0.0)


def first_answer(answers: Iterable[Answer], since: datetime) -> datetime | None:
    """When a person first answered after `since` (the opening, or the reopening)."""
    return min((answer.at for answer in answers if not answer.automatic and answer.at >= since), default=None)


def public_holidays(agency: Agency, years: Iterable[int]) -> frozenset[date]:
    """The public holidays of where the agency is."""
    try:
        return frozenset(public.country_holidays(agency.country, subdiv=agency.subdivision, years=list(years)))
    except NotImplementedError as error:
        raise SettingsError(f"agency.country, agency.subdivision: no holidays are known for them ({error})") from error


def _working(
    start: datetime,
    end: datetime,
    hours: Mapping[str, str],
    timezone: str,
    holidays: frozenset[date],
    pauses: Sequence[Span],
) -> Iterator[Span]:
    """Spans within [start, end) in which the clock runs, in order, not touching, UTC."""
    start, end, zone = start.astimezone(UTC), end.astimezone(UTC), ZoneInfo(timezone)
    week = [_read(hours.get(day, ""), day) for day in WEEKDAYS]
    if not any(week):
        return
    stood = _merged(sorted((a.astimezone(UTC), b.astimezone(UTC)) for a, b in pauses if a < b))
    day, done = start.astimezone(zone).date() - timedelta(days=1), start
    while day <= end.astimezone(zone).date():
        for opens, closes in () if day in holidays else week[day.weekday()]:
            a, b = max(_moment(day, opens, zone), done), min(_moment(day, closes, zone), end)
            if a < b:
                yield from _without(a, b, stood)
                done = b
        day += timedelta(days=1)


def _read(text: str, day: str) -> list[tuple[int, int]]:
    """Opening and closing in minutes after midnight; past 1440 on the next day."""
    spans = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        found = _HOURS.fullmatch(part)
        if found is None:
            raise SettingsError(f"agency.hours.{day}: {part!r} is not readable; write it like '08:00-18:00'")
        a, b, c, d = map(int, found.groups())
        opens, closes = 60 * a + b, 60 * c + d
        if closes > 1440:
            raise SettingsError(f"agency.hours.{day}: {part!r} ends after 24:00")
        spans.append((opens, closes if closes > opens else closes + 1440))
    return sorted(spans)


def _moment(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    days, minutes = divmod(minutes, 1440)
    local = datetime.combine(day + timedelta(days=days), time(minutes // 60, minutes % 60), zone)
    return local.astimezone(UTC)


def _merged(spans: Iterable[Span]) -> list[Span]:
    """Overlapping spans made one; they come sorted by start."""
    found: list[Span] = []
    for start, end in spans:
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


def _without(start: datetime, end: datetime, stood: Sequence[Span]) -> Iterator[Span]:
    """What is left of [start, end) outside `stood`."""
    for a, b in stood:
        if b <= start or a >= end:
            continue
        if a > start:
            yield start, a
        start = b
        if start >= end:
            return
    yield start, end
