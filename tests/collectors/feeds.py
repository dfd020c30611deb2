"""Invented feeds, and a WordPress in one handler."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from html import escape

import httpx

SITE = "https://blog.example"
URL = f"{SITE}/?feed=rss2"


@dataclass
class Post:
    """What a resident or the city wrote."""

    number: int
    at: datetime
    text: str
    title: str = ""


def item(post: Post) -> str:
    guid = f"{SITE}/?p={post.number}"
    return (
        f"<item><title>{escape(post.title)}</title><link>{guid}</link><guid isPermaLink='false'>{guid}</guid>"
        f"<pubDate>{format_datetime(post.at)}</pubDate><description>{escape(post.text)}</description></item>"
    )


def rss(posts: Sequence[Post], generator: str = "https://wordpress.org/?v=6.1") -> bytes:
    made = f"<generator>{generator}</generator>" if generator else ""
    items = "".join(map(item, posts))
    return f"<?xml version='1.0'?><rss version='2.0'><channel><title>City</title>{made}{items}</channel></rss>".encode()


@dataclass
class Blog:
    """A blog that shows ten posts a page, newest first, with both validators; 404 for what is not there."""

    posts: list[Post] = field(default_factory=list)
    generator: str = "https://wordpress.org/?v=6.1"
    page_size: int = 10
    asked: list[httpx.Request] = field(default_factory=list)
    failing: int = 0  # status of the next answers to pages after the first

    def write(self, n: int, start: datetime, step: timedelta = timedelta(minutes=1)) -> None:
        """`n` more posts from `start` on."""
        for at in range(n):
            number = len(self.posts) + 1
            self.posts.append(Post(number, start + at * step, f"pothole number {number}"))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        asked = request.url.params
        if "feed" in asked:
            return self._feed(request, int(asked.get("paged", "1")))
        there = any(str(post.number) == asked.get("p") for post in self.posts)
        return httpx.Response(200 if there else 404, html="<html></html>")

    def _feed(self, request: httpx.Request, page: int) -> httpx.Response:
        if page > 1 and self.failing:
            return httpx.Response(self.failing)
        newest = sorted(self.posts, key=lambda post: post.at, reverse=True)
        shown = newest[(page - 1) * self.page_size : page * self.page_size]
        body = rss(shown, self.generator)
        if page > 1 and not shown:
            return httpx.Response(404, content=body)
        etag = f'"{hash(body)}"'
        if request.headers.get("if-none-match") == etag and request.headers.get("if-modified-since"):
            return httpx.Response(304)
        return httpx.Response(
            200, content=body, headers={"etag": etag, "last-modified": "Mon, 02 Mar 2026 10:00:00 GMT"}
        )
