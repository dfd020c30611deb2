"""A web page, or bare JSON-LD, to its reviews: JSON-LD and microdata. Pure."""

import json
import re
from collections.abc import Iterator
from typing import Any, TypedDict
from urllib.parse import urldefrag, urljoin, urlsplit

import lxml.etree  # type: ignore[import-untyped]  # lxml ships no types
import lxml.html  # type: ignore[import-untyped]

from collectors.schema_org.reviews import Review, one_word, reviews_of

MOST_BYTES = 5 * 1024 * 1024


class ReviewsPage(TypedDict):
    """A page: its reviews in its order, where the next page is ("" for none), and whether it asks not to be read."""

    reviews: list[Review]
    next: str
    noindex: bool


class NotAPage(ValueError):
    """Neither a web page nor JSON-LD. Its text says why."""


def read(body: bytes, url: str, content_type: str = "") -> ReviewsPage:
    """The reviews of a page, or of bare JSON-LD.

    Raises:
        NotAPage: it is empty, too large, or no page.
    """
    if len(body) > MOST_BYTES:
        raise NotAPage(f"{len(body):,} bytes are more than the {MOST_BYTES:,} that are read of a page")
    if not body.strip():
        raise NotAPage("the answer is empty")
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in b"{[":
        return ReviewsPage(reviews=reviews_of([_json(body)], url, ""), next="", noindex=False)
    tree = _tree(body, content_type)
    language = one_word(tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang"))
    base = urljoin(url, next(iter(tree.xpath("//base/@href")), ""))
    found = [*_json_blocks(tree), *_microdata(tree, base)]
    return ReviewsPage(reviews=reviews_of(found, url, language), next=_next(tree, base), noindex=_noindex(tree))


def _tree(body: bytes, content_type: str) -> Any:
    charset = re.search(r"charset=[\"']?([\w-]+)", content_type, re.IGNORECASE)
    for encoding in (charset[1] if charset else None, None, "utf-8"):
        try:
            parser = lxml.html.HTMLParser(encoding=encoding, huge_tree=False, no_network=True)
            tree = lxml.html.document_fromstring(body, parser=parser)
            return tree.getroottree().getroot()
        except (LookupError, ValueError, lxml.etree.LxmlError):
            continue
    raise NotAPage("not readable as a web page")


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotAPage(f"it begins like JSON but is none: {str(error)[:80]}") from None


def _json_blocks(tree: Any) -> Iterator[Any]:
    """Each block on its own: one that is broken does not take the others with it."""
    for script in tree.xpath('//script[@type="application/ld+json"]'):
        text = script.text or ""
        try:
            yield json.loads(text, strict=False)
        except (ValueError, RecursionError):
            yield from _patient(text)


def _patient(text: str) -> list[Any]:
    """What extruct makes of a block with comments or stray marks in it."""
    from extruct.jsonld import JsonLdExtractor  # loads much: only where a page is read

    script = lxml.html.Element("script", type="application/ld+json")
    try:
        script.text = text
        return list(JsonLdExtractor().extract_items(script))
    except (ValueError, RecursionError, AttributeError, TypeError):
        return []


def _microdata(tree: Any, base: str) -> list[Any]:
    from extruct.w3cmicrodata import MicrodataExtractor

    try:
        return list(MicrodataExtractor().extract_items(tree, base))
    except (ValueError, TypeError, AttributeError, RecursionError, lxml.etree.LxmlError):
        return []


def _next(tree: Any, base: str) -> str:
    """The next page, if it is on the same site."""
    for link in tree.xpath("//link[@rel and @href] | //a[@rel and @href]"):
        if "next" in link.get("rel").casefold().split():
            try:
                address = urldefrag(urljoin(base, link.get("href").strip()))[0]
                same = urlsplit(address).hostname == urlsplit(base).hostname
            except ValueError:
                continue
            return address if same and address != base else ""
    return ""


def _noindex(tree: Any) -> bool:
    names = ("robots", "openear")
    metas = [m.get("content", "") for m in tree.xpath("//meta[@name]") if m.get("name").casefold() in names]
    return any(word in ("noindex", "none") for content in metas for word in re.split(r"[\s,]+", content.casefold()))
