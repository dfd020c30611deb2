"""What the sample server knows, what it is asked and what it says back. No sockets here."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from core.protocols import Clock
from sample.world import World

WINDOW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked. Names of headers are lower case."""

    method: str
    path: str
    query: Mapping[str, list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def first(self, name: str) -> str | None:
        """The first value of a query parameter; None if it is missing or empty."""
        values = self.query.get(name) or [""]
        return values[0] or None

    def number(self, name: str, default: int, most: int) -> int:
        """A query parameter as a number in 1..most."""
        value = self.first(name) or ""
        return max(1, min(int(value), most)) if value.isascii() and value.isdecimal() and len(value) < 9 else default


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is said back."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What goes wrong on purpose.

    Attributes:
        withhold: so many posts are counted by Bluesky's search, but not shown until they are released.
        limit: requests in five minutes for each platform; None: as generous as the real one.
    """

    withhold: int = 0
    limit: int | None = None


class Limits:
    """Counts requests in windows of five minutes, for each name on its own."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: dict[str, tuple[datetime, int]] = {}
        self._lock = threading.Lock()

    def take(self, name: str, limit: int) -> tuple[int, datetime]:
        """Count one request; how many are left (-1: it was one too many) and when the window ends."""
        now = self._clock()
        with self._lock:
            began, count = self._counts.get(name, (now, 0))
            if now - began >= WINDOW:
                began, count = now, 0
            self._counts[name] = (began, count + 1)
        return max(limit - count - 1, -1), began + WINDOW

    def left(self, name: str, limit: int) -> tuple[int, datetime]:
        """As take, without counting."""
        began, count = self._counts.get(name, (self._clock(), 0))
        return limit - count, began + WINDOW

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._counts.clear()


class Site:
    """What the sample server knows.

    Attributes:
        base: its own address, e.g. "http://127.0.0.1:8710"; ids of posts hold it.
        withheld: ids of Bluesky posts that are not shown.
    """

    def __init__(self, world: World, clock: Clock, base: str, faults: Faults | None = None) -> None:
        self.world, self.clock, self.base = world, clock, base
        self.faults = faults or Faults()
        self.limits = Limits(clock)
        self.sessions: set[str] = set()
        self.withheld = _withheld(world, clock(), self.faults.withhold)


def _withheld(world: World, now: datetime, count: int) -> frozenset[str]:
    """`count` posts of the last two days, spread evenly."""
    if count <= 0:
        return frozenset()
    recent = [said.id for said in world.newest("bluesky", now, now - timedelta(days=2))]
    step = max(len(recent) // count, 1)
    return frozenset(recent[step // 2 :: step][:count])


def answer_json(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """`data` as JSON."""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(status=status, body=body, headers=headers or {})


def text(status: int, words: str) -> Answer:
    """Plain words."""
    return Answer(status=status, body=words.encode(), content_type="text/plain; charset=utf-8")


def html(status: int, head: str, body: str) -> Answer:
    """A page."""
    page = f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">{head}</head>\n<body>{body}</body></html>\n'
    return Answer(status=status, body=page.encode(), content_type="text/html; charset=utf-8")


def stamp(moment: datetime) -> str:
    """A moment as both platforms write it, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
