"""Mastodon, and servers that speak its API: public posts under hashtags.

API: https://docs.joinmastodon.org/methods/timelines/#tag and https://docs.joinmastodon.org/entities/Status/
Cursor: the newest post seen: its id on this server and its time, as JSON.

A post is known by its `uri`, which is the same on every server; `id` is this server's own and is used for paging.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
from pydantic import Field, SecretStr, field_validator

from collectors.answers.mastodon import (
    PLATFORM,
    Status,
    error_words,
    gone,
    parse,
    parse_exchange,
    status_of,
    timeline,
)
from collectors.kinds import Context, Kind, Options
from collectors.pages import Page, Unreadable
from collectors.query import terms_for
from collectors.walk import Allowance, Lane, Trail, recheck, trail_of, walk
from core.batch import Backfill, Batch, Budget, Head, Recheck, Task
from core.errors import SettingsError, SourceBusy, SourceChanged, SourceError, SourceRefused
from core.mention import Deletion, Mention
from core.protocols import Clock, Collector
from core.settings import Duration, Source
from net.fetch import fetch, get_json, read_json

__all__ = ["KIND", "MastodonOptions", "MastodonTags", "build", "parse"]

PAGE = 40  # the most a timeline gives at once
TAGS = 4  # the most a timeline takes at once, the one in its path counted
PARENTS = 20  # posts asked for by id at once
GONE = frozenset({404, 410})


class MastodonOptions(Options):
    """What a Mastodon source needs besides an optional token."""

    server: str = Field(description="base address of the server, e.g. https://mastodon.social")
    tags: tuple[str, ...] = Field((), description="hashtags without #; none: as the query says")
    history: Duration = Field(timedelta(days=7), description="how far back the first run reads")
    overlap: Duration = Field(timedelta(minutes=10), description="read again each time: late arrivals and edits")
    include_noindex: bool = Field(False, description="also posts of accounts that ask not to be indexed")

    @field_validator("server")
    @classmethod
    def _is_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{value!r} is not an address such as https://mastodon.social")
        return value.rstrip("/")

    @field_validator("tags")
    @classmethod
    def _are_tags(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        tags = tuple(tag.strip().lstrip("#") for tag in value)
        for tag in tags:
            if not re.fullmatch(r"\w+", tag):
                raise ValueError(f"{tag!r} is not a hashtag: letters, digits and _ only")
        return tags


@dataclass(frozen=True, slots=True, kw_only=True)
class MastodonTags:
    """Collects hashtags from one server."""

    name: str
    client: httpx.Client  # base_url is the server
    options: MastodonOptions
    tags: tuple[str, ...]
    clock: Clock
    token: SecretStr | None = None
    platform: str = PLATFORM

    def collect(self, task: Task, cursor: str | None, budget: Budget, deadline: datetime) -> Iterator[Batch]:
        """See core.protocols.Collector."""
        allowance = Allowance(budget, deadline, self.clock)
        if isinstance(task, Recheck):
            yield from recheck(task.ids, lambda ids: self._looked_up(ids, allowance), allowance, at_once=PAGE)
            return
        keys = tuple(" ".join(self.tags[start : start + TAGS]) for start in range(0, len(self.tags), TAGS))
        if isinstance(task, Backfill):
            trail, run = trail_of(self.name, task, keys), _Run(source=self, allowance=allowance)
            known, since = _known(trail.known), trail.since
        else:
            known, now = _known(cursor), self.clock()
            since = known.at - self.options.overlap if known else now - self.options.history
            trail = Trail(since=since, until=now, known=cursor, lanes=tuple(Lane(key=key) for key in keys))
            run = _Run(source=self, allowance=allowance, best=known)
        run.known, run.since, run.until = known, since, trail.until if isinstance(task, Backfill) else None
        cursor_of = run.cursor if isinstance(task, Head) else lambda: None
        yield from walk(trail, run.page, allowance, page_size=PAGE, cursor=cursor_of)

    def headers(self) -> dict[str, str]:
        """What is sent to this server, and to no other."""
        return {"authorization": f"Bearer {self.token.get_secret_value()}"} if self.token else {}

    def _looked_up(self, uris: Sequence[str], allowance: Allowance) -> Page:
        pages: list[Page] = []
        for uri in uris:
            if allowance.spent():
                break
            pages.append(self._one(uri, allowance))
        return Page(
            mentions=tuple(one for page in pages for one in page.mentions),
            deletions=tuple(one for page in pages for one in page.deletions),
            rejected=tuple(one for page in pages for one in page.rejected),
        )

    def _one(self, uri: str, allowance: Allowance) -> Page:
        """One known post as it is now, asked of the server it was written on, which is who knows."""
        parts, found = urlsplit(uri), re.search(r"/(?:statuses|notes|objects|posts?)/([0-9A-Za-z_-]+)/?$", uri)
        if found is None or parts.scheme not in ("http", "https"):
            return Page(rejected=((uri, "this kind of address cannot be looked up"),))
        allowance.ask()
        home = parts.netloc == self.client.base_url.netloc.decode("ascii")
        path = f"/api/v1/statuses/{quote(found[1])}"
        try:
            answer = fetch(
                self.client,
                self.name,
                "GET",
                path if home else f"{parts.scheme}://{parts.netloc}{path}",
                headers={"accept": "application/json", **(self.headers() if home else {})},
                allowed=GONE,
            )
            if answer.status in GONE:
                return gone(self.name, uri, answer.body)
            status = status_of(read_json(self.name, answer), self.clock())
        except SourceError as error:
            if home and not isinstance(error, SourceChanged):
                raise
            return Page(rejected=((uri, error.message),))  # another server's trouble is not this source's
        except Unreadable as error:
            return Page(rejected=((uri, str(error)),))
        if status is None:
            return Page(deletions=(Deletion(platform=PLATFORM, external_id=uri, reason="no longer public"),))
        if status.mention.external_id != uri:
            return Page(rejected=((uri, "another post answers at this address"),))
        return Page(mentions=(status.mention,))


@dataclass(frozen=True, slots=True)
class _Mark:
    """The newest post seen."""

    id: str
    at: datetime

    def __str__(self) -> str:
        return json.dumps({"id": self.id, "at": self.at.isoformat()})


@dataclass(slots=True, kw_only=True)
class _Run:
    """One walk: what it wants, and the newest post it met."""

    source: MastodonTags
    allowance: Allowance
    best: _Mark | None = None
    known: _Mark | None = None
    since: datetime | None = None
    until: datetime | None = None
    asks_parents: bool = True
    uris: dict[str, str] = field(default_factory=dict)  # ids on this server -> uri

    def cursor(self) -> str | None:
        """The cursor for the next Head."""
        return str(self.best) if self.best else None

    def page(self, lane: Lane, limit: int) -> Page:
        """One page of a tag timeline, newest first, cut to what is wanted."""
        first, *others = lane.key.split(" ")
        statuses, rejected, listed = self._timeline(lane, first, others, limit)
        if not listed and lane.at is None:
            self._refuse_closed()
        for status in statuses:
            self.uris[status.id] = status.mention.external_id
            at = status.mention.posted_at
            if at and (self.best is None or _order(status.id) > _order(self.best.id)):
                self.best = _Mark(status.id, min(at, self.source.clock()))  # other servers' clocks may be ahead
        wanted = [status for status in statuses if self._wants(status)]
        below = bool(statuses) and not self._above(statuses[-1])
        kept = [one for one in wanted if self.source.options.include_noindex or not one.noindex]
        oldest = listed[-1] if listed else None
        if oldest and lane.at and _order(oldest) >= _order(lane.at):
            raise SourceChanged(self.source.name, "gives the same page again: it does not know max_id")
        return Page(
            mentions=tuple(self._threaded(kept)),
            rejected=rejected,
            next=None if below else oldest,
            listed=len(listed),
        )

    def _timeline(
        self, lane: Lane, first: str, others: list[str], limit: int
    ) -> tuple[list[Status], tuple[tuple[str, str], ...], list[str]]:
        self.allowance.ask()
        answer = fetch(
            self.source.client,
            self.source.name,
            "GET",
            f"/api/v1/timelines/tag/{quote(first)}",
            headers={"accept": "application/json", **self.source.headers()},
            params={"any[]": others or None, "max_id": lane.at, "limit": limit},
            allowed=frozenset({404}),
        )
        if answer.status == 404:
            error_words(self.source.name, answer.body)
            return [], (), []  # nobody on this server has used the tag yet
        return timeline(self.source.name, read_json(self.source.name, answer), self.source.clock())

    def _above(self, status: Status) -> bool:
        """Whether posts below this one may still be wanted."""
        if self.known and _order(status.id) > _order(self.known.id):
            return True
        at = status.mention.posted_at
        return self.since is None or at is None or at >= self.since

    def _wants(self, status: Status) -> bool:
        at = status.mention.posted_at
        return self._above(status) and (self.until is None or at is None or at < self.until)

    def _threaded(self, statuses: list[Status]) -> list[Mention]:
        """The mentions, each with the global id of what it answers; one request for all that are not known yet."""
        asked = [one.answers for one in statuses if one.answers and one.answers not in self.uris]
        if asked and self.asks_parents and self.allowance.requests_left > 0:
            self._ask_parents(list(dict.fromkeys(asked))[:PARENTS])
        return [
            replace(one.mention, parent=self.uris.get(one.answers)) if one.answers else one.mention for one in statuses
        ]

    def _ask_parents(self, ids: list[str]) -> None:
        self.allowance.ask()
        try:
            answer = get_json(
                self.source.client, self.source.name, "/api/v1/statuses", headers=self.source.headers(), **{"id[]": ids}
            )
        except SourceBusy:
            raise
        except SourceError:  # a server before 4.3 cannot: the replies stay, without their parents
            self.asks_parents = False
            return
        for item in answer if isinstance(answer, list) else ():
            if isinstance(item, dict) and isinstance(item.get("id"), str) and isinstance(item.get("uri"), str):
                self.uris[item["id"]] = item["uri"]

    def _refuse_closed(self) -> None:
        """A server may close its timelines and answer with nothing (since 4.5): tell that from a quiet tag."""
        if self.allowance.requests_left <= 0:
            return
        self.allowance.ask()
        try:
            instance = get_json(self.source.client, self.source.name, "/api/v2/instance", headers=self.source.headers())
        except SourceBusy:
            raise
        except SourceError:
            return
        feeds: Any = instance
        for name in ("configuration", "timelines_access", "hashtag_feeds"):
            feeds = feeds.get(name) if isinstance(feeds, dict) else None
        levels = (
            set(feeds.values())
            if isinstance(feeds, dict) and all(isinstance(v, str) for v in feeds.values())
            else set()
        )
        if levels and levels <= ({"disabled"} if self.source.token else {"disabled", "authenticated"}):
            raise SourceRefused(
                self.source.name,
                f"the server has closed its hashtag timelines ({', '.join(sorted(levels))}): "
                "use another server" + ("" if self.source.token or levels == {"disabled"} else ", or set a token"),
            )


def _known(cursor: str | None) -> _Mark | None:
    if cursor is None:
        return None
    try:
        noted = json.loads(cursor)
        return _Mark(str(noted["id"]), datetime.fromisoformat(noted["at"]))
    except (ValueError, TypeError, KeyError) as error:
        raise SourceChanged(PLATFORM, f"the cursor cannot be read: {error!r}") from None


def _order(ident: str) -> tuple[int, str]:
    """Ids of a server in the order it gave them: numbers by size, others (ULID, flake) by letters of one length."""
    return len(ident), ident


def build(name: str, source: Source, options: MastodonOptions, context: Context) -> Collector:
    """See collectors.kinds.Kind.

    Raises:
        SettingsError: there is nothing to look for.
    """
    tags = options.tags or (terms_for(context.query, "mastodon") if context.query else ())
    if not tags:
        raise SettingsError(f"sources.{name}.tags: name a hashtag, or give a query that has one")
    return MastodonTags(
        name=name,
        client=context.client_for(options.server),
        options=options,
        tags=tags,
        clock=context.clock,
        token=source.token,
    )


KIND = Kind(options=MastodonOptions, build=build, parse=parse_exchange)
