"""Reviews to mentions. Pure."""

import hashlib
from datetime import UTC, datetime

from collectors.schema_org.reviews import Review
from core.mention import Kind, Mention, Person


def mention_of(review: Review, now: datetime, platform: str) -> Mention:
    """One review as a mention. Its stars are part of its version."""
    said = f"{review['stars']} {review['text']}"
    url = review["url"]
    return Mention(
        platform=platform,
        external_id=review["id"],
        version=hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:16],
        kind=Kind.REVIEW,
        text=review["text"],
        seen_at=now,
        posted_at=_moment(review["published"]),
        edited_at=_moment(review["edited"]),
        url=url if url.startswith(("https://", "http://")) else "",
        author=Person(id=review["author"], handle=review["author"]) if review["author"] else None,
        stars=review["stars"],
        language=review["language"] or None,
    )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def day(one: Mention) -> int | None:
    """The day it was posted, counted from 1970; None if it is undated."""
    return None if one.posted_at is None else int(one.posted_at.timestamp() // 86400)
