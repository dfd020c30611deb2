"""JSON Feed, and the JSON lists of WordPress, to entries."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

from collectors.feeds.entries import MOST_ENTRIES, Entry, Feed, NotAFeed, epoch, plain, words
from collectors.text import plain_text

_TEXTS = ("content_html", "content_text", "summary")


def json_feed(body: bytes) -> Feed:
    """The entries of a JSON Feed, or of what WordPress lists as posts or comments.

    Raises:
        NotAFeed: other JSON, or none.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotAFeed(f"it begins like JSON but is none: {str(error)[:80]}") from None
    if isinstance(found, list) and all(isinstance(item, dict) and "date_gmt" in item for item in found):
        return _listed(found[:MOST_ENTRIES])
    items = found.get("items") if isinstance(found, dict) else None
    if not isinstance(items, list) or "jsonfeed.org" not in str(found.get("version")):
        raise NotAFeed("JSON, but neither a JSON Feed nor a WordPress list")
    entries = [_json_entry(item, found) for item in items[:MOST_ENTRIES] if isinstance(item, dict)]
    home = words(found.get("home_page_url")) or words(found.get("feed_url"))
    return Feed(id=home, next=words(found.get("next_url")), generator="", entries=entries, rejected=[])


def _listed(found: list[dict[str, Any]]) -> Feed:
    read = [_wordpress(item) for item in found]
    entries = [entry for entry in read if entry["id"] or entry["url"]]
    why = ["neither guid nor link is text"] * (len(read) - len(entries))
    return Feed(id="", next="", generator="", entries=entries, rejected=why)


def _json_entry(item: Mapping[str, Any], feed: Mapping[str, Any]) -> Entry:
    people = item.get("authors")
    author = plain(people[0] if isinstance(people, list) and people else item.get("author"))
    name = plain_text(words(author.get("name")))
    raw = item.get("id")
    files = item.get("attachments")
    links = [plain(one) for one in files] if isinstance(files, list) else []
    return Entry(
        id=str(raw) if isinstance(raw, int | float) else words(raw),
        url=words(item.get("url")) or words(item.get("external_url")),
        title=plain_text(words(item.get("title"))),
        text=plain_text(
            words(item.get("content_html")) or words(item.get("content_text")) or words(item.get("summary"))
        ),
        author=name,
        author_id=words(author.get("url")) or name,
        published=epoch(item.get("date_published")),
        updated=epoch(item.get("date_modified")),
        parent="",
        language=words(item.get("language")) or words(feed.get("language")),
        point=None,
        media=[(url, plain_text(words(one.get("title")))) for one in links if (url := words(one.get("url")))],
    )


def _wordpress(item: Mapping[str, Any]) -> Entry:
    """A post or comment of the REST API, named as the same site's feeds name it."""
    url = words(item.get("link"))
    post, is_comment = item.get("post"), "post" in item
    guid = urljoin(url, f"/?p={post}#comment-{item.get('id')}") if is_comment else ""
    answered = item.get("parent") if is_comment else None
    name = plain_text(words(item.get("author_name")))
    return Entry(
        id=guid or words(plain(item.get("guid")).get("rendered")),
        url=url,
        title=plain_text(words(plain(item.get("title")).get("rendered"))),
        text=plain_text(words(plain(item.get("content")).get("rendered"))),
        author=name,
        author_id=name,
        published=epoch(item.get("date_gmt")),
        updated=epoch(item.get("modified_gmt")),
        parent=urljoin(url, f"/?p={post}#comment-{answered}") if answered else "",
        language="",
        point=None,
        media=[],
    )
