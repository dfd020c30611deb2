"""Which column holds what, and one row to one mention. Pure."""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from collectors.text import aware, plain_text
from core.errors import BadInput
from core.mention import Kind, Mention, Person, Point

#: What we look for, and what its column is usually called.
GUESSES: dict[str, tuple[str, ...]] = {
    "text": ("text", "body", "description", "content", "message", "comment", "review", "full_text", "complaint"),
    "title": ("title", "subject", "headline"),
    "id": ("id", "external_id", "post_id", "tweet_id", "status_id", "comment_id", "review_id"),
    "time": ("created", "posted_at", "created_at", "date", "datetime", "timestamp", "ts", "time", "published"),
    "url": ("url", "link", "permalink"),
    "author": ("author", "user", "username", "screen_name"),
    "stars": ("stars", "rating"),
    "lang": ("lang", "language"),
    "lat": ("lat", "latitude"),
    "lon": ("lon", "lng", "long", "longitude"),
    "platform": ("platform",),
    "parent": ("parent", "parent_id", "in_reply_to", "in_reply_to_id", "in_reply_to_status_id"),
}
MOST_TEXT = 1_000_000
_NOTHING = frozenset(("", "nan", "nat", "none", "null", "n/a", "<na>"))
_DAMAGED = re.compile(r"\d(?:[.,]\d+)?E\+?\d{2,}", re.IGNORECASE)
_EXACT = 2**53  # a larger float has lost its last digits
_SHEET_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 (a spreadsheet's dates have no zone: the caller's is added)


class Rejected(Exception):
    """A row that is no mention; its text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the rows of one file are read."""

    columns: Mapping[str, str]
    platform: str
    zone: tzinfo
    now: datetime


def parse_map(text: str) -> dict[str, str]:
    """Read `--map text=Beschwerde,time=created`; `stars=` says that no column holds stars.

    Raises:
        BadInput: names the part that cannot be used.
    """
    mapping: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, equals, column = (piece.strip() for piece in part.partition("="))
        if not equals or name not in GUESSES:
            raise BadInput(f"--map {part!r}: write FIELD=COLUMN, where FIELD is one of {', '.join(GUESSES)}")
        mapping[name] = column
    return mapping


def columns_for(names: Sequence[str], mapping: Mapping[str, str], *, strict: bool = True) -> dict[str, str]:
    """Which of `names` holds what: as `mapping` says, the rest guessed.

    Raises:
        BadInput: if strict: a mapped column is not there, or none holds the text.
    """
    plain = {re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_"): name for name in reversed(names)}
    columns = {field: column for field, column in mapping.items() if column in names}
    for field, guesses in GUESSES.items():
        found = next((plain[guess] for guess in guesses if guess in plain), None)
        if field not in mapping and found is not None and found not in columns.values():
            columns[field] = found
    if strict:
        _check(names, mapping, columns)
    return columns


def _check(names: Sequence[str], mapping: Mapping[str, str], columns: Mapping[str, str]) -> None:
    there = ", ".join(map(repr, names)) or "none"
    for field, column in mapping.items():
        if column and column not in names:
            raise BadInput(f"--map {field}={column}: no such column; there are {there}")
    if not columns.keys() & {"text", "title"}:
        raise BadInput(f"no column is known to hold the text: name it with --map text=COLUMN; there are {there}")


def mention_of(row: Mapping[str, Any], reading: Reading) -> Mention:
    """One row as a mention.

    Raises:
        Rejected: says why it is none.
    """
    cell = {field: row.get(column) for field, column in reading.columns.items()}
    text = _text(cell)
    posted_at = _time(cell.get("time"), reading.zone)
    stars, parent, author = _stars(cell.get("stars")), _known(cell.get("parent")), _known(cell.get("author"))
    url = _known(cell.get("url")) or ""
    point = _point(cell.get("lat"), cell.get("lon"))
    known = (
        text,
        posted_at and posted_at.isoformat(),
        url,
        author,
        parent,
        point and (point.latitude, point.longitude),
    )
    return Mention(
        platform=_platform(cell.get("platform"), reading.platform),
        external_id=_id(cell.get("id")) or f"row:{_hash(repr(known), 32)}",
        version=_hash(text, 16),
        kind=Kind.REVIEW if stars else Kind.REPLY if parent else Kind.POST,
        text=text,
        seen_at=reading.now,
        posted_at=posted_at,
        url=url if url.startswith(("https://", "http://")) else "",
        parent=_id(cell.get("parent")),
        author=Person(id=author, handle=author) if author else None,
        stars=stars,
        language=_language(cell.get("lang")),
        point=point,
    )


def _hash(text: str, length: int) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:length]


def _text(cell: Mapping[str, Any]) -> str:
    parts = []
    for field in ("title", "text"):
        value = cell.get(field)
        if isinstance(value, list | dict | bytes):
            raise Rejected(f"{field} holds a {type(value).__name__}, not text")
        if value is not None and value == value and (words := plain_text(str(value))):
            parts.append(words)
    text = "\n\n".join(dict.fromkeys(parts))
    if not text:
        raise Rejected("no text")
    if len(text) > MOST_TEXT:
        raise Rejected(f"the text has {len(text):,} characters; at most {MOST_TEXT:,} are read")
    return text


def _known(value: object) -> str | None:
    """A value as text, or None for the many ways to say nothing."""
    if value is None or value != value or isinstance(value, list | dict):
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        value = int(value)
    text = plain_text(str(value))
    return None if text.casefold() in _NOTHING else text[:2000]


def _id(value: object) -> str | None:
    """An id, unless a spreadsheet rounded it: 5.7E+17 stands for many rows, so it names none."""
    if isinstance(value, float) and abs(value) >= _EXACT:
        return None
    text = _known(value)
    return None if text is None or _DAMAGED.fullmatch(text) else text


def _time(value: object, zone: tzinfo) -> datetime | None:
    if _known(value) is None:
        return None
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if 20_000 <= number <= 80_000:  # a spreadsheet's day number: 1954 to 2119
        return (_SHEET_ZERO + timedelta(days=number)).replace(tzinfo=zone).astimezone(UTC)
    moment = aware(value, zone)
    if moment is None or abs(number) < 5e8:
        raise Rejected(f"time {str(value)[:40]!r} cannot be read; write it like 2026-03-02T15:00:00-05:00")
    return moment


def _stars(value: object) -> float | None:
    text = _known(value)
    if text is None:
        return None
    if re.fullmatch("[★⭐☆️]+", text):
        text = str(text.count("★") + text.count("⭐"))
    number = re.fullmatch(r"(\d+(?:[.,]\d+)?)(?:\s*(?:/|of|out of)\s*5)?(?:\s*stars?)?", text.casefold())
    stars = float(number[1].replace(",", ".")) if number else math.nan
    if stars == 0:  # how many exports write "not rated"
        return None
    if not 1 <= stars <= 5:
        raise Rejected(f"stars {text[:40]!r} do not lie between 1 and 5; leave that column out with --map stars=")
    return stars


def _point(lat: object, lon: object) -> Point | None:
    try:
        latitude, longitude = float(str(lat)), float(str(lon))
    except ValueError:
        return None
    if not (abs(latitude) <= 90 and abs(longitude) <= 180) or latitude == longitude == 0:
        return None
    return Point(latitude=latitude, longitude=longitude)


def _language(value: object) -> str | None:
    text = _known(value)
    return text if text and re.fullmatch(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8}){0,3}", text) else None


def _platform(value: object, default: str) -> str:
    text = re.sub(r"[^a-z0-9]+", "_", (_known(value) or default).casefold()).strip("_")
    return text[:40] or "import"
