"""The audit chain: each row's hash covers the row before it, so nothing can be changed, taken out or moved unseen.

A chain alone does not show that its end was cut off: `audit_head` counts it, and `anchor` is for keeping elsewhere.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, text, update

from core.actor import Actor
from storage.sql import insert_all, is_postgres, plain
from storage.tables import audit, audit_head

#: What the first row stands on.
GENESIS = "0" * 64
#: Held to the end of the transaction, so that rows are chained one after the other. SQLite has one writer anyway.
_LOCK = 0x6F656175
# Built once: every decision runs them.
_END = select(audit_head.c.rows, audit_head.c.head)
_MOVE = update(audit_head).values(rows=bindparam("number"), head=bindparam("newest"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One decision to be written down. `before` and `after` are plain values; never a resident's words."""

    actor: Actor
    action: str
    subject: str
    reason: str = ""
    before: Any = None
    after: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """How long the chain was and how it ended: kept elsewhere, it shows a chain that was cut and sewn up."""

    rows: int
    head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether the chain is whole. `broken_at` is the number of the first row that is not as it was written."""

    ok: bool
    rows: int
    head: str
    broken_at: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """A row of the chain, as pages show it."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    reason: str
    before: Any
    after: Any


def append(
    tx: Connection,
    actor: Actor,
    action: str,
    subject: str,
    reason: str,
    before: Any,
    after: Any,
    now: datetime,
) -> None:
    """Write one decision down, in the transaction that carries it out.

    `subject` is what it was done to, e.g. "mention:17" or "case:4". `before` and `after` are plain JSON values or
    None; never a resident's words, which must stay erasable.
    """
    entry = Entry(actor=actor, action=action, subject=subject, reason=reason, before=before, after=after)
    append_all(tx, [entry], now)


def append_all(tx: Connection, entries: Iterable[Entry], now: datetime) -> None:
    """Write many decisions down, in order."""
    if is_postgres(tx):
        tx.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    end = tx.execute(_END).one()
    number, head, rows = end.rows, end.head, []
    for entry in entries:
        number += 1
        row = _row(number, entry, head, now)
        head = row["hash"]
        rows.append(row)
    if rows:
        insert_all(tx, audit, rows)
        tx.execute(_MOVE, {"number": number, "newest": head})


def _row(number: int, entry: Entry, prev: str, now: datetime) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": number,
        "at": now.astimezone(UTC),
        "actor_kind": plain(entry.actor.kind),
        "actor_issuer": plain(entry.actor.issuer),
        "actor_subject": plain(entry.actor.subject),
        "action": plain(entry.action),
        "subject": plain(entry.subject),
        "reason": plain(entry.reason),
        "before": _canonical(entry.before),
        "after": _canonical(entry.after),
        "prev": prev,
    }
    return {**row, "hash": digest(row)}


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)


def digest(row: Mapping[str, Any]) -> str:
    """SHA-256 of the row before and this row as canonical JSON."""
    content = {k: v for k, v in row.items() if k not in ("prev", "hash")}
    content["at"] = content["at"].isoformat(timespec="microseconds")
    return hashlib.sha256((row["prev"] + _canonical(content)).encode()).hexdigest()


def verify(read: Connection, anchor: Anchor | None = None) -> Verdict:
    """Go through the whole chain: changed, missing, moved and cut-off rows all show.

    `anchor` is what `anchor()` said earlier, kept where this database's administrator cannot write.
    """
    head, number, seen_anchor = GENESIS, 0, anchor is None or anchor.rows == 0
    rows = select(audit).order_by(audit.c.id).execution_options(yield_per=2000)
    with read.execute(rows) as chain:
        for row in chain:
            number += 1
            why = _fault(row, number, head)
            head = row.hash
            if anchor is not None and number == anchor.rows:
                seen_anchor = anchor.head == head
                why = why or ("" if seen_anchor else "is not what the anchor says")
            if why:
                return Verdict(ok=False, rows=number, head=head, broken_at=number, why=why)
    end = read.execute(_END).one()
    if (end.rows, end.head) != (number, head) or not seen_anchor:
        return Verdict(ok=False, rows=number, head=head, broken_at=number + 1, why="the end was cut off")
    return Verdict(ok=True, rows=number, head=head)


def _fault(row: Row[Any], number: int, head: str) -> str:
    if row.id != number:
        return "a row is missing"
    if row.prev != head:
        return "does not follow the row before it"
    return "" if row.hash == digest(dict(row._mapping)) else "was changed"


def anchor(read: Connection) -> Anchor:
    """Where the chain stands now."""
    end = read.execute(select(audit_head.c.rows, audit_head.c.head)).one()
    return Anchor(rows=end.rows, head=end.head)


def page(
    read: Connection, *, subject: str | None = None, limit: int = 100, before_id: int | None = None
) -> list[AuditEntry]:
    """The newest decisions, of one subject or of all."""
    rows = select(audit).order_by(audit.c.id.desc()).limit(limit)
    if subject is not None:
        rows = rows.where(audit.c.subject == subject)
    if before_id is not None:
        rows = rows.where(audit.c.id < before_id)
    return [
        AuditEntry(
            id=row.id,
            at=row.at,
            actor=f"{row.actor_kind}:{row.actor_subject}",
            action=row.action,
            subject=row.subject,
            reason=row.reason,
            before=json.loads(row.before),
            after=json.loads(row.after),
        )
        for row in read.execute(rows)
    ]
