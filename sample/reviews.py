"""Pages of reviews with schema.org markup: two places write JSON-LD, two write microdata; and their robots.txt."""

import json
from collections.abc import Sequence
from datetime import UTC
from itertools import islice
from xml.sax.saxutils import escape, quoteattr

from sample import city
from sample.mentions import Said
from sample.site import Answer, Request, Site, html, text

PLATFORM = "reviews"
PAGE = 10
PAGES = 3  # a place shows its newest reviews; older ones come with the history
ROBOTS = "User-agent: *\nAllow: /reviews/\nAllow: /news/\nDisallow: /private/\nDisallow: /_control/\n"


def robots(site: Site, request: Request) -> Answer:
    """GET /robots.txt."""
    return text(200, ROBOTS)


def page(site: Site, request: Request) -> Answer:
    """GET /reviews/:place?page=2."""
    slug = request.path.removeprefix("/reviews/")
    place = next((one for one in city.REVIEWED if one[0] == slug), None)
    number = request.number("page", 1, 10_000)
    if place is None or number > PAGES:
        return html(404, "<title>Not here</title>", f"<p>No such page. {city.NOTICE}</p>")
    reviews = (said for said in site.world.newest(PLATFORM, site.clock()) if said.place == slug)
    found = list(islice(reviews, (number - 1) * PAGE, number * PAGE + 1))
    here = f"{site.base}/reviews/{slug}"
    older = f"{here}?page={number + 1}" if len(found) > PAGE and number < PAGES else ""
    return _page(here, place, found[:PAGE], older)


def address(base: str, said: Said) -> str:
    """A review's own address."""
    return f"{base}/reviews/{said.place}#review-{said.id}"


def _page(here: str, place: tuple[str, str, str], found: Sequence[Said], older: str) -> Answer:
    _, name, markup = place
    head = f"<title>Reviews of {escape(name)}</title>"
    head += f'<link rel="next" href={quoteattr(older)}>' if older else ""
    if markup == "json-ld":
        head += _json_ld(here, name, found)
        body = "".join(_plain(said) for said in found)
    else:
        body = f'<div itemscope itemtype="https://schema.org/GovernmentOffice" itemid="{here}">'
        body += f'<h2 itemprop="name">{escape(name)}</h2>{"".join(_microdata(here, said) for said in found)}</div>'
    link = f'<p><a rel="next" href={quoteattr(older)}>Older reviews</a></p>' if older else ""
    return html(200, head, f"<h1>{escape(name)}</h1><p>{escape(city.NOTICE)}</p>{body}{link}")


def _json_ld(here: str, name: str, found: Sequence[Said]) -> str:
    reviews = [
        {
            "@type": "Review",
            "@id": f"{here}#review-{said.id}",
            "url": f"{here}#review-{said.id}",
            "author": {"@type": "Person", "name": said.author},
            "datePublished": said.at.astimezone(UTC).isoformat(),
            "inLanguage": said.language,
            **({"dateModified": said.edited_at.astimezone(UTC).isoformat()} if said.edited_at else {}),
            **({"name": said.title} if said.title else {}),
            "reviewRating": {"@type": "Rating", "ratingValue": str(said.stars), "bestRating": "5", "worstRating": "1"},
            "reviewBody": said.text,
        }
        for said in found
    ]
    graph = {
        "@context": "https://schema.org",
        "@type": "GovernmentOffice",
        "@id": here,
        "name": name,
        "review": reviews,
    }
    safe = json.dumps(graph, ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/ld+json">{safe}</script>'


def _plain(said: Said) -> str:
    title = f"<h3>{escape(said.title)}</h3>" if said.title else ""
    return f'<div id="review-{said.id}">{title}<p>{escape(said.text)}</p><p>{said.stars} of 5</p></div>\n'


def _microdata(here: str, said: Said) -> str:
    title = f'<h3 itemprop="name">{escape(said.title)}</h3>' if said.title else ""
    rating = (
        '<span itemprop="reviewRating" itemscope itemtype="https://schema.org/Rating">'
        f'<meta itemprop="worstRating" content="1"><b itemprop="ratingValue">{said.stars}</b> of '
        '<i itemprop="bestRating">5</i></span>'
    )
    author = (
        '<span itemprop="author" itemscope itemtype="https://schema.org/Person">'
        f'<span itemprop="name">{escape(said.author)}</span></span>'
    )
    when = said.at.astimezone(UTC).isoformat()
    edited = said.edited_at.astimezone(UTC).isoformat() if said.edited_at else ""
    modified = f'<meta itemprop="dateModified" content="{edited}">' if edited else ""
    return (
        f'<div itemprop="review" itemscope itemtype="https://schema.org/Review" id="review-{said.id}" '
        f'itemid="{here}#review-{said.id}">{title}<meta itemprop="inLanguage" content="{said.language}">'
        f'<link itemprop="url" href="{here}#review-{said.id}">'
        f'<time itemprop="datePublished" datetime="{when}">{when[:10]}</time>{modified} {author} {rating}'
        f'<p itemprop="reviewBody">{escape(said.text)}</p></div>\n'
    )
