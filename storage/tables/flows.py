"""Calls, roll-ups and forecasts."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.tables.base import json, partial, row_id


class CallRecord(SQLModel, table=True):
    """One count of one interval; `newest` marks the one that holds now."""

    __tablename__ = "call_record"
    __table_args__ = (
        UniqueConstraint("queue", "start", "recorded_at"),
        partial("ix_call_record_newest", "queue", "start", where="newest"),
    )

    id: int | None = row_id()
    queue: str
    start: datetime
    step_seconds: int
    offered: float
    answered: float | None
    abandoned: float | None
    handle_time: float | None
    recorded_at: datetime
    newest: bool


class ForecastRecord(SQLModel, table=True):
    """A forecast as it was made; never changed."""

    __tablename__ = "forecast"
    __table_args__ = (UniqueConstraint("series", "made_at", "model"),)

    id: int | None = row_id()
    series: str
    made_at: datetime
    model: str
    start: datetime
    step_seconds: int
    timezone: str
    steps: int
    quantiles: bytes
    spike_probability: bytes
    notes: Any = json()
    details: Any = json(nullable=True)
    stored_at: datetime


class MentionHour(SQLModel, table=True):
    """Mentions by the hour they were made in. topic "" is all of them; sentiment may be "unread"."""

    __tablename__ = "mention_hour"
    __table_args__ = (Index(None, "hour"), {"sqlite_with_rowid": False})

    topic: str = Field(primary_key=True)
    hour: datetime = Field(primary_key=True)
    source: str = Field(primary_key=True)
    platform: str = Field(primary_key=True)
    language: str = Field(primary_key=True)
    sentiment: str = Field(primary_key=True)
    n: int
    needs_answer: int


class MentionDay(SQLModel, table=True):
    """The same by the agency's local day, summed from the hours.

    Rows with source, platform and language "" are the sums over all of them, which pages ask for most.
    """

    __tablename__ = "mention_day"
    __table_args__ = (Index(None, "day", "source"), {"sqlite_with_rowid": False})

    topic: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    source: str = Field(primary_key=True)
    platform: str = Field(primary_key=True)
    language: str = Field(primary_key=True)
    sentiment: str = Field(primary_key=True)
    n: int
    needs_answer: int


class DirtyHour(SQLModel, table=True):
    """An hour whose roll-up is out of date."""

    __tablename__ = "dirty_hour"

    hour: datetime = Field(primary_key=True)
    marks: int
