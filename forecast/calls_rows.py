"""The text of a call file as rows: CSV or JSON, columns by our names."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.errors import BadInput

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

Row = tuple[int, Mapping[str, Any]]  # line (of JSON: number, from 1), cells by COLUMNS


def decoded(content: bytes) -> str:
    """The text of a file, UTF-8, or UTF-16 with its mark; raises BadInput."""
    try:
        return content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput("it is not UTF-8 text; save it as CSV UTF-8") from error


def from_csv(text: str) -> Iterator[Row]:
    """Rows of a table whose first line names its columns; cells end with comma, semicolon or tab."""
    head = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count), strict=True)
    try:
        cells = next(reader, [])
        names = _named(cells)
        for needed in ("start", "calls"):
            if needed not in names:
                others = ", ".join(COLUMNS[needed][1:4])
                raise BadInput(f"no column {needed} (or {others}) among: {', '.join(cells)[:200]}")
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, dict(zip(names, cells, strict=False))
    except csv.Error as error:
        raise BadInput(f"line {reader.line_num}: not readable as CSV ({error})") from error


def from_json(text: str) -> tuple[list[Row], dict[str, Any]]:
    """Rows, and the queue and step named for all of them."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"not readable as JSON ({error})") from error
    named = {name: body[name] for name in ("queue", "step") if name in body} if isinstance(body, dict) else {}
    items = body.get("calls") if isinstance(body, dict) else body
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise BadInput('a list of objects is needed, or {"queue": ..., "step": ..., "calls": [...]}')
    rows: list[Row] = [
        (number, dict(zip(_named(list(item)), item.values(), strict=True))) for number, item in enumerate(items, 1)
    ]
    return rows, named


def _named(cells: Sequence[str]) -> list[str]:
    """Our names of the columns; of two that mean the same the first counts."""
    names: list[str] = []
    for cell in cells:
        ours = _OURS.get(re.sub(r"[\s-]+", "_", cell.strip().lower()), cell)
        names.append(cell if ours in names else ours)
    return names
