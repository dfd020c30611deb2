"""Reads call counts: CSV or JSON from a file, a watched folder or a signed POST. Pure but for `read_calls`.

One row is one interval of one queue:

    start               2026-03-02 08:30 (local time), or with an offset, or 03/02/2026 8:30 AM; also ts, ds, date ...
    calls               how many came in; also offered, value, call_count ...
    queue, step         if the file holds several queues; step such as 30min, else it is read from the spacing
    answered, abandoned
    handle_time         mean seconds a call needed, or mm:ss
    recorded_at         when this was counted; the newest record of an interval counts, so that a file can correct

A row that cannot be used is named with its line and why; the others count.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from core.errors import BadInput
from core.series import Calls
from core.settings import duration
from forecast.calls_rows import Row, decoded, from_csv, from_json
from forecast.calls_times import LocalTimes, date_only, day_first

DAY, SHORTEST = timedelta(days=1), timedelta(minutes=5)
LARGEST_FILE = 256 * 2**20  # bytes
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d*)?")
_MINUTES = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):(\d{2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not taken: its line (of JSON: its number, from 1) and why."""

    line: int
    why: str


@dataclass(frozen=True, slots=True)
class CallsFile:
    """What was read, oldest first within a queue, and what was not."""

    calls: tuple[Calls, ...]
    rejected: tuple[Rejected, ...]


@dataclass(frozen=True, slots=True)
class _Read:
    """One row; `step` says whether the step in `calls` is known yet."""

    line: int
    calls: Calls
    step: bool
    date_only: bool


