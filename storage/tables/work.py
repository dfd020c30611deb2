"""Work to do, who did what, and who may."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.tables.base import BIGINT, json, long_text, partial, ref, row_id


class WorkUnit(SQLModel, table=True):
    """One piece of work; the truth about it, whatever the engine carried or lost."""

    __tablename__ = "work_unit"
    __table_args__ = (
        UniqueConstraint("stage", "key"),
        CheckConstraint("state IN ('pending', 'leased', 'done', 'dead')", name="state"),
        partial("ix_work_unit_pending", "stage", "lane", "next_attempt_at", "id", where="state = 'pending'"),
        partial("ix_work_unit_leased", "lease_until", where="state = 'leased'"),
        Index(None, "state", "stage"),
    )

    id: int | None = row_id()
    stage: str
    key: str
    lane: str
    payload: Any = json()
    state: str
    attempts: int
    owner: str | None = None
    lease_until: datetime | None = None
    last_error: str | None = long_text(default=None, nullable=True)
    next_attempt_at: datetime
    created_at: datetime
    updated_at: datetime


class Request(SQLModel, table=True):
    """What a page wants done: it writes this row, a job does it."""

    __tablename__ = "request"
    __table_args__ = (partial("ix_request_waiting", "id", where="state = 'waiting'"),)

    id: int | None = row_id()
    kind: str
    payload: Any = json()
    actor_kind: str
    actor_issuer: str
    actor_subject: str
    state: str
    answer: str = long_text()
    asked_at: datetime
    done_at: datetime | None = None


class AuditRow(SQLModel, table=True):
    """One link of the chain: who did what to what and why. The database refuses to change it."""

    __tablename__ = "audit"

    id: int = Field(primary_key=True, sa_type=BIGINT, sa_column_kwargs={"autoincrement": False})
    at: datetime
    actor_kind: str
    actor_issuer: str
    actor_subject: str
    action: str
    subject: str = Field(index=True)
    reason: str = long_text()
    before: str = long_text()
    after: str = long_text()
    prev: str
    hash: str


class AuditHead(SQLModel, table=True):
    """How many rows the chain has and how it ends, so that a cut-off end shows. One row."""

    __tablename__ = "audit_head"

    id: int = Field(primary_key=True, sa_type=BIGINT, sa_column_kwargs={"autoincrement": False})
    rows: int = Field(sa_type=BIGINT)
    head: str


class PersonRow(SQLModel, table=True):
    """Somebody who may sign in here."""

    __tablename__ = "person"

    id: int | None = row_id()
    name: str = Field(unique=True)
    role: str
    password_hash: str
    created_at: datetime
    disabled_at: datetime | None = None


class SignIn(SQLModel, table=True):
    """A session: known by the hash of its token, ended by us and not only by a cookie."""

    __tablename__ = "sign_in"

    token_hash: str = Field(primary_key=True)
    person_id: int = ref("person.id", index=True)
    opened_at: datetime
    seen_at: datetime
    ended_at: datetime | None = None
