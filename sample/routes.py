"""Which part of the sample server answers what: Mastodon, Bluesky, a newspaper's feeds, pages of reviews.

An answer is a function of the request, the world and the clock, but for what the limits have counted.
"""

from collections.abc import Callable

from sample import bluesky, city, feeds, mastodon, reviews
from sample.site import Answer, Request, Site, answer_json, html, text


def answer(site: Site, request: Request) -> Answer:
    """The answer to any request; never raises for what a client may send."""
    for prefix, route in _ROUTES:
        if request.path.startswith(prefix):
            return route(site, request)
    return _home(site, request) if request.path == "/" else text(404, f"Nothing is here. {city.NOTICE}")


def control(site: Site, request: Request) -> Answer:
    """The operator's switches: POST /_control/release shows what was withheld, /_control/reset clears the limits."""
    if request.method != "POST":
        return text(405, "POST only")
    if request.path == "/_control/release":
        released, site.withheld = len(site.withheld), frozenset()
        return answer_json({"released": released})
    if request.path == "/_control/reset":
        site.limits.clear()
        return answer_json({"reset": True})
    return text(404, "release or reset")


def _home(site: Site, request: Request) -> Answer:
    links = ["/feed.xml", "/feed.atom", f"/api/v1/timelines/tag/{city.TAG}"]
    links += [f"/reviews/{slug}" for slug, _, _ in city.REVIEWED]
    items = "".join(f'<li><a href="{link}">{link}</a></li>' for link in links)
    return html(200, f"<title>{city.NAME}</title>", f"<h1>{city.NAME}</h1><p>{city.NOTICE}</p><ul>{items}</ul>")


_ROUTES: tuple[tuple[str, Callable[[Site, Request], Answer]], ...] = (
    ("/api/v1/timelines/tag/", mastodon.timeline),
    ("/api/v1/statuses", mastodon.status),
    ("/api/v2/instance", mastodon.instance),
    ("/xrpc/", bluesky.xrpc),
    ("/feed", feeds.feed),
    ("/news/", feeds.article),
    ("/reviews/", reviews.page),
    ("/robots.txt", reviews.robots),
    ("/_control/", control),
)