def read_calls(path: Path, queue: str, zone: ZoneInfo, now: datetime, step: timedelta | None = None) -> CallsFile:
    """Read a .csv, .tsv, .txt or .json file.

    Raises:
        BadInput: the file as a whole cannot be used.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise BadInput(f"{path.name}: larger than {LARGEST_FILE // 2**20} MiB; split it by year")
        return parse_calls(path.read_bytes(), path.suffix.lower() == ".json", queue, zone, now, step)
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})") from error
    except BadInput as error:
        raise BadInput(f"{path.name}: {error}") from error


def parse_calls(
    content: bytes, as_json: bool, queue: str, zone: ZoneInfo, now: datetime, step: timedelta | None = None
) -> CallsFile:
    """Read the bytes of a file or of a request body.

    Args:
        content: CSV or JSON text, UTF-8 (or UTF-16 with its mark).
        as_json: a list of objects, or {"queue": ..., "step": ..., "calls": [objects]}; else CSV.
        queue: of the rows that name none.
        zone: of the times that name no offset.
        now: nothing can have been counted later.
        step: of the rows that name none; None: read from the spacing of each queue.

    Raises:
        BadInput: it is no such text, or has no start or calls.
    """
    text = decoded(content)
    if not as_json:
        return parse_rows(from_csv(text), queue, zone, now, step)
    rows, named = from_json(text)
    try:
        step = _step(named.get("step")) or step
    except ValueError as error:
        raise BadInput(str(error)) from error
    return parse_rows(rows, str(named.get("queue", queue)), zone, now, step)


def parse_rows(
    rows: Iterable[Row], queue: str, zone: ZoneInfo, now: datetime, step: timedelta | None = None
) -> CallsFile:
    """Turn rows into calls; times without an offset are local to `zone`."""
    rows, rejected = list(rows), []
    read: dict[str, list[_Read]] = defaultdict(list)
    local = LocalTimes(zone, any(day_first(row.get("start")) for _, row in rows))
    for line, row in rows:
        try:
            calls, known = _calls(row, queue, local, now, step)
            read[calls.queue].append(_Read(line, calls, known, date_only(row["start"])))
        except ValueError as error:
            rejected.append(Rejected(line, str(error)))
    found: list[Calls] = []
    for name in sorted(read):
        found.extend(_fitted(read[name], zone, rejected))
    return CallsFile(tuple(found), tuple(sorted(rejected, key=lambda one: one.line)))


def _calls(
    row: Mapping[str, Any], queue: str, local: LocalTimes, now: datetime, step: timedelta | None
) -> tuple[Calls, bool]:
    """One row, with whether its step is known; raises ValueError."""
    name = " ".join(str(row.get("queue") or queue).split())
    if not name or len(name) > 80 or not name.isprintable():
        raise ValueError("queue: a name of at most 80 printable characters is needed")
    start = local.read("start", row.get("start") or "", name)
    if start > now:
        raise ValueError(f"start {row['start']!r} lies in the future")
    given = row.get("recorded_at")
    recorded = now if _empty(given) else LocalTimes(local.zone).read("recorded_at", given)
    if recorded > now + SHORTEST:
        raise ValueError(f"recorded_at {given!r} lies in the future")
    own_step = _step(row.get("step")) or step
    offered = _number(row, "calls")
    if offered is None:
        raise ValueError("calls: no number given; leave the row out if they were not counted")
    calls = Calls(
        queue=name,
        start=start,
        step=own_step or DAY,
        offered=offered,
        recorded_at=recorded,
        answered=_number(row, "answered"),
        abandoned=_number(row, "abandoned"),
        handle_time=_number(row, "handle_time"),
    )
    return calls, own_step is not None


def _number(row: Mapping[str, Any], name: str) -> float | None:
    """A number, or None if the cell is empty; raises ValueError."""
    value = row.get(name)
    if _empty(value):
        return None
    text = str(value).strip()
    if name == "handle_time" and (found := _MINUTES.fullmatch(text)):
        return 3600.0 * int(found[1] or 0) + 60.0 * int(found[2]) + int(found[3])
    try:
        number = float(text.replace(",", "") if _THOUSANDS.fullmatch(text) else text)
    except ValueError:
        number = math.nan
    if isinstance(value, bool) or not 0 <= number < 1e7:
        raise ValueError(f"{name} {text[:40]!r} is no number of 0 or more")
    return number


def _step(value: Any) -> timedelta | None:
    """A step such as "30min" or 30 (minutes), None if the cell is empty; raises ValueError."""
    if _empty(value):
        return None
    text = str(value).strip()
    step = duration(f"{text}min" if text.isdigit() else text) if len(text) <= 12 else None
    if not isinstance(step, timedelta) or not SHORTEST <= step <= DAY:
        raise ValueError(f"step {text[:20]!r}: write it like 30min, between 5min and 1d")
    return step


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _fitted(read: Sequence[_Read], zone: ZoneInfo, rejected: list[Rejected]) -> Iterator[Calls]:
    """The calls of one queue, each with its step, none over another, oldest first."""
    kept = _last_words(_stepped(read, rejected), rejected)
    before: Calls | None = None
    for line, calls in sorted(kept, key=lambda one: (one[1].start, one[1].recorded_at)):
        if before is not None and calls.start != before.start and _overlap(before, calls, zone):
            rejected.append(Rejected(line, f"begins before the {before.step} of the row before it are over"))
            continue
        before = calls
        yield calls


def _stepped(read: Sequence[_Read], rejected: list[Rejected]) -> Iterator[tuple[int, Calls]]:
    spacing = DAY if all(row.date_only for row in read) else _spacing([row.calls.start for row in read])
    for row in read:
        if row.step:
            yield row.line, row.calls
        elif spacing is not None:
            yield row.line, replace(row.calls, step=spacing)
        else:
            rejected.append(Rejected(row.line, "step: it cannot be read from so few rows; name it, such as 30min"))


def _last_words(rows: Iterable[tuple[int, Calls]], rejected: list[Rejected]) -> list[tuple[int, Calls]]:
    """Of two rows about one interval, counted at one moment, the later line."""
    kept: dict[tuple[datetime, datetime], tuple[int, Calls]] = {}
    for line, calls in rows:
        earlier = kept.get((calls.start, calls.recorded_at))
        if earlier is not None and earlier[1] != calls:
            rejected.append(Rejected(earlier[0], f"line {line} says otherwise about the same interval, and counts"))
        kept[calls.start, calls.recorded_at] = (line, calls)
    return list(kept.values())


def _overlap(before: Calls, after: Calls, zone: ZoneInfo) -> bool:
    if before.step >= DAY:  # a day has 23 hours where the clocks change
        return before.start.astimezone(zone).date() == after.start.astimezone(zone).date()
    return after.start < before.start + before.step


def _spacing(starts: Sequence[datetime]) -> timedelta | None:
    """The most common time between two rows, up to a day; None if no two are so near."""
    ordered = sorted(set(starts))
    gaps = Counter(b - a for a, b in pairwise(ordered) if SHORTEST <= b - a <= DAY + timedelta(hours=1))
    if not gaps:
        return None
    most = min(gaps, key=lambda gap: (-gaps[gap], gap))
    return DAY if most >= DAY - timedelta(hours=1) else most
