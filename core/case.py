"""A case: the work that a mention becomes."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """Our words; the case system's own word is kept beside them."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    RESOLVED = "resolved"
    CLOSED = "closed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDraft:
    """A case to be opened. The same key always gives the same case, however often it is sent.

    Attributes:
        key: "mention:<platform>:<external id>".
        urgency, safety: 0..1.
    """

    key: str
    title: str
    body: str
    topic: str | None
    urgency: float
    safety: float
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRef:
    """Where a case lives: the case system's name and its id there."""

    system: str
    id: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseState:
    """A case as its system last showed it."""

    ref: CaseRef
    key: str
    status: Status
    raw_status: str
    updated_at: datetime
    title: str = ""
    owner: str | None = None
    merged_into: str | None = None


class Rule(StrEnum):
    """Why a mention is at a case, in the order they are tried."""

    SAME = "same"  # the same mention, or an edit of it
    REPLY = "reply"  # answers something that is at the case
    CASE_CODE = "case_code"
    PRIVATE_CHANNEL = "private_channel"
    AUTHOR_TOPIC = "author_topic"
    REVIEW = "review"
    SIMILAR = "similar"
    NEW = "new"
    NONE = "none"  # no case is needed
    PERSON = "person"  # a member of staff decided


class Verdict(StrEnum):
    """What is done with a mention."""

    JOIN = "join"
    SUGGEST = "suggest"
    OPEN = "open"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A decision about one mention. Every link says why it was made and can be undone.

    Attributes:
        case_id: the case joined or suggested; None for a new case or none at all.
        score: 0..1, how sure the rule is.
        evidence: plain values a person can check, e.g. {"cosine": 0.93, "words": ["main", "burst"]}.
    """

    verdict: Verdict
    rule: Rule
    case_id: int | None = None
    score: float = 1.0
    evidence: dict[str, Any] = field(default_factory=dict)
    decided_by: str = "job:link"
