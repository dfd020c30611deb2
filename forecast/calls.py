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

import csv
import io
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from core.errors import BadInput
from core.series import Calls
from core.settings import duration

DAY, SHORTEST = timedelta(days=1), timedelta(minutes=5)
LARGEST_FILE = 256 * 2**20  # bytes
#: Our name for a column, and what others call it.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "start": ("start", "ts", "ds", "timestamp", "datetime", "date", "time", "interval", "interval_start", "start_time"),
    "calls": ("calls", "offered", "value", "call_count", "calls_offered", "volume", "count"),
    "queue": ("queue", "series", "skill"),
    "step": ("step", "interval_length"),
    "answered": ("answered", "handled", "calls_answered", "calls_handled"),
    "abandoned": ("abandoned", "calls_abandoned"),
    "handle_time": ("handle_time", "aht", "average_handle_time", "avg_handle_time"),
    "recorded_at": ("recorded_at",),
}
_OURS = {theirs: ours for ours, names in COLUMNS.items() for theirs in names}
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(.*)", re.DOTALL)
_CLOCK_TIME = re.compile(r"\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([AaPp][Mm])?")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d*)?")
_MINUTES = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{2})")

Row = tuple[int, Mapping[str, Any]]  # line, named as in COLUMNS


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


def read_calls(path: Path, queue: str, zone: ZoneInfo, now: datetime, step: timedelta | None = None) -> CallsFile:
    """Read a .csv, .tsv, .txt or .json file.

    Raises:
        BadInput: the file as a whole cannot be used.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise BadInput(f"{path.name}: larger than {LARGEST_FILE // 2**20} MiB; split it by year")
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})") from error
    try:
        return parse_calls(content, path.suffix.lower() == ".json", queue, zone, now, step)
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
    text = _decoded(content)
    if not as_json:
        return parse_rows(_from_csv(text), queue, zone, now, step)
    rows, named = _from_json(text)
    return parse_rows(rows, str(named.get("queue", queue)), zone, now, _step(named.get("step")) or step)


def parse_rows(
    rows: Iterable[Row], queue: str, zone: ZoneInfo, now: datetime, step: timedelta | None = None
) -> CallsFile:
    """Turn rows into calls; times without an offset are local to `zone`."""
    rows, rejected = list(rows), []
    read: dict[str, list[tuple[int, Calls, bool]]] = defaultdict(list)  # queue -> line, calls, has a step of its own
    local = _LocalTimes(zone, day_first=any(_day_first(row.get("start")) for _, row in rows))
    for line, row in rows:
        try:
            calls, own_step = _calls(row, queue, local, now, step)
            read[calls.queue].append((line, calls, own_step))
        except ValueError as error:
            rejected.append(Rejected(line, str(error)))
    found: list[Calls] = []
    for name in sorted(read):
        found.extend(_fitted(read[name], zone, rejected))
    return CallsFile(tuple(found), tuple(sorted(rejected, key=lambda one: one.line)))


class _LocalTimes:
    """Reads times. The hour that comes twice in autumn is told apart by its second coming in the file."""

    def __init__(self, zone: ZoneInfo, day_first: bool) -> None:
        self.zone, self._day_first = zone, day_first
        self._seen: set[tuple[str, datetime]] = set()

    def read(self, value: Any, queue: str) -> datetime:
        """The moment in UTC; raises ValueError."""
        local = self._parsed(str(value).strip())
        if local.tzinfo is not None:
            return local.astimezone(UTC)
        first = local.replace(tzinfo=self.zone)
        if first.astimezone(UTC).astimezone(self.zone).replace(tzinfo=None) != local:
            raise ValueError(f"start {value!r}: the clocks jumped over this time in {self.zone.key}")
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
                raise ValueError(f"start {text[:40]!r} is no time; write it like 2026-03-02 08:30") from None
        if self._day_first:
            raise ValueError("start: day and month cannot be told apart in this file; write them like 2026-03-31")
        month, day, year = (int(part) for part in slashed.groups()[:3])
        return datetime(year, month, day, *_hour(slashed[4]))  # noqa: DTZ001 - local, its zone comes next


def _hour(text: str) -> tuple[int, int, int]:
    if not text.strip():
        return 0, 0, 0
    found = _CLOCK_TIME.fullmatch(text.rstrip())
    if found is None:
        raise ValueError(f"start: {text.strip()[:20]!r} is no time of day; write it like 08:30")
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if found[4]:
        if not 1 <= hour <= 12:
            raise ValueError(f"start: {text.strip()!r} is no time of day")
        hour = hour % 12 + (12 if found[4].lower() == "pm" else 0)
    return hour, minute, second


def _day_first(value: Any) -> bool:
    found = _SLASHED.fullmatch(str(value).strip())
    return found is not None and int(found[1]) > 12


def _calls(
    row: Mapping[str, Any], queue: str, local: _LocalTimes, now: datetime, step: timedelta | None
) -> tuple[Calls, bool]:
    """One row, with whether its step is known; raises ValueError."""
    name = " ".join(str(row.get("queue") or queue).split())
    if not name or len(name) > 80 or not name.isprintable():
        raise ValueError("queue: a name of at most 80 printable characters is needed")
    start = local.read(row.get("start", ""), name)
    if start > now:
        raise ValueError(f"start {row['start']!r} lies in the future")
    recorded = now if _empty(row.get("recorded_at")) else _LocalTimes(local.zone, False).read(row["recorded_at"], "")
    if recorded > now + timedelta(minutes=5):
        raise ValueError(f"recorded_at {row['recorded_at']!r} lies in the future")
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
    """A step such as "30min" or 30 (minutes); raises ValueError."""
    if _empty(value):
        return None
    text = str(value).strip()
    step = duration(f"{text}min" if text.isdigit() else text)
    if not isinstance(step, timedelta) or not SHORTEST <= step <= DAY:
        raise ValueError(f"step {text[:20]!r}: write it like 30min, between 5min and 1d")
    return step


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _fitted(read: Sequence[tuple[int, Calls, bool]], zone: ZoneInfo, rejected: list[Rejected]) -> Iterator[Calls]:
    """The calls of one queue, with steps and without rows that lie over each other, oldest first."""
    step = _spacing([calls.start for _, calls, _ in read], zone)
    kept: dict[tuple[datetime, datetime], tuple[int, Calls]] = {}  # (start, recorded_at): the later line counts
    for line, calls, own_step in read:
        if not own_step and step is None:
            rejected.append(Rejected(line, "step: it cannot be read from one row alone; name it, such as 30min"))
            continue
        calls = calls if own_step or step is None else replace(calls, step=step)
        earlier = kept.get((calls.start, calls.recorded_at))
        if earlier is not None and earlier[1] != calls:
            rejected.append(Rejected(earlier[0], f"line {line} says otherwise about the same interval, and counts"))
        kept[calls.start, calls.recorded_at] = (line, calls)
    before: Calls | None = None
    for line, calls in sorted(kept.values(), key=lambda one: (one[1].start, one[1].recorded_at)):
        if before is not None and calls.start != before.start and _overlap(before, calls, zone):
            rejected.append(Rejected(line, f"begins before the {before.step} of the row before it are over"))
            continue
        before = calls
        yield calls


def _overlap(before: Calls, after: Calls, zone: ZoneInfo) -> bool:
    if before.step >= DAY:  # a day has 23 hours where the clocks change
        return before.start.astimezone(zone).date() == after.start.astimezone(zone).date()
    return after.start < before.start + before.step


def _spacing(starts: Sequence[datetime], zone: ZoneInfo) -> timedelta | None:
    """The most common time between two rows; a day if all start at midnight."""
    ordered = sorted(set(starts))
    if all(start.astimezone(zone).time() == datetime.min.time() for start in ordered):
        return DAY
    gaps = Counter(b - a for a, b in zip(ordered, ordered[1:], strict=False) if SHORTEST <= b - a < DAY)
    return min(gaps, key=lambda gap: (-gaps[gap], gap), default=None)


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput("it is not UTF-8 text; save it as CSV UTF-8") from error


def _from_csv(text: str) -> Iterator[Row]:
    head = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count), strict=True)
    try:
        names = _named(next(reader, []))
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, dict(zip(names, cells, strict=False))
    except csv.Error as error:
        raise BadInput(f"line {reader.line_num}: not readable as CSV ({error})") from error


def _from_json(text: str) -> tuple[list[Row], dict[str, Any]]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"not readable as JSON ({error})") from error
    named = {name: body[name] for name in ("queue", "step") if name in body} if isinstance(body, dict) else {}
    items = body.get("calls") if isinstance(body, dict) else body
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise BadInput('a list of objects is needed, or {"queue": ..., "step": ..., "calls": [...]}')
    rows = []
    for number, item in enumerate(items, 1):
        names = _named([str(name) for name in item])
        rows.append((number, dict(zip(names, item.values(), strict=True))))
    return rows, named


def _named(cells: Sequence[str]) -> list[str]:
    """Our names of the columns; of two that mean the same the first counts."""
    names: list[str] = []
    for cell in cells:
        ours = _OURS.get(re.sub(r"[\s-]+", "_", cell.strip().lower()), cell)
        names.append(cell if ours in names else ours)
    for needed in ("start", "calls"):
        if needed not in names:
            raise BadInput(f"no column {needed} (or {', '.join(COLUMNS[needed][1:4])}) among: {', '.join(cells)[:200]}")
    return names
