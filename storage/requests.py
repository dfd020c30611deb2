"""What a page wants done: it writes a row, a job does it. A page never calls a network or a model."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from core.actor import Actor
from storage import audit
from storage.sql import plain
from storage.tables import request


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """One request. `state` is waiting, done or failed; `answer` says how it went, in words for who asked."""

    id: int
    kind: str
    payload: dict[str, Any]
    actor: Actor
    state: str
    answer: str
    asked_at: datetime
    done_at: datetime | None


def add(tx: Connection, kind: str, payload: dict[str, Any], actor: Actor, now: datetime) -> int:
    """Ask for something, e.g. ("collect", {"source": "town_feed"}); return the request's id."""
    new = {"kind": kind, "payload": payload, "state": "waiting", "answer": "", "asked_at": now}
    new |= {"actor_kind": actor.kind, "actor_issuer": actor.issuer, "actor_subject": actor.subject}
    request_id = int(tx.execute(insert(request).values(**new).returning(request.c.id)).scalar_one())
    audit.append(tx, actor, f"request.{kind}", f"request:{request_id}", "", None, payload, now)
    return request_id


def waiting(read: Connection, limit: int = 100) -> list[RequestRow]:
    """Requests that nobody has done yet, oldest first."""
    rows = select(request).where(request.c.state == "waiting").order_by(request.c.id).limit(limit)
    return [_row(row) for row in read.execute(rows)]


def one(read: Connection, request_id: int) -> RequestRow | None:
    """How a request stands."""
    row = read.execute(select(request).where(request.c.id == request_id)).one_or_none()
    return None if row is None else _row(row)


def recent(read: Connection, limit: int = 20) -> list[RequestRow]:
    """The last requests, newest first."""
    return [_row(row) for row in read.execute(select(request).order_by(request.c.id.desc()).limit(limit))]


def finish(tx: Connection, request_id: int, answer: str, now: datetime) -> bool:
    """It was done; False if it was not waiting."""
    return _end(tx, request_id, "done", answer, now)


def fail(tx: Connection, request_id: int, answer: str, now: datetime) -> bool:
    """It could not be done; `answer` says why and what to do. False if it was not waiting."""
    return _end(tx, request_id, "failed", answer, now)


def _end(tx: Connection, request_id: int, state: str, answer: str, now: datetime) -> bool:
    here = update(request).where(request.c.id == request_id, request.c.state == "waiting")
    return tx.execute(here.values(state=state, answer=plain(answer), done_at=now)).rowcount == 1


def _row(row: Row[Any]) -> RequestRow:
    return RequestRow(
        actor=Actor(kind=row.actor_kind, issuer=row.actor_issuer, subject=row.actor_subject),
        **{n: getattr(row, n) for n in RequestRow.__dataclass_fields__ if n != "actor"},
    )
