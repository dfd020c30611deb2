"""Small invented servers, one a kind of source: what every registered source is tested against.

A new source adds its fake here; the contract test (test_contract.py) does the rest.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from collectors import registry
from collectors.kinds import Context
from core.protocols import Collector
from core.settings import Agency, Network, Source
from net.client import Rules, open_client
from tests.collectors.feeds import Post, rss

_NUMBERS = count()
START = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


class Ticker:
    """A clock that a test moves."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **delta: float) -> datetime:
        self.now += timedelta(**delta)
        return self.now


@dataclass
class Item:
    """One invented post, as its server keeps it."""

    number: int
    at: datetime
    text: str
    edits: int = 0
    deleted: bool = False


class Fake(ABC):
    """A server that speaks one source's language over httpx.MockTransport."""

    kind: str
    tells_total = False
    speaks_json = True  # its pages are JSON, which tests may spoil item by item

    def __init__(self, clock: Ticker) -> None:
        self.clock = clock
        self.items: list[Item] = []
        self.requests: list[httpx.Request] = []
        self.withheld: set[int] = set()
        self.override: Callable[[httpx.Request], httpx.Response | None] = lambda request: None
        self.mutate: Callable[[Any], Any] = lambda data: data
        self.seconds_a_request = 0.0

    @abstractmethod
    def section(self) -> Source:
        """The settings section of the source."""

    @abstractmethod
    def ident(self, item: Item) -> str:
        """The external id of a mention."""

    @abstractmethod
    def answer(self, request: httpx.Request) -> httpx.Response:
        """What the server says when all is well."""

    def post(self, count: int, minutes: float = 30.0) -> list[str]:
        """Post `count` items, evenly over the last `minutes`, the last one now; their external ids, oldest first."""
        first, step = len(self.items), timedelta(minutes=minutes) / max(count, 1)
        new = [
            Item(first + n, self.clock() - step * (count - 1 - n), f"Pothole {first + n} on Alder Street #mapleharbor")
            for n in range(count)
        ]
        self.items += new
        return [self.ident(item) for item in new]

    def edit(self, ident: str, text: str) -> None:
        item = self.find(ident)
        item.text, item.edits = text, item.edits + 1

    def delete(self, ident: str) -> None:
        self.find(ident).deleted = True

    def find(self, ident: str) -> Item:
        return next(item for item in self.items if self.ident(item) == ident)

    @property
    def listed(self) -> list[Item]:
        """What the server shows, newest first."""
        return [item for item in reversed(self.items) if not item.deleted and item.number not in self.withheld]

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.clock.advance(seconds=self.seconds_a_request)
        return self.override(request) or self.answer(request)

    def json(self, data: Any, status: int = 200, **headers: str) -> httpx.Response:
        body = json.dumps(self.mutate(data))  # ASCII, as servers send it: a lone surrogate travels as an escape
        return httpx.Response(status, content=body, headers={"content-type": "application/json", **headers})

    def collector(self, name: str = "town") -> Collector:
        rules = Rules(clock=self.clock, sleep=lambda seconds: None)

        def client_for(base_url: str) -> httpx.Client:
            return open_client(Network(), base_url=base_url, rules=rules, transport=httpx.MockTransport(self.handle))

        agency = Agency(names=("Maple Harbor",))
        return registry.build(name, self.section(), Context(client_for=client_for, clock=self.clock, agency=agency))


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class FakeMastodon(Fake):
    kind = "mastodon"
    server = "https://social.example"

    def section(self) -> Source:
        return Source.model_validate({"kind": "mastodon", "server": self.server, "tags": ["mapleharbor"]})

    def local_id(self, item: Item) -> str:
        return str(110_000_000_000_000_000 + item.number)

    def ident(self, item: Item) -> str:
        return f"{self.server}/users/wren/statuses/{self.local_id(item)}"

    def status(self, item: Item) -> dict[str, Any]:
        return {
            "id": self.local_id(item),
            "uri": self.ident(item),
            "url": f"{self.server}/@wren/{self.local_id(item)}",
            "created_at": _stamp(item.at),
            "edited_at": _stamp(item.at + timedelta(minutes=item.edits)) if item.edits else None,
            "visibility": "public",
            "language": "en",
            "spoiler_text": "",
            "content": f"<p>{item.text}</p>",
            "in_reply_to_id": None,
            "reblog": None,
            "account": {"id": "7", "acct": "wren", "uri": f"{self.server}/users/wren", "noindex": False},
            "media_attachments": [],
        }

    def answer(self, request: httpx.Request) -> httpx.Response:
        asked = {name: values[0] for name, values in parse_qs(request.url.query.decode()).items()}
        path = urlsplit(str(request.url)).path
        if path == "/api/v1/timelines/tag/mapleharbor":
            top = int(asked.get("max_id", 10**30))
            shown = [item for item in self.listed if int(self.local_id(item)) < top]
            return self.json([self.status(item) for item in shown[: min(40, int(asked.get("limit", 20)))]])
        if path == "/api/v2/instance":
            return self.json({"domain": "social.example", "title": "Social", "configuration": {}})
        for item in self.items:
            if path == f"/api/v1/statuses/{self.local_id(item)}" and not item.deleted:
                return self.json(self.status(item))
        return httpx.Response(404, json={"error": "Record not found"})


