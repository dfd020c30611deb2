"""Entries to mentions. Pure."""

import hashlib
import json
import re
from datetime import UTC, datetime

from collectors.feeds.entries import Entry, Feed
from collectors.pages import Page
from core.mention import Kind, Media, Mention, Person, Point

_GLOBAL = re.compile(r"[a-z][a-z0-9+.-]*:\S", re.IGNORECASE)  # http:, tag:, urn:, yt: are said nowhere else


def page_of(feed: Feed, now: datetime, platform: str) -> Page:
    """The mentions of a feed. Every entry is one, if only a link: what is not seen cannot be judged."""
    mentions = tuple(_mention(entry, feed, now, platform) for entry in feed["entries"])
    rejected = tuple(("", why) for why in feed["rejected"])
    return Page(mentions=mentions, rejected=rejected, listed=len(mentions) + len(rejected))


def _mention(entry: Entry, feed: Feed, now: datetime, platform: str) -> Mention:
    ident = _identity(entry, feed)
    text, parent, root = _text(entry), entry["parent"] or None, None
    if "#comment-" in ident:
        root = ident.partition("#")[0]  # WordPress names a post so in its own feed
        parent = f"{root}#{parent.partition('#')[2]}" if parent else root
    posted_at, updated = _moment(entry["published"]), _moment(entry["updated"])
    posted_at = posted_at or updated
    return Mention(
        platform=platform,
        external_id=ident,
        version=hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16],
        kind=Kind.REPLY if parent else Kind.ARTICLE,
        text=text,
        seen_at=now,
        posted_at=posted_at,
        edited_at=updated if updated and posted_at and updated > posted_at else None,
        url=entry["url"] if entry["url"].startswith(("https://", "http://")) else "",
        parent=parent,
        root=root,
        author=Person(id=entry["author_id"], handle=entry["author"]) if entry["author_id"] else None,
        language=entry["language"] if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]+)*", entry["language"]) else None,
        point=Point(latitude=entry["point"][0], longitude=entry["point"][1]) if entry["point"] else None,
        media=tuple(Media(url=url, alt=alt) for url, alt in entry["media"][:8]),
    )


def _identity(entry: Entry, feed: Feed) -> str:
    """Guid or id, else link, else a hash of all that is said. A guid such as "123" is unique in its feed only."""
    if entry["id"]:
        return entry["id"] if _GLOBAL.match(entry["id"]) else f"{feed['id']}#{entry['id']}"
    if entry["url"]:
        return entry["url"]
    said = json.dumps([feed["id"], {name: value for name, value in entry.items() if name != "updated"}], sort_keys=True)
    return f"hash:{hashlib.sha256(said.encode()).hexdigest()[:32]}"


def _text(entry: Entry) -> str:
    title, text = entry["title"], entry["text"]
    if "#comment-" in (entry["id"] or entry["url"]):  # "By: Ana" is no title
        return re.sub(r"^In reply to .{1,200}\.\s*", "", text) if entry["parent"] else text
    if not title or text.startswith(title.rstrip(" .…")):
        return text or title
    return f"{title}\n\n{text}".strip()


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def short(one: Mention) -> str:
    """A mention's id, as short as a cursor needs it."""
    return hashlib.sha256(one.external_id.encode("utf-8", "replace")).hexdigest()[:10]
