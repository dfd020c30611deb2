"""Where mentions come from, and what of it was not seen."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.tables.base import long_text, partial, row_id


class Source(SQLModel, table=True):
    """A configured source: when it is due, where it stands, how it does."""

    __tablename__ = "source"

    name: str = Field(primary_key=True)
    kind: str
    every_seconds: int
    enabled: bool
    next_due_at: datetime = Field(index=True)
    cursor: str | None = long_text(default=None, nullable=True)
    state: str
    message: str = long_text()
    state_at: datetime
    retry_at: datetime | None = None
    ok_at: datetime | None = None


class CoverageHour(SQLModel, table=True):
    """What one source showed us of one hour; `seen` counts each mention once. What it did not show is in `gap`."""

    __tablename__ = "coverage_hour"

    source: str = Field(primary_key=True)
    hour: datetime = Field(primary_key=True)
    fetched: int
    seen: int
    new: int
    backfilled: int


class Gap(SQLModel, table=True):
    """What one run left missing; `missed_first` keeps what was missing when it opened."""

    __tablename__ = "gap"
    __table_args__ = (
        UniqueConstraint("source", "run"),
        partial("ix_gap_open", "opened_at", where="closed_at IS NULL"),
    )

    id: int | None = row_id()
    source: str
    run: str
    since: datetime | None
    until: datetime
    missed_first: int | None
    missed: int | None
    reason: str
    resume: str | None = long_text(default=None, nullable=True)
    filled: int
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    outcome: str | None = None


class RejectedItem(SQLModel, table=True):
    """An item of a source that could not be read, once."""

    __tablename__ = "rejected_item"
    __table_args__ = (UniqueConstraint("source", "external_id", "why"), Index(None, "at"))

    id: int | None = row_id()
    source: str
    external_id: str
    why: str
    at: datetime


class HostBudget(SQLModel, table=True):
    """When a host may be asked next, whichever worker asks."""

    __tablename__ = "host_budget"

    host: str = Field(primary_key=True)
    next_at: datetime
