"""What was read in a mention, by the model and by staff."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.tables.base import json, long_text, partial, ref, row_id


class Score(SQLModel, table=True):
    """What one revision of the model read in one text."""

    __tablename__ = "score"
    __table_args__ = (UniqueConstraint("mention_id", "text_hash", "model", "revision"),)

    id: int | None = row_id()
    mention_id: int = ref("mention_key.id")
    text_hash: str
    model: str
    revision: str
    language: str
    about_us: float
    needs_answer: float
    negative: float
    neutral: float
    positive: float
    topics: Any = json()
    urgency: float
    safety: float
    unsure: Any = json()
    scored_at: datetime


class ScoreVector(SQLModel, table=True):
    """The newest embedding of a mention: apart, because it is wide, and because it goes when the text goes."""

    __tablename__ = "score_vector"

    mention_id: int = ref("mention_key.id", primary_key=True)
    model: str
    at: datetime = Field(index=True)
    vector: bytes


class Reading(SQLModel, table=True):
    """What counts of a mention now: the newest scores with the staff's corrections over them.

    Own mentions have no row, so that nothing can count them. `model` is "" while nobody has read the text.
    """

    __tablename__ = "reading"
    __table_args__ = (
        Index(None, "model", "mention_id"),
        # Ends with what the badges count, so that they read the index alone.
        partial(
            "ix_reading_urgent", "urgency", "mention_id", "assignee", "label", "safety", "waiting", where="waiting"
        ),
        partial("ix_reading_newest", "at", "mention_id", where="waiting"),
        partial("ix_reading_topic", "topic", "mention_id", where="waiting"),
        partial("ix_reading_undecided", "mention_id", where="undecided"),
    )

    mention_id: int = ref("mention_key.id", primary_key=True)
    at: datetime
    text_hash: str
    model: str
    language: str
    label: str
    topic: str
    about_us: float
    needs_answer: float
    urgency: float
    safety: float
    needs: bool
    waiting: bool
    undecided: bool
    assignee: str | None = None
    answered_at: datetime | None = None


class ReadingTopic(SQLModel, table=True):
    """The topics that count of a mention now."""

    __tablename__ = "reading_topic"
    __table_args__ = ({"sqlite_with_rowid": False},)

    mention_id: int = ref("mention_key.id", primary_key=True)
    topic: str = Field(primary_key=True)


class Correction(SQLModel, table=True):
    """What a member of staff said of one head; the newest counts, over every model."""

    __tablename__ = "correction"

    id: int | None = row_id()
    mention_id: int = ref("mention_key.id", index=True)
    head: str
    value: Any = json()
    actor: str
    reason: str = long_text()
    at: datetime = Field(index=True)
