"""The times in a call file: with an offset, or local; the hour that comes twice in autumn is told apart."""

import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(.*)", re.DOTALL | re.ASCII)
_HOUR = re.compile(r"\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([AaPp][Mm])?", re.ASCII)


class LocalTimes:
    """Reads the times of one file. Times without an offset are local.

    Where the clocks go back, a local time comes twice; its second coming within a queue, in the order of the file,
    is the later moment.
    """

    def __init__(self, zone: ZoneInfo, day_first: bool = False) -> None:
        self.zone, self._day_first = zone, day_first
        self._seen: set[tuple[str, datetime]] = set()

    def read(self, column: str, value: Any, queue: str = "") -> datetime:
        """The moment in UTC.

        Raises:
            ValueError: says what is wrong with the column's value.
        """
        text = str(value).strip()
        try:
            local = self._parsed(text)
        except ValueError as error:
            raise ValueError(f"{column} {text[:40]!r}: {error}") from None
        if not 1970 < local.year < 2200:
            raise ValueError(f"{column} {text[:40]!r}: the year cannot be right")
        if local.tzinfo is not None:
            return local.astimezone(UTC)
        first = local.replace(tzinfo=self.zone)
        if first.astimezone(UTC).astimezone(self.zone).replace(tzinfo=None) != local:
            raise ValueError(f"{column} {text!r}: the clocks jumped over this time in {self.zone.key}")
        second = first.replace(fold=1)
        twice = first.utcoffset() != second.utcoffset() and (queue, local) in self._seen
        self._seen.add((queue, local))
        return (second if twice else first).astimezone(UTC)

    def _parsed(self, text: str) -> datetime:
        slashed = _SLASHED.fullmatch(text)
        if slashed is None:
            try:
                return datetime.fromisoformat(text)
            except ValueError:
                raise ValueError("this is no time; write it like 2026-03-02 08:30") from None
        if self._day_first:
            raise ValueError("day and month cannot be told apart in this file; write them like 2026-03-31")
        month, day, year = (int(part) for part in slashed.groups()[:3])
        return datetime(year, month, day, *_hour(slashed[4]))  # noqa: DTZ001 - local; its zone comes next


def day_first(value: Any) -> bool:
    """True for 31/03/2026, which cannot be month/day/year."""
    found = _SLASHED.fullmatch(str(value).strip())
    return found is not None and int(found[1]) > 12


def date_only(value: Any) -> bool:
    """True if no time of day is written."""
    return ":" not in str(value) and len(str(value).strip()) <= 10


def _hour(text: str) -> tuple[int, int, int]:
    if not text.strip():
        return 0, 0, 0
    found = _HOUR.fullmatch(text.rstrip())
    hour = int(found[1]) if found else -1
    if found is None or (found[4] and not 1 <= hour <= 12):
        raise ValueError("this is no time of day; write it like 08:30")
    if found[4]:
        hour = hour % 12 + (12 if found[4].lower() == "pm" else 0)
    return hour, int(found[2]), int(found[3] or 0)
