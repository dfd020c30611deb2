"""RSS, Atom and RDF to entries."""

import re
import time
from calendar import timegm
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urljoin
from xml.parsers import expat
from xml.sax import SAXException

import feedparser

from collectors.feeds.entries import MOST_ENTRIES, Entry, Feed, NotAFeed, epoch, plain, words
from collectors.text import plain_text

_HARMLESS_ENTITY = 8  # characters; a longer one, or one that names another, can be blown up


def refuse_entities(body: bytes) -> None:
    """A DOCTYPE is harmless, as no outside file is ever read; so is a character's name. Anything else is a bomb."""
    inside = False

    def declared(name: str, parameter: bool, value: str | None, base: Any, system: str | None, *_: Any) -> None:
        if parameter and value is None:
            return  # names an outside file that nobody reads: old feeds name HTML's character table so
        if value is None or parameter or len(value) > _HARMLESS_ENTITY or "&" in value or "%" in value:
            raise NotAFeed(f"it declares the entity {name[:40]!r}: refused, as such can exhaust a reader or open files")

    def began(*_: Any) -> None:
        nonlocal inside
        inside = True
        parser.EntityDeclHandler = None

    parser = expat.ParserCreate()
    parser.EntityDeclHandler = declared
    parser.StartElementHandler = began
    try:
        parser.Parse(body)
    except expat.ExpatError:
        if not inside and b"<!ENTITY" in body:
            raise NotAFeed("it declares entities and is not well-formed") from None


def xml_feed(body: bytes, url: str, content_type: str) -> Feed:
    """The entries of a feed in XML, even if it is not quite well-formed.

    Raises:
        NotAFeed: it is no feed.
    """
    headers = {"content-location": url} if url else {}
    if "charset" in content_type.lower():
        headers["content-type"] = content_type
    try:
        found = feedparser.parse(body, response_headers=headers, sanitize_html=False, resolve_relative_uris=False)
        feed = plain(found.get("feed"))
        known = bool(found.get("version")) or bool(found.get("entries"))
        base = words(feed.get("link")) or url
        entries = [_xml_entry(entry, feed, base) for entry in found.get("entries", [])[:MOST_ENTRIES]]
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError, SAXException) as error:
        raise NotAFeed(f"not readable as a feed: {type(error).__name__}") from None
    if not known:
        raise NotAFeed("neither RSS nor Atom nor a JSON Feed")
    links = [link for link in feed.get("links", []) if isinstance(link, dict)]
    older = next((str(link.get("href", "")) for link in links if link.get("rel") == "next"), "")
    return Feed(
        id=base or words(feed.get("id")),
        next=urljoin(url, older) if older else "",
        generator=words(feed.get("generator")).casefold(),
        entries=entries,
        rejected=[],
    )


def _xml_entry(found: Any, feed: Mapping[str, Any], base: str) -> Entry:
    entry = plain(found)
    contents = [plain(part) for part in entry.get("content", [])] or [plain(entry.get("summary_detail"))]
    texts = [text for part in contents if (text := plain_text(words(part.get("value"))))]
    author = plain(entry.get("author_detail"))
    name = plain_text(words(author.get("name")) or words(entry.get("author")))[:200]
    reply = plain(entry.get("thr_in-reply-to"))
    html = " ".join(words(part.get("value")) for part in contents)
    return Entry(
        id=words(entry.get("id")),
        url=urljoin(base, link) if (link := words(entry.get("link"))) else "",
        title=plain_text(words(entry.get("title"))),
        text=texts[0] if texts else plain_text(words(entry.get("summary"))),
        author=name,
        author_id=words(author.get("href")) or name,
        published=_moment(entry, "published") or _moment(entry, "created"),
        updated=_moment(entry, "updated"),
        parent=words(reply.get("ref")) or _answered(html),
        language=words(contents[0].get("language")) or words(feed.get("language")),
        point=_point(plain(entry.get("where"))),
        media=list(_media(entry)),
    )


_IN_REPLY = re.compile(r"\s*(?:<p>)?\s*In reply to\s*<a\s[^>]*?href=\"([^\"#]*#comment-\d+)\"")


def _answered(html: str) -> str:
    """What a WordPress comment answers: it says so in its first words."""
    found = _IN_REPLY.match(html)
    return found[1] if found else ""


def _moment(entry: Mapping[str, Any], name: str) -> float | None:
    parsed = entry.get(f"{name}_parsed")
    if isinstance(parsed, time.struct_time):
        try:
            return float(timegm(parsed))
        except (ValueError, OverflowError):
            return None
    return epoch(entry.get(name))


def _point(where: Mapping[str, Any]) -> tuple[float, float] | None:
    """(latitude, longitude) of a point; a line or an area is not one."""
    if where.get("type") != "Point":
        return None
    try:
        longitude, latitude = map(float, where["coordinates"])
    except (TypeError, ValueError, KeyError):
        return None
    return (latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None


def _media(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    enclosures = [link for link in entry.get("links", []) if plain(link).get("rel") == "enclosure"]
    for found in (*enclosures, *entry.get("media_content", [])):
        item = plain(found)
        address = words(item.get("href")) or words(item.get("url"))
        if address.startswith(("https://", "http://")):
            yield address, plain_text(words(item.get("title")))
