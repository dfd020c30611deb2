"""The Harbor Lantern, an invented paper: RSS 2.0 and Atom with validators, pages of older items, a page an article."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from itertools import islice
from xml.sax.saxutils import escape, quoteattr

from sample import city
from sample.mentions import Said
from sample.site import Answer, Request, Site, html, stamp, text

PLATFORM = "feed"
PAGE = 10
PAPER = "The Harbor Lantern"


def feed(site: Site, request: Request) -> Answer:
    """GET /feed.xml (RSS) and /feed.atom; ?paged=2 and on for older items; 304 if nothing changed."""
    if request.path not in ("/feed.xml", "/feed.atom"):
        return text(404, "feed.xml or feed.atom")
    now, number = site.clock(), request.number("paged", 1, 10_000)
    found = list(islice(site.world.newest(PLATFORM, now), (number - 1) * PAGE, number * PAGE + 1))
    page, more = found[:PAGE], len(found) > PAGE
    next_page = f"{site.base}{request.path}?paged={number + 1}" if more else ""
    write = _rss if request.path == "/feed.xml" else _atom
    body = write(site, page, next_page).encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    changed = max((said.edited_at or said.at for said in page), default=now - timedelta(days=1))
    headers = {"etag": etag, "last-modified": format_datetime(changed.astimezone(UTC), usegmt=True)}
    kind = "application/rss+xml" if write is _rss else "application/atom+xml"
    kind = f"{kind}; charset=UTF-8"
    if _unchanged(request, etag, changed):
        return Answer(status=304, content_type=kind, headers=headers)
    return Answer(status=200 if page else 404, body=body, content_type=kind, headers=headers)


def _unchanged(request: Request, etag: str, changed: datetime) -> bool:
    """If-None-Match counts, and If-Modified-Since only without it (RFC 9110): an item may also vanish."""
    if (known := request.headers.get("if-none-match")) is not None:
        return etag in known
    try:
        since = parsedate_to_datetime(request.headers.get("if-modified-since", ""))
    except ValueError:
        return False
    return since.tzinfo is not None and changed.replace(microsecond=0) <= since


def address(base: str, said: Said) -> str:
    """Where an article stands, which is also its id."""
    return f"{base}/news/{said.id}"


def paragraphs(said: Said) -> str:
    """An article's HTML."""
    return f"<p>{escape(said.text)}</p>"


def _rss(site: Site, page: Sequence[Said], next_page: str) -> str:
    items = "".join(
        f"<item><title>{escape(said.title)}</title><link>{address(site.base, said)}</link>"
        f'<guid isPermaLink="true">{address(site.base, said)}</guid><dc:creator>{escape(said.author)}</dc:creator>'
        f"<pubDate>{format_datetime(said.at.astimezone(UTC))}</pubDate>"
        f"<description>{escape(said.text[:140])}</description>"
        f"<content:encoded>{escape(paragraphs(said))}</content:encoded></item>\n"
        for said in page
    )
    older = f'<atom:link rel="next" href={quoteattr(next_page)} />' if next_page else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/">'
        f"<channel><title>{PAPER}</title><link>{site.base}/</link><language>en</language>"
        f"<description>{escape(city.NOTICE)}</description>{older}\n{items}</channel></rss>\n"
    )


def _atom(site: Site, page: Sequence[Said], next_page: str) -> str:
    entries = "".join(
        f'<entry><title>{escape(said.title)}</title><link rel="alternate" href="{address(site.base, said)}" />'
        f"<id>{address(site.base, said)}</id><author><name>{escape(said.author)}</name></author>"
        f"<published>{stamp(said.at)}</published><updated>{stamp(said.edited_at or said.at)}</updated>"
        f'<content type="html">{escape(paragraphs(said))}</content></entry>\n'
        for said in page
    )
    older = f'<link rel="next" href={quoteattr(next_page)} />' if next_page else ""
    updated = stamp(max((said.edited_at or said.at for said in page), default=site.clock()))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">'
        f'<title>{PAPER}</title><id>{site.base}/feed.atom</id><link rel="alternate" href="{site.base}/" />'
        f"<subtitle>{escape(city.NOTICE)}</subtitle><updated>{updated}</updated>{older}\n{entries}</feed>\n"
    )


def article(site: Site, request: Request) -> Answer:
    """GET /news/:id; 404 once it was taken back."""
    said = site.world.find(PLATFORM, request.path.removeprefix("/news/"), site.clock())
    if said is None:
        return html(404, "<title>Not here</title>", f"<h1>Not here</h1><p>{city.NOTICE}</p>")
    heading = f"<h1>{escape(said.title)}</h1>"
    return html(200, f"<title>{escape(said.title)}</title>", f"{heading}{paragraphs(said)}<p>{city.NOTICE}</p>")
