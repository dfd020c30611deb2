"""An invented site with review pages, on this machine's own address, for the crawler that runs in its own process."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

#: Status, headers, body.
Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Written:
    """One review."""

    author: str
    day: str
    words: str
    stars: str = "5"


def page(reviews: list[Written], following: str = "", head: str = "") -> bytes:
    """A page with microdata, as shops write it."""
    parts = "".join(
        '<div itemprop="review" itemscope itemtype="https://schema.org/Review">'
        f'<span itemprop="author">{escape(one.author)}</span><meta itemprop="datePublished" content="{one.day}">'
        f'<p itemprop="reviewBody">{escape(one.words)}</p>'
        '<div itemprop="reviewRating" itemscope itemtype="https://schema.org/Rating">'
        f'<span itemprop="ratingValue">{one.stars}</span></div></div>'
        for one in reviews
    )
    link = f'<link rel="next" href="{following}">' if following else ""
    place = f'<body itemscope itemtype="https://schema.org/Place"><h1 itemprop="name">Pool</h1>{parts}</body>'
    return f'<!doctype html><html lang="en"><head>{head}{link}</head>{place}</html>'.encode()


@dataclass
class Site:
    """What the site answers; `asked` keeps (moment, path, user agent)."""

    reviews: list[Written] = field(default_factory=list)
    robots: Reply = (200, {}, b"User-agent: *\nDisallow: /private")
    page_size: int = 3
    override: Callable[[str], Reply | None] = lambda path: None
    asked: list[tuple[float, str, str]] = field(default_factory=list)
    address: str = ""

    @property
    def url(self) -> str:
        """The first page of the reviews."""
        return f"http://{self.address}/reviews"

    @property
    def pages(self) -> list[str]:
        """The paths asked for, robots.txt left out."""
        return [path for _, path, _ in self.asked if path != "/robots.txt"]

    def answer(self, path: str) -> Reply:
        """The reply to a GET."""
        if (reply := self.override(path)) is not None:
            return reply
        if path == "/robots.txt":
            return self.robots
        if not path.startswith("/reviews"):
            return 404, {}, b"nothing here"
        number = int(path.partition("page=")[2] or 1)
        shown = self.reviews[(number - 1) * self.page_size : number * self.page_size]
        more = len(self.reviews) > number * self.page_size
        return 200, {"content-type": "text/html"}, page(shown, f"/reviews?page={number + 1}" if more else "")


@contextmanager
def served(site: Site) -> Iterator[Site]:
    """The site, answering on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append((time.monotonic(), self.path, self.headers.get("user-agent", "")))
            status, headers, body = site.answer(self.path)
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.address = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
