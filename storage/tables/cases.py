"""The work that mentions become."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from storage.tables.base import json, long_text, partial, ref, row_id


class Case(SQLModel, table=True):
    """The work that mentions become. `sending` says where a copy in another system stands."""

    __tablename__ = "cases"
    __table_args__ = (Index(None, "status", "updated_at"), UniqueConstraint("system", "external_id"))

    id: int | None = row_id()
    key: str = Field(unique=True)
    code: str = Field(unique=True)
    title: str = long_text()
    body: str = long_text()
    topic: str | None
    urgency: float
    safety: float
    url: str = long_text()
    status: str
    raw_status: str
    owner: str | None = None
    system: str
    external_id: str | None = None
    external_url: str = long_text(default="")
    sending: str
    opened_at: datetime
    updated_at: datetime
    due_at: datetime | None = None
    answered_at: datetime | None = None
    merged_into: int | None = ref("cases.id", default=None)


class CaseLink(SQLModel, table=True):
    """One decision about one mention; at most one stands at a time."""

    __tablename__ = "case_link"
    __table_args__ = (
        Index(
            "uq_case_link_standing",
            "mention_id",
            unique=True,
            sqlite_where=text("undone_at IS NULL"),
            postgresql_where=text("undone_at IS NULL"),
        ),
        Index(None, "mention_id"),
        Index(None, "case_id"),
    )

    id: int | None = row_id()
    mention_id: int = ref("mention_key.id")
    case_id: int | None = ref("cases.id", default=None)
    verdict: str
    rule: str
    score: float
    evidence: Any = json()
    decided_by: str
    decided_at: datetime
    undone_at: datetime | None = None
    undone_by: str | None = None
    undone_reason: str | None = None


class Reply(SQLModel, table=True):
    """That a mention was answered, by whom, and whether that was taken back."""

    __tablename__ = "reply"

    id: int | None = row_id()
    mention_id: int = ref("mention_key.id", index=True)
    actor: str
    note: str = long_text()
    at: datetime
    undone_at: datetime | None = None
    undone_by: str | None = None


class Alert(SQLModel, table=True):
    """Somebody must be told at once. `state`: waiting, unknown (maybe sent: look first), sent, failed."""

    __tablename__ = "alert"
    __table_args__ = (partial("ix_alert_open", "id", where="state <> 'sent'"),)

    id: int | None = row_id()
    key: str = Field(unique=True)
    channel: str
    subject: str
    mention_id: int | None = ref("mention_key.id", default=None)
    state: str
    attempts: int
    error: str = long_text()
    raised_at: datetime
    tried_at: datetime | None = None
    seen_at: datetime | None = None
    seen_by: str | None = None


class Hold(SQLModel, table=True):
    """A legal hold: what it matches keeps its text until it is released. Empty conditions match everything."""

    __tablename__ = "hold"

    id: int | None = row_id()
    name: str
    reason: str = long_text()
    mention_id: int | None = ref("mention_key.id", default=None)
    case_id: int | None = ref("cases.id", default=None)
    platform: str | None = None
    source: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    placed_at: datetime
    placed_by: str
    released_at: datetime | None = None
    released_by: str | None = None
