"""Bluesky: posts that a search finds, newest first, through the server of an account of the agency.

API: https://docs.bsky.app/docs/api/app-bsky-feed-search-posts
Cursor: the time of the newest post seen, as JSON. Searches are cut at that time less the overlap.

The search is made for people's own use, not for listening to a flood: the stream comes with a later version.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx
from pydantic import Field, SecretStr, field_validator

from collectors.answers.bluesky import PLATFORM, missing, parse, parse_exchange, posts_of
from collectors.kinds import Context, Kind, Options
from collectors.pages import Page
from collectors.query import terms_for
from collectors.walk import Allowance, Lane, Trail, newest, recheck, trail_of, walk
from core.batch import Backfill, Batch, Budget, Head, Recheck, Task
from core.errors import SettingsError, SourceChanged, SourceDown
from core.mention import Mention
from core.protocols import Clock, Collector
from core.settings import Duration, Source
from net.platforms.bluesky import SESSIONS, Account, Sessions

__all__ = ["KIND", "BlueskyOptions", "BlueskySearch", "build", "parse"]

PAGE = 100  # the most a search gives at once
AT_ONCE = 25  # the most posts asked for by name at once


class BlueskyOptions(Options):
    """What a Bluesky source needs besides username and password (an app password)."""

    server: str = Field("https://bsky.social", description="the account's server (PDS)")
    searches: tuple[str, ...] = Field((), description="what to search for; none: as the query says")
    history: Duration = Field(timedelta(days=7), description="how far back the first run reads")
    overlap: Duration = Field(timedelta(minutes=30), description="read again each time: late arrivals and edits")

    @field_validator("server")
    @classmethod
    def _is_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{value!r} is not an address such as https://bsky.social")
        return value.rstrip("/")

    @field_validator("searches")
    @classmethod
    def _say_something(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(not text.strip() for text in value):
            raise ValueError("a search must say something")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class BlueskySearch:
    """Collects what searches find."""

    name: str
    client: httpx.Client  # base_url is the account's server
    options: BlueskyOptions
    searches: tuple[str, ...]
    clock: Clock
    username: str
    password: SecretStr
    sessions: Sessions = field(default_factory=lambda: SESSIONS)
    platform: str = PLATFORM

    def collect(self, task: Task, cursor: str | None, budget: Budget, deadline: datetime) -> Iterator[Batch]:
        """See core.protocols.Collector."""
        allowance = Allowance(budget, deadline, self.clock)
        account = Account(
            self.client, self.name, self.username, self.password, sessions=self.sessions, before=allowance.ask
        )
        if isinstance(task, Recheck):
            yield from recheck(task.ids, lambda uris: self._looked_up(account, uris), allowance, at_once=AT_ONCE)
            return
        known = _known(cursor)
        if isinstance(task, Backfill):
            trail = trail_of(self.name, task, self.searches)
        else:
            now = self.clock()
            since = known - self.options.overlap if known else now - self.options.history
            trail = Trail(since=since, until=now, lanes=tuple(Lane(key=text) for text in self.searches))
        run = _Run(self, account, trail, bounded=isinstance(task, Backfill), best=known)
        run.noted = {lane.at for lane in trail.lanes if lane.at is not None}
        cursor_of = run.cursor if isinstance(task, Head) else lambda: None
        yield from walk(trail, run.page, allowance, page_size=PAGE, cursor=cursor_of)

    def _looked_up(self, account: Account, uris: Sequence[str]) -> Page:
        answer = account.get("app.bsky.feed.getPosts", uris=list(uris))
        return missing(posts_of(self.name, answer, self.clock()), list(uris))


@dataclass(slots=True)
class _Run:
    """One walk: what it wants, and the newest post it met."""

    source: BlueskySearch
    account: Account
    trail: Trail
    bounded: bool
    best: datetime | None
    noted: set[str | None] = field(default_factory=set)  # cursors that an earlier run wrote down

    def cursor(self) -> str | None:
        """The cursor for the next Head."""
        return json.dumps({"at": self.best.isoformat()}) if self.best else None

    def page(self, lane: Lane, limit: int) -> Page:
        """One page of a search, newest first, cut to what is wanted. It may be short though more follows."""
        found = self._asked_again(lane, limit) if lane.at in self.noted else self._asked(lane, lane.at, limit)
        top = newest(found.mentions)
        if top and (self.best is None or top > self.best):
            self.best = min(top, self.source.clock())  # a server's clock may be ahead; ours decides what is past
        below = bool(found.mentions) and not self._above(found.mentions[-1])
        wanted = tuple(one for one in found.mentions if self._above(one))
        return replace(found, mentions=wanted, next=None if below else found.next)

    def _asked_again(self, lane: Lane, limit: int) -> Page:
        """Go on at a cursor of an earlier run; servers forget those (400, or 502): then walk the span anew."""
        self.noted.discard(lane.at)
        try:
            return self._asked(lane, lane.at, limit)
        except (SourceDown, SourceChanged):
            return self._asked(lane, None, limit)

    def _asked(self, lane: Lane, at: str | None, limit: int) -> Page:
        until = _stamp(self.trail.until) if self.bounded and at is None else None
        since = _stamp(self.trail.since) if self.trail.since else None
        answer = self.account.get(
            "app.bsky.feed.searchPosts",
            q=lane.key,
            sort="latest",
            limit=limit,
            since=since,
            until=until,
            cursor=at,
        )
        page = posts_of(self.source.name, answer, self.source.clock())
        if at is not None and page.next == at:
            raise SourceChanged(self.source.name, "gives the same page again")
        return page

    def _above(self, mention: Mention) -> bool:
        at = mention.posted_at
        return self.trail.since is None or at is None or at >= self.trail.since


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _known(cursor: str | None) -> datetime | None:
    if cursor is None:
        return None
    try:
        return datetime.fromisoformat(json.loads(cursor)["at"])
    except (ValueError, TypeError, KeyError) as error:
        raise SourceChanged(PLATFORM, f"the cursor cannot be read: {error!r}") from None


def build(name: str, source: Source, options: BlueskyOptions, context: Context) -> Collector:
    """See collectors.kinds.Kind.

    Raises:
        SettingsError: there is no account, or nothing to look for.
    """
    variable = f"OPENEAR_SOURCES__{name.upper()}__PASSWORD"
    if not source.username or source.password is None:
        raise SettingsError(f"sources.{name}: Bluesky's search needs an account: set username, and {variable}")
    searches = options.searches or (terms_for(context.query, "bluesky") if context.query else ())
    searches = searches or tuple(f'"{one}"' for one in context.agency.names)
    if not searches:
        raise SettingsError(f"sources.{name}.searches: say what to search for, or give a query or the agency's names")
    return BlueskySearch(
        name=name,
        client=context.client_for(options.server),
        options=options,
        searches=searches,
        clock=context.clock,
        username=source.username,
        password=source.password,
    )


KIND = Kind(options=BlueskyOptions, build=build, parse=parse_exchange)
