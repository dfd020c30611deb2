"""A mention: one thing that one resident said in public about the agency."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What the source calls it, in our own words."""

    POST = "post"
    REPLY = "reply"
    REVIEW = "review"
    ARTICLE = "article"
    REQUEST = "request"
    MESSAGE = "message"


class Visibility(StrEnum):
    """Who may read it at the source. Nothing but public and unlisted is shown across cases."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    PRIVATE = "private"


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A picture or film, never stored itself: its link and the words the author gave it."""

    url: str
    alt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Where it happened, if the source says so. Degrees, WGS 84."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Person:
    """Who wrote, as the source names them. Lives between parse and store; never stored, never printed."""

    id: str
    handle: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who wrote, as we may remember them.

    Attributes:
        pseudonym: HMAC-SHA256 of platform and person under the key of `epoch`, hex.
        epoch: name of that key; two epochs cannot be joined once a key is destroyed.
        sealed_handle: the encrypted handle, erasable on its own; b"" if none is kept.
    """

    pseudonym: str
    epoch: str
    sealed_handle: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """One post, review, comment or request. (platform, external_id) is unique whichever source saw it.

    There is deliberately no follower count, verified mark or reach: every resident is equal.

    Attributes:
        platform: where it was said, e.g. "mastodon"; not the name of the source that saw it.
        external_id: the platform's own global id.
        version: changes when the text changes (an edit time, a cid, a hash); never compared for order.
        text: plain text, never HTML. A title comes first, then a blank line.
        posted_at: aware, UTC; None if the source does not say.
        parent: external_id of what it answers; `root` of the thread's first post.
        author: a Person out of parse(), an Author once protected; storage refuses a Person.
        own: the agency wrote it: kept for threading, never counted, never a case.
        repost_of: external_id of the original; a repost is a counter on it.
        stars: 1..5 where it is a review.
        language: what the source claims, BCP 47; our own reading is in Scores.
    """

    platform: str
    external_id: str
    version: str
    kind: Kind
    text: str
    seen_at: datetime
    visibility: Visibility = Visibility.PUBLIC
    posted_at: datetime | None = None
    edited_at: datetime | None = None
    url: str = ""
    parent: str | None = None
    root: str | None = None
    author: Person | Author | None = None
    own: bool = False
    repost_of: str | None = None
    stars: float | None = None
    language: str | None = None
    point: Point | None = None
    media: tuple[Media, ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError for what no mention may be."""
        if not self.platform or not self.external_id:
            raise ValueError("a mention needs a platform and an external id")
        for name in ("posted_at", "seen_at", "edited_at"):
            moment = getattr(self, name)
            if moment is not None and moment.tzinfo is None:
                raise ValueError(f"{name} must be an aware time, got {moment.isoformat()}")
        if self.stars is not None and not 1 <= self.stars <= 5:
            raise ValueError(f"stars must lie in 1..5, got {self.stars}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """A mention is gone at its source: its text goes, a tombstone stays."""

    platform: str
    external_id: str
    reason: str = "deleted"
