"""Bluesky's answers: post views, records, feeds, threads and notifications. Pure.

API: https://docs.bsky.app/docs/api/app-bsky-feed-search-posts and the lexicon app.bsky.feed.defs#postView.
A post is known by its at:// uri; its `cid` is its version: it changes with every edit.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from collectors.answers.firehose import Change, Malformed, changes
from collectors.pages import Page, Unreadable, needed, optional, readable
from collectors.recordings import Exchange
from collectors.text import aware, tidy
from core.errors import SourceChanged
from core.mention import Deletion, Kind, Media, Mention, Person
from net.fetch import json_of
from net.platforms.bluesky import error_name, error_of

PLATFORM = "bluesky"
POST = "app.bsky.feed.post"
REPOST = "app.bsky.feed.repost"
_URI = re.compile(r"at://(did:[a-z0-9]+:[A-Za-z0-9._:%-]+)/([A-Za-z0-9.-]+)/([A-Za-z0-9._:~-]+)")
# What else is answered, told by a field of its own: sessions, profiles, lists of them, the answer to a write.
_OTHERS = ("accessJwt", "did", "handle", "follows", "followers", "likes", "profiles", "commit", "feeds")


def posts_of(source: str, data: Any, now: datetime) -> Page:
    """A page of searchPosts or getPosts.

    Raises:
        SourceChanged: it is none, or none of its posts can be read.
    """
    if not isinstance(data, dict) or not isinstance(data.get("posts"), list):
        raise SourceChanged(source, "an answer with posts was expected: the list is missing")
    page = _page(data["posts"], now)
    cursor, total = data.get("cursor"), data.get("hitsTotal")
    whole = Page(
        mentions=page.mentions,
        rejected=page.rejected,
        next=cursor if isinstance(cursor, str) and cursor else None,
        total=total if isinstance(total, int) and not isinstance(total, bool) and total >= 0 else None,
        listed=len(data["posts"]),
    )
    return readable(source, whole, "post")


def parse(data: Any, now: datetime) -> Page:
    """Whatever was answered: the posts in it.

    Raises:
        SourceChanged: it is nothing that is known, or no post in it can be read.
    """
    return readable(PLATFORM, _page(_items(data), now), "post")


def parse_exchange(exchange: Exchange, now: datetime) -> Page:
    """One recorded answer; posts that were asked for by name and are not in it are deletions."""
    if exchange.body.startswith(b'{"frame_b64"'):
        return _streamed(exchange.body, now)
    if deleted := _not_found(exchange):
        return Page(deletions=(Deletion(platform=PLATFORM, external_id=deleted),))
    if error := error_of(PLATFORM, exchange.status, exchange.headers, exchange.body, now):
        raise error
    data = json_of(PLATFORM, exchange.body)
    if exchange.path.endswith("/app.bsky.feed.getPosts"):
        return missing(posts_of(PLATFORM, data, now), exchange.asked("uris"))
    return parse(data, now)


def _streamed(body: bytes, now: datetime) -> Page:
    """Frames of the repository stream, one a line in base64, as we record them: the posts as they are in the end."""
    mentions: dict[str, Mention] = {}
    gone: dict[str, Deletion] = {}
    rejected: list[tuple[str, str]] = []
    for line in body.splitlines():
        for change in _changes(line):
            uri = f"at://{change.repo}/{change.path}"
            seen = {"indexedAt": change.time} if change.action == "create" else {}
            try:
                if change.action == "delete":
                    gone[uri] = Deletion(platform=PLATFORM, external_id=uri)
                else:
                    mentions[uri] = _post({"uri": uri, "cid": change.cid, "record": change.record, **seen}, now)
            except Unreadable as error:
                rejected.append((uri, str(error)))
    listed = len(mentions) + len(gone)
    page = Page(
        mentions=tuple(mentions.values()), deletions=tuple(gone.values()), rejected=tuple(rejected), listed=listed
    )
    return readable(PLATFORM, page, "post")


def _changes(line: bytes) -> list[Change]:
    try:
        found = changes(base64.b64decode(json.loads(line)["frame_b64"]))
    except (Malformed, ValueError, TypeError, KeyError) as error:
        raise SourceChanged(PLATFORM, f"a frame of the stream cannot be read: {error}") from None
    return [change for change in found if change.path.startswith(f"{POST}/")]


def missing(page: Page, asked: list[str]) -> Page:
    """`page` with a deletion for each post that was asked for and is not there: that is all this API says of it."""
    there = {one.external_id for one in page.mentions} | {ident for ident, _ in page.rejected}
    lost = tuple(Deletion(platform=PLATFORM, external_id=uri) for uri in asked if uri not in there)
    return Page(mentions=page.mentions, deletions=lost, rejected=page.rejected, listed=page.listed)


def _not_found(exchange: Exchange) -> str | None:
    """The uri of a record that getRecord did not find."""
    if not exchange.path.endswith("/com.atproto.repo.getRecord") or error_name(exchange.body) != "RecordNotFound":
        return None
    parts = [exchange.asked(name) for name in ("repo", "collection", "rkey")]
    return "at://" + "/".join(part[0] for part in parts) if all(parts) and parts[1] == [POST] else None


def _page(items: list[Any], now: datetime) -> Page:
    mentions: list[Mention] = []
    rejected: list[tuple[str, str]] = []
    for item in items:
        try:
            if not isinstance(item, dict):
                raise Unreadable(f"a post is {type(item).__name__}, not an object")
            mentions.append(_repost(item, now) if _is_repost(item) else _post(item, now))
        except Unreadable as error:
            uri = item.get("uri") if isinstance(item, dict) else None
            rejected.append((uri if isinstance(uri, str) else "", str(error)))
    return Page(mentions=tuple(mentions), rejected=tuple(rejected), listed=len(items))


def _items(data: Any) -> list[Any]:
    """The posts and reposts in an answer of any kind."""
    if not isinstance(data, dict):
        raise SourceChanged(PLATFORM, f"an answer is an object, not {type(data).__name__}")
    if isinstance(data.get("posts"), list):
        return list(data["posts"])
    if isinstance(data.get("feed"), list):
        return [item for one in data["feed"] for item in _of_feed(one)]
    if isinstance(data.get("thread"), dict):
        return list(_of_thread(data["thread"]))
    if isinstance(data.get("notifications"), list):
        return [one for one in data["notifications"] if _type(one) in (POST, REPOST)]
    if "uri" in data and ("value" in data or "record" in data):
        return [data] if _type(data) in (POST, REPOST) else []
    if any(name in data for name in _OTHERS):
        return []
    raise SourceChanged(PLATFORM, f"an answer with {', '.join(sorted(map(str, data))[:5]) or 'nothing'} is not known")


def _of_feed(item: Any) -> Iterator[Any]:
    """A feed's entry: the post, and the repost that brought it there."""
    if not isinstance(item, dict) or not isinstance(item.get("post"), dict):
        yield item
        return
    yield item["post"]
    reason = item.get("reason")
    if isinstance(reason, dict) and isinstance(reason.get("uri"), str):
        subject = {"$type": REPOST, "subject": {"uri": item["post"].get("uri")}}
        yield {**reason, "author": reason.get("by"), "record": subject}


