"""Described things to reviews. Pure.

One review is often described twice (in both ways, or in @graph and nested): it counts once.
Only what a Review itself says is read: a rating that stands outside of one is the item's average, or a shop's.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypedDict
from urllib.parse import urldefrag, urljoin, urlsplit

from collectors.text import aware, plain_text

MOST_REVIEWS = 2_000
MOST_DEPTH = 40
TYPES = frozenset(("review", "userreview", "criticreview", "employerreview", "recommendation"))


class Review(TypedDict):
    """One review, all text plain. `stars` lie in 1..5; moments are epoch seconds."""

    id: str
    url: str
    text: str
    author: str
    stars: float | None
    published: float | None
    edited: float | None
    language: str


def reviews_of(found: list[Any], url: str, language: str) -> list[Review]:
    """The reviews among described things, each once.

    Args:
        found: JSON-LD, or microdata as extruct gives it.
        url: the page's address.
        language: the page's, for reviews that name none.
    """
    nodes = [node for one in found for node in _nodes(one, 0)]
    named = {node["@id"]: node for node in nodes if isinstance(node.get("@id"), str) and len(node) > 1}
    read = [_review(node, named, url, language) for node in nodes if _types(node) & TYPES][:MOST_REVIEWS]
    texts: dict[str, set[str]] = {}
    for review in read:
        texts.setdefault(review["id"], set()).add(review["text"])
    reviews: dict[str, Review] = {}  # by what is said
    ids: set[str] = set()
    for review in read:
        said = _hash(review, url)
        if not review["id"] or len(texts[review["id"]]) > 1:
            review["id"] = said  # pages give one address to all their reviews: it names none
        if said not in reviews and review["id"] not in ids:
            reviews[said] = review
            ids.add(review["id"])
    return list(reviews.values())


def _nodes(value: Any, depth: int) -> Iterator[dict[str, Any]]:
    """Every described thing, outermost first: lists, @graph and nested ones alike; microdata as JSON-LD writes it."""
    if depth > MOST_DEPTH:
        return
    if isinstance(value, list):
        for part in value:
            yield from _nodes(part, depth + 1)
    elif isinstance(value, dict):
        yield _flat(value)
        for part in value.values():
            yield from _nodes(part, depth + 1)


def _flat(value: dict[str, Any]) -> dict[str, Any]:
    inside = value.get("properties")
    if not isinstance(inside, dict):
        return value
    return {"@type": value.get("type"), **({"@id": value["id"]} if "id" in value else {}), **inside}


def _types(node: Mapping[str, Any]) -> set[str]:
    said = node.get("@type")
    return {
        re.split(r"[/:#]", one)[-1].casefold()
        for one in (said if isinstance(said, list) else [said])
        if isinstance(one, str)
    }


def _review(node: dict[str, Any], named: Mapping[str, Any], url: str, language: str) -> Review:
    title = _words(node.get("name")) or _words(node.get("headline"))
    body = next((text for key in ("reviewBody", "description", "text") if (text := _words(node.get(key)))), "")
    address = _address(node.get("url"), url)
    ident = _address(node.get("@id"), url) or (address if address and address != urldefrag(url)[0] else "")
    return Review(
        id=ident,
        url=address or url,
        text=body if body.startswith(title) else f"{title}\n\n{body}".strip(),
        author=_person(_first(node.get("author") or node.get("creator")), named)[:200],
        stars=_stars(_first(node.get("reviewRating")), node),
        published=_moment(node, "datePublished") or _moment(node, "dateCreated"),
        edited=_moment(node, "dateModified"),
        language=one_word(_first(node.get("inLanguage"))) or language,
    )


def _address(value: Any, url: str) -> str:
    text = _first(value)
    if not isinstance(text, str) or not text.strip() or text.startswith("_:"):
        return ""
    try:
        address = urljoin(url, text.strip())
        return address if urlsplit(address).scheme in ("http", "https", "urn", "tag") else ""
    except ValueError:
        return ""


def _first(value: Any) -> Any:
    return next(iter(value), None) if isinstance(value, list) else value


def _words(value: Any) -> str:
    text = _first(value)
    if isinstance(text, dict):
        text = text.get("@value")
    return plain_text(text) if isinstance(text, str) else ""


def _person(value: Any, named: Mapping[str, Any]) -> str:
    if isinstance(value, dict):
        value = _flat(value)
        whole = named.get(value.get("@id", ""), value) if isinstance(value.get("@id"), str) else value
        return _words(whole.get("name"))
    return _words(value)


def _moment(node: Mapping[str, Any], name: str) -> float | None:
    value = _first(node.get(name))
    moment = aware(value) if isinstance(value, str | int | float) else None
    return moment.timestamp() if moment else None


def one_word(value: Any) -> str:
    """A language as a tag such as "es-MX"; "" if it is none."""
    if isinstance(value, dict):
        value = value.get("alternateName") or value.get("name")
    return value if isinstance(value, str) and re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]+)*", value) else ""


def _stars(rating: Any, node: Mapping[str, Any]) -> float | None:
    """The rating on a scale of 1..5; None if there is none, or its scale is unknown.

    A scale that ends at 5 is read as it is: pages say worstRating 0 and mean stars.
    """
    said = _flat(rating) if isinstance(rating, dict) else {"ratingValue": rating}
    text = str(_first(said.get("ratingValue")) if said.get("ratingValue") is not None else node.get("ratingValue", ""))
    found = re.fullmatch(r"\s*(\d{1,4}(?:[.,]\d{1,6})?)\s*(?:(%)|(?:/|of|out of|von|de)\s*(\d{1,4}))?\s*", text)
    if not found:
        return None
    value = float(found[1].replace(",", "."))
    best = 100.0 if found[2] else float(found[3] or 0) or _number(said.get("bestRating")) or 5.0
    worst = _number(said.get("worstRating"))
    worst = (0.0 if best > 10 else 1.0) if worst is None else worst
    if best == 5:
        return min(max(value, 1.0), 5.0) if value <= 5 else None
    if not worst <= value <= best or worst == best:
        return None
    return round(1 + 4 * (value - worst) / (best - worst), 2)


def _number(value: Any) -> float | None:
    try:
        number = float(str(_first(value)).replace(",", "."))
    except ValueError:
        return None
    return number if 0 <= number <= 1000 else None


def _hash(review: Review, url: str) -> str:
    """An id made of what is said: stable as the review moves from page to page."""
    day = "" if review["published"] is None else str(int(review["published"] // 86400))
    text = review["text"] or f"no words {review['stars']}"
    said = json.dumps([review["author"], day, " ".join(text.split())])
    return f"{urlsplit(url).hostname or 'page'}#review-{hashlib.sha256(said.encode()).hexdigest()[:32]}"
