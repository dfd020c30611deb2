"""What was said, by whom it was seen, and that it has gone."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.tables.base import json, long_text, partial, ref, row_id


class MentionKey(SQLModel, table=True):
    """Who a mention is, for ever: found again here, and kept as a tombstone when its text has gone."""

    __tablename__ = "mention_key"
    __table_args__ = (
        UniqueConstraint("platform", "external_id"),
        partial("ix_mention_key_recheck", "source", "checked_at", where="gone_at IS NULL"),
        partial("ix_mention_key_living", "at", where="gone_at IS NULL"),
        partial("ix_mention_key_gone", "gone_at", where="gone_at IS NOT NULL AND scrubbed_at IS NULL"),
    )

    id: int | None = row_id()
    platform: str
    external_id: str
    source: str
    at: datetime
    version: str
    text_hash: str
    edited_at: datetime | None
    seen_at: datetime
    checked_at: datetime
    gone_at: datetime | None = None
    gone_reason: str | None = None
    scrubbed_at: datetime | None = None


class Mention(SQLModel, table=True):
    """What was said. `at` is posted_at, or when it was first seen; it never changes."""

    __tablename__ = "mention"
    __table_args__ = (
        Index(None, "at"),
        partial("ix_mention_root", "root", where="root IS NOT NULL"),
        partial("ix_mention_author", "author", where="author IS NOT NULL"),
    )

    id: int = ref("mention_key.id", primary_key=True)
    at: datetime
    source: str
    platform: str
    kind: str
    visibility: str
    text: str = long_text()
    posted_at: datetime | None
    url: str = long_text()
    parent: str | None
    root: str | None
    author: str | None
    author_epoch: str | None
    own: bool
    stars: float | None
    language: str | None
    latitude: float | None
    longitude: float | None
    media: Any = json()


class MentionVersion(SQLModel, table=True):
    """What a mention said before an edit."""

    __tablename__ = "mention_version"

    id: int | None = row_id()
    mention_id: int = ref("mention_key.id", index=True)
    version: str
    text: str = long_text()
    seen_at: datetime
    replaced_at: datetime


class Sighting(SQLModel, table=True):
    """Which source saw a mention first, and which others did as well."""

    __tablename__ = "sighting"
    __table_args__ = ({"sqlite_with_rowid": False},)

    mention_id: int = ref("mention_key.id", primary_key=True)
    source: str = Field(primary_key=True)
    query_version: int
    seen_at: datetime


class Handle(SQLModel, table=True):
    """The encrypted name behind a pseudonym, kept apart so that it can be erased on its own."""

    __tablename__ = "handle"

    pseudonym: str = Field(primary_key=True)
    epoch: str = Field(index=True)
    sealed: bytes


class Repost(SQLModel, table=True):
    """A counter on its original, one row a repost; never a mention."""

    __tablename__ = "repost"
    __table_args__ = (Index(None, "platform", "original"),)

    platform: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    original: str
    source: str
    own: bool
    at: datetime
    gone_at: datetime | None = None


class PseudonymEpoch(SQLModel, table=True):
    """A key of pseudonyms. The key itself lies outside the database."""

    __tablename__ = "pseudonym_epoch"

    name: str = Field(primary_key=True)
    created_at: datetime
    destroyed_at: datetime | None = None