def _of_thread(node: Any) -> Iterator[Any]:
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if not isinstance(one, dict):
            continue
        if isinstance(one.get("post"), dict):
            yield one["post"]
        waiting.append(one.get("parent"))
        waiting.extend(one["replies"] if isinstance(one.get("replies"), list) else ())


def _record(item: Mapping[str, Any]) -> Mapping[str, Any]:
    return needed(item, "record" if "record" in item else "value", dict)


def _type(item: Any) -> str:
    record = (item.get("record") or item.get("value")) if isinstance(item, dict) else None
    return str(record.get("$type", "")) if isinstance(record, dict) else ""


def _is_repost(item: Mapping[str, Any]) -> bool:
    return _type(item) == REPOST


def _post(item: Mapping[str, Any], now: datetime) -> Mention:
    """One post.

    Raises:
        Unreadable: a field we need is missing or of another type.
    """
    did, rkey, uri = _named(item)
    record = _record(item)
    reply = optional(record, "reply", dict, {})
    posted_at = aware(optional(item, "indexedAt", str)) or aware(needed(record, "createdAt", str))
    if posted_at is None:
        raise Unreadable("neither indexedAt nor createdAt is a time")
    languages = [one for one in optional(record, "langs", list, []) if isinstance(one, str)]
    return Mention(
        platform=PLATFORM,
        external_id=uri,
        version=needed(item, "cid", str),
        kind=Kind.REPLY if reply else Kind.POST,
        text=tidy(_with_links(needed(record, "text", str), optional(record, "facets", list, []))),
        posted_at=posted_at,
        seen_at=now,
        url=f"https://bsky.app/profile/{did}/post/{rkey}",
        parent=_linked(reply, "parent"),
        root=_linked(reply, "root"),
        author=_author(item, did),
        language=languages[0] if languages else None,
        media=_media(optional(item, "embed", dict, {})),
    )


