"""RSS, Atom and JSON feeds: news, blogs, comments of a blog, channels of podcasts and films.

Formats: https://www.rssboard.org/rss-specification https://www.rfc-editor.org/rfc/rfc4287 https://www.jsonfeed.org
Cursor: the validators of the last answer (ETag, Last-Modified), the ids it held, and when its oldest entry was posted.

A feed shows a window of its newest entries. Older ones are asked for where the feed says how: rel="next", or
?paged=N on WordPress. A feed never says that something was deleted: Recheck asks for the page of the entry.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import httpx
from pydantic import Field, field_validator

from collectors.feeds.cursor import Known
from collectors.feeds.mentions import page_of
from collectors.feeds.reader import read, read_apart
from collectors.feeds.run import ACCEPT, GONE, FeedRun, Reader, feed_of, site
from collectors.kinds import Context, Kind, Options
from collectors.pages import Page, readable
from collectors.recordings import Exchange
from collectors.walk import Allowance, Lane, Trail, recheck, trail_of, walk
from core.batch import Backfill, Batch, Budget, Head, Recheck, Task
from core.errors import SourceChanged
from core.mention import Deletion
from core.protocols import Clock
from core.settings import Duration, Source
from net.fetch import Answer, fetch
from net.limits import problem

NAME = "feed"
PAGE = 500  # entries of one batch


class FeedOptions(Options):
    """[sources.<name>] kind = "feed"."""

    url: str = Field(description="the feed's address; or WordPress's /wp-json/wp/v2/posts")
    platform: str = Field("web", pattern=r"^[a-z][a-z0-9_]{0,39}$", description="where it is said, e.g. youtube")
    history: Duration = Field(timedelta(days=30), description="how far back the first run goes, if the feed shows it")
    timeout: Duration = Field(timedelta(seconds=10), description="a feed that takes longer to read is refused")

    @field_validator("url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if not re.match(r"https?://[^/\s]+", value):
            raise ValueError("write the whole address, https://...")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedCollector:
    """Collects one feed."""

    client: httpx.Client
    url: str
    name: str
    clock: Clock
    platform: str = "web"
    history: timedelta = timedelta(days=30)
    read: Reader = read_apart

    def collect(self, task: Task, cursor: str | None, budget: Budget, deadline: datetime) -> Iterator[Batch]:
        """See core.protocols.Collector."""
        allowance = Allowance(budget, deadline, self.clock)
        now = self.clock()
        if isinstance(task, Recheck):
            yield from self._recheck(task, allowance)
            return
        head = isinstance(task, Head)
        if isinstance(task, Backfill):
            trail = trail_of(self.name, task, (self.url,))
            known = self._known(trail.known)
        else:
            known = self._known(cursor)
            since = known.asked or now - self.history
            note = replace(known, etag="", modified="").cursor() if known.ids else None
            trail = Trail(since=since, until=now, lanes=(Lane(key=self.url),), known=note)
        run = FeedRun(
            client=self.client,
            url=self.url,
            name=self.name,
            platform=self.platform,
            clock=self.clock,
            read=self.read,
            allowance=allowance,
            trail=trail,
            head=head,
            known=known,
        )
        for batch in walk(trail, run.page, allowance, page_size=PAGE, cursor=run.cursor if head else _leave):
            yield run.honest(batch)

    def _known(self, cursor: str | None) -> Known:
        try:
            return Known.of(cursor)
        except ValueError as error:
            raise SourceChanged(self.name, f"its cursor cannot be read: {error}") from None

    def _recheck(self, task: Recheck, allowance: Allowance) -> Iterator[Batch]:
        """What the feed still shows is read anew; the page of the rest is asked for, if it is on the feed's site."""
        shown: set[str] = set()

        def window(_: Sequence[str]) -> Page:
            allowance.ask()
            answer = fetch(self.client, self.name, "GET", self.url, headers={"accept": ACCEPT})
            page = page_of(feed_of(self.name, answer, self.read), self.clock(), self.platform)
            shown.update(one.external_id for one in page.mentions)
            return replace(page, mentions=tuple(one for one in page.mentions if one.external_id in task.ids))

        yield from recheck(("",), window, allowance, at_once=1)
        rest = [one for one in task.ids if one not in shown and self._is_ours(one)]
        yield from recheck(rest, lambda some: self._look(some, allowance), allowance, at_once=1)

    def _is_ours(self, external_id: str) -> bool:
        """Only pages of the feed's own site are asked for: an id is written by whoever wrote the feed."""
        return external_id.startswith(("https://", "http://")) and site(external_id) == site(self.url)

    def _look(self, ids: Sequence[str], allowance: Allowance) -> Page:
        gone = []
        for one in ids:
            allowance.ask()
            address = one.partition("#")[0]
            try:
                answer = fetch(self.client, self.name, "GET", address, allowed=GONE)
            except SourceChanged:
                continue  # the page is there, though not as we read pages: too large, say
            if answer.status in GONE:
                gone.append(Deletion(platform=self.platform, external_id=one))
        return Page(deletions=tuple(gone), listed=len(ids))


def _leave() -> None:
    """A back-fill leaves the cursor as it is."""


def parse(data: bytes, now: datetime, *, url: str = "", content_type: str = "", platform: str = "web") -> Page:
    """Turn a feed into mentions, in its order.

    Raises:
        SourceChanged: it is no feed, or one that is refused; says which.
        SourceDown: it is empty, or a page for people.
    """
    answer = Answer(url=url, status=200, headers={"content-type": content_type}, body=data)
    return readable(NAME, page_of(feed_of(NAME, answer, read), now, platform), "entries")


def parse_exchange(exchange: Exchange, now: datetime) -> Page:
    """A recorded answer as the collector reads it: 304 is nothing new, and 404 beyond the last page is the end."""
    if exchange.status == 304 or (exchange.status == 404 and exchange.asked("paged")):
        return Page()
    if error := problem(NAME, exchange.status, exchange.headers, exchange.body, now):
        raise error
    return parse(exchange.body, now, url=exchange.url, content_type=exchange.headers.get("content-type", ""))


def build(name: str, source: Source, options: FeedOptions, context: Context) -> FeedCollector:
    """The collector of one settings section."""
    return FeedCollector(
        client=context.client_for(options.url),
        url=options.url,
        name=name,
        clock=context.clock,
        platform=options.platform,
        history=options.history,
        read=partial(read_apart, seconds=options.timeout.total_seconds()),
    )


KIND = Kind(options=FeedOptions, build=build, parse=parse_exchange)
