"""Review pages: whatever a site describes as schema.org Review, in JSON-LD or microdata.

Vocabulary: https://schema.org/Review. Rules: https://www.rfc-editor.org/rfc/rfc9309 (robots.txt), Crawl-delay, noindex.
Cursor: when it was asked last, and the reviews seen with the day of each, the newest 500.

Read by a Scrapy spider in a process of its own (collectors.crawl): only the sites that the operator names, whose terms
he has read. A review without an id of its own is known by its author, day and words. One that is no longer shown,
although older ones are, was removed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from collectors.crawl import CrawlStopped, Plan, crawl
from collectors.kinds import Context, Kind, Options
from collectors.pages import Page
from collectors.recordings import Exchange
from collectors.schema_org.cursor import Seen, removed
from collectors.schema_org.mentions import day, mention_of
from collectors.schema_org.page import NotAPage, ReviewsPage, read
from collectors.walk import Lane, Trail, coverage, trail_of
from core.batch import Backfill, Batch, Budget, Coverage, Head, Recheck, Task
from core.errors import SourceChanged, SourceDown, SourceError, SourceRefused
from core.mention import Deletion
from core.protocols import Clock
from core.settings import Duration, Network, Source
from net.address import normal
from net.limits import problem

NAME = "reviews_page"
SPARE = timedelta(seconds=5)  # left of the deadline to store what came
Crawler = Callable[..., Iterator[dict[str, Any]]]


class ReviewsOptions(Options):
    """[sources.<name>] kind = "reviews_page"."""

    urls: tuple[str, ...] = Field(min_length=1, description="first page of each list of reviews")
    sites: tuple[str, ...] = Field(min_length=1, description="hosts whose terms allow this: your word for it")
    platform: str = Field("reviews", pattern=r"^[a-z][a-z0-9_]{0,39}$", description="where it is said")
    delay: Duration = Field(
        timedelta(seconds=2), description="least time between two pages; robots.txt may ask for more"
    )

    @model_validator(mode="after")
    def _sites_named(self) -> "ReviewsOptions":
        for url in self.urls:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError(f"{url!r} is not a whole address, https://...")
            if normal(parts.hostname) not in {normal(site) for site in self.sites}:
                raise ValueError(f"add {parts.hostname!r} to sites if its terms allow reading by machine")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewsCollector:
    """Collects the reviews of some lists of pages."""

    urls: tuple[str, ...]
    sites: tuple[str, ...]
    name: str
    clock: Clock
    network: Network = field(default_factory=Network)
    platform: str = "reviews"
    delay: timedelta = timedelta(seconds=2)
    crawl: Crawler = crawl

    def collect(self, task: Task, cursor: str | None, budget: Budget, deadline: datetime) -> Iterator[Batch]:
        """See core.protocols.Collector."""
        now = self.clock()
        seen = Seen.of(self.name, cursor)
        if isinstance(task, Recheck):
            yield from self._recheck(task, seen, budget, deadline, now)
            return
        if isinstance(task, Backfill):
            trail, stop = trail_of(self.name, task, self.urls), frozenset[str]()
        else:
            trail = Trail(since=seen.asked, until=now, lanes=tuple(Lane(key=url) for url in self.urls))
            stop = frozenset(seen.days)
        more: dict[str, int | None] = {}
        for page, further in self._pages(trail, stop, budget, deadline, bounded=isinstance(task, Backfill)):
            more |= {one.external_id: day(one) for one in page.mentions}
            yield Batch(
                mentions=page.mentions,
                cursor=seen.cursor(now, more) if isinstance(task, Head) else None,
                coverage=coverage(further),
            )

    def _pages(
        self, trail: Trail, stop: frozenset[str], budget: Budget, deadline: datetime, *, bounded: bool = False
    ) -> Iterator[tuple[Page, Trail]]:
        """Each page, and how far that brings the trail.

        Raises:
            SourceError: after the pages that did arrive.
        """
        waiting = [(lane.key, lane.at or lane.key) for lane in trail.lanes if not lane.done]
        plan = Plan(
            starts=tuple(waiting),
            sites=tuple(map(normal, self.sites)),
            user_agent=self.network.user_agent,
            pages=budget.requests,
            known=tuple(stop),
            since=trail.since.timestamp() if bounded and trail.since else None,
            delay=self.delay.total_seconds(),
            allow=self.network.allow,
            proxy=self.network.proxy,
            ca_file=self.network.ca_file,
        )
        failed: SourceError | None = None
        n_pages = n_mentions = 0
        try:
            for event in self.crawl(plan, seconds=(deadline - self.clock() - SPARE).total_seconds()):
                if "failed" in event:
                    failed = failed or self._error(event["failed"])
                    continue
                page, trail = self._page(event["page"], trail)
                n_pages, n_mentions = n_pages + 1, n_mentions + len(page.mentions)
                yield page, trail
                if n_mentions >= budget.mentions:
                    return
        except CrawlStopped as why:
            if not n_pages or "deadline" not in str(why):
                raise SourceDown(self.name, str(why)) from None
        if failed:
            raise failed

    def _page(self, told: dict[str, Any], trail: Trail) -> tuple[Page, Trail]:
        mentions = tuple(mention_of(review, self.clock(), self.platform) for review in told["reviews"])
        lanes = tuple(
            replace(lane, at=told["next"] or None, done=not told["next"], seen=lane.seen + len(mentions))
            if lane.key == told["key"]
            else lane
            for lane in trail.lanes
        )
        return Page(mentions=mentions, listed=len(mentions)), replace(trail, lanes=lanes)

    def _error(self, told: dict[str, Any]) -> SourceError:
        if told["kind"] == "status":
            error = problem(self.name, told["status"], told["headers"], b"", self.clock())
            return error or SourceChanged(self.name, f"answered {told['status']}")
        kinds: dict[str, type[SourceError]] = {"robots": SourceRefused, "address": SourceRefused, "down": SourceDown}
        return kinds.get(told["kind"], SourceChanged)(self.name, f"{told['key']}: {told['why']}")

    def _recheck(self, task: Recheck, seen: Seen, budget: Budget, deadline: datetime, now: datetime) -> Iterator[Batch]:
        trail = Trail(since=None, until=now, lanes=tuple(Lane(key=url) for url in self.urls))
        whole = Coverage(since=now, until=now, complete=True, missed=0)
        shown: dict[str, int | None] = {}
        done = False
        for page, further in self._pages(trail, frozenset(), budget, deadline):
            done = all(lane.done for lane in further.lanes)
            shown |= {one.external_id: day(one) for one in page.mentions}
            found = tuple(one for one in page.mentions if one.external_id in task.ids)
            if found:
                yield Batch(mentions=found, coverage=whole)
        if done:
            gone = removed(task.ids, shown, seen.days)
            yield Batch(
                mentions=(),
                deletions=tuple(Deletion(platform=self.platform, external_id=one) for one in gone),
                coverage=whole,
            )


def parse(data: bytes, now: datetime, *, url: str = "", content_type: str = "", platform: str = "reviews") -> Page:
    """Turn a page, or bare JSON-LD, into its reviews, in its order.

    Raises:
        SourceRefused: it has reviews, but asks not to be read (noindex).
        SourceChanged: it is no page.
        SourceDown: it is empty.
    """
    if not data.strip():
        raise SourceDown(NAME, "sent an empty answer")
    try:
        page: ReviewsPage = read(data, url, content_type)
    except NotAPage as why:
        raise SourceChanged(NAME, str(why)) from None
    if page["noindex"] and page["reviews"]:
        raise SourceRefused(NAME, "the page asks not to be read (noindex)")
    mentions = tuple(mention_of(review, now, platform) for review in page["reviews"])
    return Page(mentions=mentions, listed=len(mentions), next=page["next"] or None)


def parse_exchange(exchange: Exchange, now: datetime) -> Page:
    """A recorded answer as the collector reads it."""
    if error := problem(NAME, exchange.status, exchange.headers, exchange.body, now):
        raise error
    return parse(exchange.body, now, url=exchange.url, content_type=exchange.headers.get("content-type", ""))


def build(name: str, source: Source, options: ReviewsOptions, context: Context) -> ReviewsCollector:
    """The collector of one settings section."""
    return ReviewsCollector(
        urls=options.urls,
        sites=options.sites,
        name=name,
        clock=context.clock,
        network=context.network,
        platform=options.platform,
        delay=options.delay,
    )


KIND = Kind(options=ReviewsOptions, build=build, parse=parse_exchange)