def _repost(item: Mapping[str, Any], now: datetime) -> Mention:
    did, _, uri = _named(item)
    subject = needed(needed(_record(item), "subject", dict), "uri", str)
    return Mention(
        platform=PLATFORM,
        external_id=uri,
        version=optional(item, "cid", str) or uri,
        kind=Kind.POST,
        text="",
        posted_at=aware(optional(item, "indexedAt", str)) or aware(optional(_record(item), "createdAt", str)),
        seen_at=now,
        author=_author(item, did),
        repost_of=subject,
    )


def _named(item: Mapping[str, Any]) -> tuple[str, str, str]:
    uri = needed(item, "uri", str)
    if not (found := _URI.fullmatch(uri)):
        raise Unreadable("uri is not an at:// address")
    return found[1], found[3], uri


def _author(item: Mapping[str, Any], did: str) -> Person:
    handle = optional(optional(item, "author", dict, {}), "handle", str, "")
    return Person(id=did, handle="" if handle == "handle.invalid" else handle)


def _linked(reply: Mapping[str, Any], name: str) -> str | None:
    return optional(optional(reply, name, dict, {}), "uri", str)


def _with_links(text: str, facets: list[Any]) -> str:
    """The text with whole addresses: the app shortens them, and keeps the address beside, counted in bytes."""
    data = text.encode("utf-8", "surrogatepass")
    for start, end, uri in sorted(_links(facets), reverse=True):
        shown = data[start:end].decode("utf-8", "replace")
        if not 0 <= start < end <= len(data) or shown == uri or "\ufffd" in shown:
            continue
        stem = re.sub(r"^https?://", "", uri)
        short = stem.startswith(re.sub(r"(\.\.\.|…)$", "", shown))
        data = data[:start] + (uri if short else f"{shown} ({uri})").encode("utf-8", "replace") + data[end:]
    return data.decode("utf-8", "replace")


def _links(facets: list[Any]) -> Iterator[tuple[int, int, str]]:
    for facet in facets[:100]:
        index = optional(facet, "index", dict, {}) if isinstance(facet, dict) else {}
        start, end = optional(index, "byteStart", int), optional(index, "byteEnd", int)
        features = optional(facet, "features", list, []) if isinstance(facet, dict) else []
        for feature in features[:1]:
            uri = feature.get("uri") if isinstance(feature, dict) else None
            if start is not None and end is not None and isinstance(uri, str) and _is_link(uri):
                yield start, end, uri


def _is_link(uri: str) -> bool:
    try:
        return urlsplit(uri).scheme in ("http", "https") and len(uri) <= 2000
    except ValueError:
        return False


def _media(embed: Mapping[str, Any]) -> tuple[Media, ...]:
    """Pictures and films of a post view: their addresses, and the words that stand for them."""
    inner = optional(embed, "media", dict, dict(embed))  # a quote with pictures has them one level down
    images = [one for one in optional(inner, "images", list, []) if isinstance(one, dict)]
    if isinstance(inner.get("thumbnail"), str) or isinstance(inner.get("playlist"), str):
        images.append(inner)
    found: list[Media] = []
    for image in images:
        address = next((image[name] for name in ("fullsize", "playlist", "thumb", "thumbnail") if image.get(name)), "")
        if isinstance(address, str) and address:
            found.append(Media(url=address, alt=tidy(optional(image, "alt", str, ""))))
    return tuple(found)
