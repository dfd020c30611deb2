"""Small mentions, scores and batches of our own invention."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from core.actor import Actor, job
from core.batch import Batch, Coverage, Missed
from core.case import CaseDraft, Link, Rule, Verdict
from core.mention import Deletion, Kind, Mention
from core.scores import Passage, Scores, Sentiment, Topic
from storage import cases, mentions, scores
from storage.engine import Store
from storage.mentions import Added
from tests.conftest import NOW

MARIA = Actor(kind="person", issuer="local", subject="maria")
LINKER = job("link")
HOUR = timedelta(hours=1)


def post(number: int | str = 1, text: str = "The main on Mill Street broke", **changes: Any) -> Mention:
    """A post, seen and posted at NOW."""
    values: dict[str, Any] = {
        "platform": "mastodon",
        "external_id": f"https://harbor.example/{number}",
        "version": "1",
        "kind": Kind.POST,
        "text": text,
        "seen_at": NOW,
        "posted_at": NOW,
    }
    return Mention(**values | changes)


def whole(until: datetime = NOW, since: datetime | None = None) -> Coverage:
    """Nothing is missing."""
    return Coverage(since=since, until=until, complete=True)


def lacking(missed: int | None, since: datetime | None, until: datetime, reason: Missed = Missed.PENDING) -> Coverage:
    """So many are missing, and can be fetched from page 2 on."""
    return Coverage(since=since, until=until, complete=False, missed=missed, reason=reason, resume="page 2")


def batch(*items: Mention, deletions: tuple[Deletion, ...] = ()) -> Batch:
    """All there is."""
    return Batch(mentions=items, deletions=deletions, coverage=whole())


def put(store: Store, *items: Mention, source: str = "town", now: datetime = NOW, **changes: Any) -> Added:
    """Store these in a transaction of their own."""
    with store.write() as tx:
        return mentions.add(tx, source, batch(*items, **changes), now=now)


def read_as(**changes: Any) -> Scores:
    """What a model read: an angry complaint about the roads, unless changed."""
    values: dict[str, Any] = {
        "model": "mini",
        "revision": "1",
        "language": "en",
        "about_us": 0.95,
        "needs_answer": 0.9,
        "sentiment": Sentiment(negative=0.8, neutral=0.15, positive=0.05),
        "topics": (Topic(name="roads_potholes", probability=0.9), Topic(name="noise", probability=0.6)),
        "urgency": 0.4,
        "safety": 0.1,
        "vector": b"\x01\x02" * 4,
    }
    return Scores(**values | changes)


def give_scores(store: Store, ids: list[int], given: Scores | None = None, now: datetime = NOW) -> None:
    """Score these mentions as they are now."""
    with store.write() as tx:
        score_in(tx, ids, given or read_as(), now)


def score_in(tx: Connection, ids: list[int], given: Scores, now: datetime) -> None:
    """The same in an open transaction."""
    passages: list[tuple[int, Passage]] = mentions.passages(tx, ids)
    scores.add(tx, [(i, mentions.text_hash(p.text), given) for i, p in passages], now)


def waiting(store: Store, number: int = 1, given: Scores | None = None, **changes: Any) -> int:
    """A mention that is stored, scored and waits; its id."""
    (mention_id,) = put(store, post(number, **changes)).new
    give_scores(store, [mention_id], given)
    return mention_id


def draft(key: str = "mention:mastodon:https://harbor.example/1") -> CaseDraft:
    """A case for a broken main."""
    return CaseDraft(key=key, title="Main broke", body="The main broke", topic="roads_potholes", urgency=0.5, safety=0)


def open_for(store: Store, mention_id: int, key: str = "mention:mastodon:https://harbor.example/1") -> int:
    """A case that the linker opened for a mention; its id."""
    with store.write() as tx:
        case_id = cases.open(tx, key, draft(key), NOW, LINKER)
        cases.link(tx, mention_id, Link(verdict=Verdict.OPEN, rule=Rule.NEW, case_id=case_id), NOW, LINKER)
    return case_id
