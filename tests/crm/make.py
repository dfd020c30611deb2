"""Mentions and cases of an invented city, to be varied by a test."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from core.case import Status
from core.mention import Kind
from core.scores import Scores, Sentiment, Topic
from crm.desk import Candidate, ScoredMention

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
ANA = ("a" * 64, "2026-01")
BEN = ("b" * 64, "2026-01")
TEXT = "The water main on Oak Street burst and the whole road is flooded"


def vector(*values: float) -> bytes:
    """A unit vector as Scores carries it."""
    row = np.array(values or (1.0, 0.0, 0.0), np.float32)
    return (row / np.linalg.norm(row)).astype("<f2").tobytes()


def scores(**changes: Any) -> Scores:
    """A complaint to the agency about water."""
    values: dict[str, Any] = {
        "model": "test",
        "revision": "1",
        "language": "en",
        "about_us": 0.95,
        "needs_answer": 0.9,
        "sentiment": Sentiment(negative=0.8, neutral=0.15, positive=0.05),
        "topics": (Topic(name="drainage_flooding_water_sewer", probability=0.9),),
        "urgency": 0.5,
        "safety": 0.1,
        "vector": vector(),
    }
    return Scores(**values | changes)


def mention(**changes: Any) -> ScoredMention:
    """A public post by Ana about a burst main."""
    values: dict[str, Any] = {
        "id": 1,
        "platform": "mastodon",
        "external_id": "100",
        "kind": Kind.POST,
        "text": TEXT,
        "posted_at": NOW,
        "author": ANA,
        "scores": scores(),
    }
    return ScoredMention(**values | changes)


def case(**changes: Any) -> Candidate:
    """An open public case by Ben about something else, an hour old."""
    values: dict[str, Any] = {
        "case_id": 1,
        "status": Status.OPEN,
        "code": "M-BNBN7",
        "public": True,
        "updated_at": NOW - timedelta(hours=1),
        "topics": frozenset({"noise"}),
        "members": frozenset({("mastodon", "50")}),
        "authors": frozenset({BEN}),
        "vectors": (vector(0.0, 1.0, 0.0),),
        "texts": ("Loud music in the park every single night",),
    }
    return Candidate(**values | changes)
