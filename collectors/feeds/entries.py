"""What a feed is to us, whatever its dialect, and how to look at values that may be of any type."""

from typing import Any, TypedDict

from collectors.text import aware

MOST_ENTRIES = 10_000


class Entry(TypedDict):
    """One entry, all text plain; moments are epoch seconds."""

    id: str
    url: str
    title: str
    text: str
    author: str
    author_id: str
    published: float | None
    updated: float | None
    parent: str
    language: str
    point: tuple[float, float] | None
    media: list[tuple[str, str]]


class Feed(TypedDict):
    """A feed. `next` is where older entries are, if it says; `generator` is what made it.

    `rejected` says why entries could not be read.
    """

    id: str
    next: str
    generator: str
    entries: list[Entry]
    rejected: list[str]


class NotAFeed(ValueError):
    """The bytes are no feed, or none that is read. Its text says why."""


class WebPage(NotAFeed):
    """A page for people came instead, and it names no feed: maintenance, a log-in, a filter on the way."""


def plain(value: Any) -> dict[str, Any]:
    """Feedparser's dictionary as an ordinary one: its own invents values it does not hold."""
    return dict(dict.items(value)) if isinstance(value, dict) else {}


def words(value: Any) -> str:
    """`value` if it is text, else nothing."""
    return value.strip() if isinstance(value, str) else ""


def epoch(value: Any) -> float | None:
    """A written date as epoch seconds; None if it is none."""
    moment = aware(value) if isinstance(value, str | int | float) else None
    return moment.timestamp() if moment else None
