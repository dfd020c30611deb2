"""Walks review pages from each start along rel="next" and prints what it reads as JSON lines."""

import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import scrapy
from scrapy.http import Request, Response
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.internet.error import DNSLookupError
from twisted.python.failure import Failure

from collectors.schema_org.page import NotAPage, read
from collectors.spiders.guard import Refused

Event = dict[str, Any]
Tell = Callable[[Event], None]
_HEADERS = ("retry-after", "ratelimit", "ratelimit-reset", "x-ratelimit-reset")


def tell(event: Event) -> None:
    """One event to whoever started us."""
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


class ReviewsSpider(scrapy.Spider):
    """One run. Its plan is that of collectors.crawl."""

    name = "reviews"

    def __init__(self, plan: Event, tell: Tell = tell, **more: Any) -> None:
        super().__init__(**more)
        self.plan, self.tell = plan, tell
        self.left = int(plan["pages"])
        self.known = frozenset(plan["known"])

    async def start(self) -> AsyncIterator[Request]:
        """The first page of each list."""
        for start in self.plan["starts"]:
            if self.left > 0:
                self.left -= 1
                yield self._request(start["url"], start["key"])

    def _request(self, url: str, key: str) -> Request:
        return Request(url, callback=self.parse, errback=self.failed, dont_filter=True, cb_kwargs={"key": key})

    def parse(self, response: Response, key: str) -> Iterator[Request]:
        """Tell the reviews of a page; go on to the next one, unless all of them are known."""
        said = response.headers.get("content-type", b"") or b""
        try:
            page = read(response.body, response.url, said.decode("latin-1"))
        except NotAPage as why:
            self.tell({"failed": {"key": key, "kind": "unreadable", "why": str(why)}})
            return
        robots = (response.headers.get("x-robots-tag", b"") or b"").decode("latin-1").casefold()
        if page["noindex"] or "noindex" in robots:
            self.tell({"failed": {"key": key, "kind": "robots", "why": "the page asks not to be read (noindex)"}})
            return
        following = "" if self._ends(page["reviews"]) or page["next"] == response.url else page["next"]
        self.tell({"page": {"key": key, "url": response.url, "reviews": page["reviews"], "next": following}})
        if following and self.left > 0:
            self.left -= 1
            yield self._request(following, key)

    def _ends(self, reviews: list[Any]) -> bool:
        if not reviews or all(review["id"] in self.known for review in reviews):
            return True
        since = self.plan["since"]
        dates = [review["published"] for review in reviews]
        return since is not None and all(date is not None and date < since for date in dates)

    def closed(self, reason: str) -> None:
        """Tell that all went well: without this the parent knows that it did not."""
        self.tell({"done": reason})

    def failed(self, failure: Failure) -> None:
        """Tell why a page could not be had."""
        key, error = failure.request.cb_kwargs["key"], failure.value  # type: ignore[attr-defined]
        if isinstance(error, Refused):
            self.tell({"failed": {"key": key, "kind": error.kind, "why": error.why}})
        elif isinstance(error, HttpError):
            found = {name: error.response.headers.get(name) for name in _HEADERS}
            headers = {name: value.decode("latin-1") for name, value in found.items() if value}
            self.tell({"failed": {"key": key, "kind": "status", "status": error.response.status, "headers": headers}})
        else:
            why = "its host has no address that may be asked" if isinstance(error, DNSLookupError) else _said(error)
            self.tell({"failed": {"key": key, "kind": "down", "why": why}})


def _said(error: BaseException | None) -> str:
    return f"{type(error).__name__} {str(error)[:200]}".strip()
