"""Feed bytes to entries. Pure.

Also a program of its own, `python -m collectors.feeds.reader`: bytes in, JSON out, under limits of memory and time.
"""

import json
import re
import sys
from typing import Any, cast
from urllib.parse import urljoin

from collectors import child
from collectors.feeds.entries import MOST_ENTRIES, Feed, NotAFeed, WebPage
from collectors.feeds.lists import json_feed
from collectors.feeds.markup import refuse_entities, xml_feed
from collectors.text import plain_text

MOST_BYTES = 5 * 1024 * 1024
MEGABYTES, SECONDS = 600, 30


def read(body: bytes, url: str = "", content_type: str = "") -> Feed:
    """The entries of a feed, in its order.

    Raises:
        NotAFeed: a web page, an XML bomb, something larger than MOST_BYTES, or no feed at all.
    """
    if _is_json(body, url):
        return json_feed(body)
    refuse_entities(body)
    return xml_feed(body, url, content_type)


def _is_json(body: bytes, url: str = "") -> bool:
    """Whether it is to be read as JSON, and not as XML, after all that can be refused at a glance."""
    if len(body) > MOST_BYTES:
        raise NotAFeed(f"{len(body):,} bytes are more than the {MOST_BYTES:,} that are read of a feed")
    start = body[:2000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise NotAFeed("the answer is empty")
    if re.match(rb"(<!--.*?-->\s*)*<(!doctype\s+html|html)\b", start, re.IGNORECASE | re.DOTALL):
        raise _web_page(body, url)
    n_entries = body.count(b"<item") + body.count(b"<entry")
    if n_entries > 2 * MOST_ENTRIES:
        raise NotAFeed(f"about {n_entries:,} entries are more than the {MOST_ENTRIES:,} that are read of a feed")
    return start[:1] in b"{["


def _web_page(body: bytes, url: str) -> NotAFeed:
    text = body[:100_000].decode("utf-8", "replace")
    links = [tag for tag in re.findall(r"<link\s[^>]*>", text) if re.search(r"application/(rss|atom)\+xml", tag)]
    feeds = [urljoin(url, found[1]) for tag in links if (found := re.search(r"href=[\"']([^\"']*)", tag))]
    if feeds:
        return NotAFeed(f"a web page, not a feed; its feeds are {', '.join(feeds[:3])}")
    title = re.search(r"<title[^>]*>([^<]{1,80})", text, re.IGNORECASE)
    return WebPage(f"a web page ({plain_text(title[1]) if title else 'no title'}) instead of a feed")


def main() -> None:
    """Read a JSON line with url and content_type, then the body, from stdin; print the feed or the reason."""
    child.limit(megabytes=MEGABYTES, seconds=SECONDS)
    asked = json.loads(sys.stdin.buffer.readline())
    try:
        answer: dict[str, Any] = {"feed": read(sys.stdin.buffer.read(), asked["url"], asked["content_type"])}
    except NotAFeed as why:
        answer = {"refused": str(why)}
    except MemoryError:
        answer = {"refused": "it needs more memory than a feed may take"}
    sys.stdout.write(json.dumps(answer))


def read_apart(body: bytes, url: str, content_type: str, *, seconds: float = 10.0) -> Feed:
    """As read(), in a process of its own that is stopped after `seconds`.

    Raises:
        NotAFeed: as for read(), or it took too long or too much memory.
    """
    if _is_json(body, url):  # JSON cannot be blown up: it stays as large as it is
        return json_feed(body)
    asked = json.dumps({"url": url, "content_type": content_type}).encode()
    try:
        answer = json.loads(child.run("collectors.feeds.reader", asked + b"\n" + body, seconds=seconds))
    except child.ChildFailed as error:
        raise NotAFeed(str(error)) from None
    if "refused" in answer:
        raise NotAFeed(answer["refused"])
    return cast(Feed, answer["feed"])


if __name__ == "__main__":
    main()