class FakeBluesky(Fake):
    kind = "bluesky"
    tells_total = True
    did = "did:plc:inventedwren234567abcdef"

    def __init__(self, clock: Ticker) -> None:
        super().__init__(clock)
        self.server = f"https://pds{next(_NUMBERS)}.example"  # sessions are kept by server: each fake has its own
        self.tokens = 0

    def section(self) -> Source:
        return Source.model_validate(
            {
                "kind": "bluesky",
                "server": self.server,
                "searches": ["#mapleharbor"],
                "username": "city.example",
                "password": "app-pass-word-here",
            }
        )

    def ident(self, item: Item) -> str:
        return f"at://{self.did}/app.bsky.feed.post/3k{item.number:011d}"

    def view(self, item: Item) -> dict[str, Any]:
        return {
            "uri": self.ident(item),
            "cid": f"bafyinvented{item.number}v{item.edits}",
            "author": {"did": self.did, "handle": "wren.example"},
            "record": {
                "$type": "app.bsky.feed.post",
                "text": item.text,
                "createdAt": _stamp(item.at),
                "langs": ["en"],
            },
            "indexedAt": _stamp(item.at),
        }

    def answer(self, request: httpx.Request) -> httpx.Response:
        asked = parse_qs(request.url.query.decode())
        method = request.url.path.removeprefix("/xrpc/")
        if method in ("com.atproto.server.createSession", "com.atproto.server.refreshSession"):
            self.tokens += 1
            token = f"token{self.tokens}"
            session = {"did": self.did, "handle": "city.example", "accessJwt": token, "refreshJwt": f"r{token}"}
            return httpx.Response(200, json=session)
        if request.headers.get("authorization") != f"Bearer token{self.tokens}":
            return httpx.Response(400, json={"error": "ExpiredToken", "message": "Token has expired"})
        if method == "app.bsky.feed.getPosts":
            there = {self.ident(item): item for item in self.items if not item.deleted}
            return self.json({"posts": [self.view(there[uri]) for uri in asked["uris"] if uri in there]})
        return self._search({name: values[0] for name, values in asked.items()})

    def _search(self, asked: dict[str, str]) -> httpx.Response:
        since = datetime.fromisoformat(asked["since"]) if "since" in asked else START - timedelta(days=3650)
        until = datetime.fromisoformat(asked["until"]) if "until" in asked else START + timedelta(days=3650)
        hits = [item for item in self.items if since <= item.at < until and not item.deleted]
        shown = [item for item in self.listed if since <= item.at < until]
        start = int(asked.get("cursor", "0").removeprefix("c"))
        end = start + int(asked.get("limit", 25))
        data: dict[str, Any] = {"posts": [self.view(item) for item in shown[start:end]], "hitsTotal": len(hits)}
        if end < len(shown):
            data["cursor"] = f"c{end}"
        return self.json(data)


class FakeFeed(Fake):
    """A blog that pages its feed as WordPress does."""

    kind = "feed"
    speaks_json = False
    server = "https://blog.example"

    def section(self) -> Source:
        return Source.model_validate({"kind": "feed", "url": f"{self.server}/?feed=rss2"})

    def ident(self, item: Item) -> str:
        return f"{self.server}/?p={item.number}"

    def answer(self, request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        if "feed" not in asked:
            there = {str(item.number) for item in self.listed}
            return httpx.Response(200 if asked.get("p") in there else 404, html="<html></html>")
        start = (int(asked.get("paged", "1")) - 1) * 100
        posts = [Post(item.number, item.at, item.text) for item in self.listed[start : start + 100]]
        return httpx.Response(404 if start and not posts else 200, content=rss(posts))


FAKES: dict[str, Callable[[Ticker], Fake]] = {"mastodon": FakeMastodon, "bluesky": FakeBluesky, "feed": FakeFeed}
