"""One run over the pages of a feed, newest first."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import urljoin, urlsplit

import httpx

from collectors.feeds.cursor import Known
from collectors.feeds.entries import Feed, NotAFeed, WebPage
from collectors.feeds.mentions import page_of, short
from collectors.pages import Page, readable
from collectors.walk import Allowance, Lane, Trail
from core.batch import Batch, Missed
from core.errors import SourceChanged, SourceDown
from core.mention import Mention
from core.protocols import Clock
from net.fetch import Answer, fetch

ACCEPT = "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"
GONE = frozenset({404, 410})
MOST_IDS = 300  # kept in the cursor, of the newest and of the oldest
Reader = Callable[[bytes, str, str], Feed]


@dataclass(slots=True, kw_only=True)
class FeedRun:
    """One run. Give `page` to collectors.walk.walk and its batches to `honest`.

    Attributes:
        head: a back-fill brings its span alone; a head looks at known entries too, for edits.
        known: what the run before saw: read down to there.
        found: what the cursor becomes after the first answer.
        lost: older entries have left the window and cannot be asked for.
        paged: the feed shows older pages.
        seen: entries of all answers, shortened.
        open: the address that was read last, all its entries, and where older ones are.
    """

    client: httpx.Client
    url: str
    name: str
    platform: str
    clock: Clock
    read: Reader
    allowance: Allowance
    trail: Trail
    head: bool
    known: Known
    found: Known | None = None
    first: bool = True
    lost: bool = False
    paged: bool = False
    seen: set[str] = field(default_factory=set)
    open: tuple[str, Page, str | None] = ("", Page(), None)

    def cursor(self) -> str | None:
        """What the next Head starts from."""
        return self.found.cursor() if self.found else None

    def page(self, lane: Lane, most: int) -> Page:
        """The next entries of the feed, at most so many."""
        offset, _, address = (lane.at or f"0 {self.url}").partition(" ")
        if self.open[0] != address:
            self.open = (address, *self._fetch(address))
        _, whole, older = self.open
        part = whole.mentions[int(offset) : int(offset) + most]
        end = int(offset) + len(part)
        following = f"{end} {address}" if end < len(whole.mentions) else older and f"0 {older}"
        brought = part if self.head else tuple(one for one in part if not self._is_known(one))
        return replace(whole, mentions=brought, next=following, listed=len(part))

    def _fetch(self, address: str) -> tuple[Page, str | None]:
        self.allowance.ask()
        news_alone = self.head and self.first
        headers = {"accept": ACCEPT, **(self.known.validators() if news_alone else {})}
        allowed = frozenset[int]() if address == self.url else GONE
        answer = fetch(self.client, self.name, "GET", address, headers=headers, allowed=allowed)
        if answer.status == 304 and news_alone:
            self.first, self.found = False, replace(self.known, asked=self.trail.until)
            return Page(), None
        if answer.status in GONE:  # beyond the last page
            return Page(), None
        feed = feed_of(self.name, answer, self.read)
        page = readable(self.name, page_of(feed, self.clock(), self.platform), "entries")
        if self.first:
            self._begin(answer, page)
        older = self._older(feed, page, answer)
        self.seen.update(map(short, page.mentions))
        return page, older

    def _begin(self, answer: Answer, page: Page) -> None:
        self.first = False
        ids = [short(one) for one in page.mentions]
        self.found = Known(
            etag=answer.headers.get("etag", "")[:1000],
            modified=answer.headers.get("last-modified", "")[:100],
            asked=self.trail.until,
            oldest=min((one.posted_at for one in page.mentions if one.posted_at), default=None),
            ids=frozenset(ids[:MOST_IDS] + ids[-MOST_IDS:]),
        )

    def _older(self, feed: Feed, page: Page, answer: Answer) -> str | None:
        """Where older entries are that we want; None if there are none."""
        fresh = [one for one in page.mentions if short(one) not in self.seen]
        if not fresh or self._is_known(page.mentions[-1]):
            return None
        address = older_address(feed, answer)
        self.paged = self.paged or address is not None
        if address is None and (self.known.ids or (self.trail.since and not self.head)):
            self.lost = True
        return address

    def _is_known(self, one: Mention) -> bool:
        """Whether it was seen before, or is none of this run's business. Where it ends a page, so is all below it."""
        return short(one) in self.known.ids or self._before(one)

    def _before(self, one: Mention) -> bool:
        """Whether it was posted before all that the run before saw, or before the span."""
        bound = self.known.oldest if self.known.ids else self.trail.since
        return one.posted_at is not None and bound is not None and one.posted_at < bound

    def honest(self, batch: Batch) -> Batch:
        """The batch, its coverage saying no more than what is known."""
        coverage = batch.coverage
        if not coverage.complete:
            return batch
        oldest = self.found.oldest if self.found and self.head else None
        if self.lost:
            coverage = replace(coverage, complete=False, missed=None, reason=Missed.WINDOW)
        elif not self.known.ids and not self.paged and oldest and coverage.since and coverage.since < oldest:
            coverage = replace(coverage, since=min(oldest, coverage.until))  # a first run answers for what is shown
        return replace(batch, coverage=coverage)


def older_address(feed: Feed, answer: Answer) -> str | None:
    """Where the feed's next older page is, if it is known: on the same site, or nowhere."""
    linked = re.search(r"<([^>]+)>\s*;[^,<]*\brel=\"?next\b", answer.headers.get("link", ""))
    if linked or feed["next"]:
        address = urljoin(answer.url, linked[1] if linked else feed["next"])
        return address if site(address) == site(answer.url) else None
    if "wordpress" in feed["generator"] and feed["entries"]:
        here = httpx.URL(answer.url)
        shown = here.params.get("paged", "1")
        return str(here.copy_set_param("paged", int(shown) + 1)) if shown.isdecimal() else None
    return None


def feed_of(source: str, answer: Answer, reader: Reader) -> Feed:
    """The feed that an answer holds.

    Raises:
        SourceChanged: it is no feed, or one that is refused; says which.
        SourceDown: it is empty, or a page for people.
    """
    if not answer.body.strip():
        raise SourceDown(source, "sent an empty answer")
    try:
        return reader(answer.body, answer.url, answer.headers.get("content-type", ""))
    except WebPage as why:
        raise SourceDown(source, str(why)) from None
    except NotAFeed as why:
        raise SourceChanged(source, str(why)) from None


def site(url: str) -> str:
    """The host, whichever way it is written."""
    return (urlsplit(url).hostname or "").removeprefix("www.")
