"""Alerts: somebody must be told at once, once. Whether a message went out may be unknown, and that is a state too."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from core.actor import Actor
from storage import audit
from storage.sql import plain, upsert
from storage.tables import alert

#: waiting: not tried yet; unknown: tried, and nobody knows if it went; sent; failed: it surely did not go.
STATES = ("waiting", "unknown", "sent", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """One alert on one channel.

    Attributes:
        subject: what it is about, e.g. "safety"; never a resident's words.
        seen_at, seen_by: when a person said that they know.
    """

    id: int
    key: str
    channel: str
    subject: str
    mention_id: int | None
    state: str
    attempts: int
    error: str
    raised_at: datetime
    tried_at: datetime | None
    seen_at: datetime | None
    seen_by: str | None


def add(
    tx: Connection, key: str, channel: str, subject: str, now: datetime, *, mention_id: int | None = None
) -> int | None:
    """Raise an alert; return its id, or None if that key was raised before: nobody is told twice.

    `key` is e.g. "safety:17:email".
    """
    new: dict[str, Any] = {"key": plain(key), "channel": channel, "subject": plain(subject), "mention_id": mention_id}
    new |= {"state": "waiting", "attempts": 0, "error": "", "raised_at": now}
    put = upsert(tx, alert).values(**new).on_conflict_do_nothing(index_elements=["key"])
    found = tx.execute(put.returning(alert.c.id)).scalar_one_or_none()
    return None if found is None else int(found)


def start(tx: Connection, alert_id: int, now: datetime) -> bool:
    """About to be sent: from here on it is unknown, until `set_state` says more. False if it was sent already.

    Commit before sending: a crash in between then leaves the truth, that nobody knows.
    """
    a = alert.c
    here = update(alert).where(a.id == alert_id, a.state.in_(("waiting", "failed", "unknown")))
    return tx.execute(here.values(state="unknown", attempts=a.attempts + 1, tried_at=now)).rowcount == 1


def set_state(tx: Connection, alert_id: int, state: str, now: datetime, error: str = "") -> None:
    """Say how it went: one of STATES."""
    if state not in STATES:
        raise ValueError(f"an alert is one of {', '.join(STATES)}, not {state!r}")
    here = update(alert).where(alert.c.id == alert_id)
    tx.execute(here.values(state=state, error=plain(error)[:1000], tried_at=now))


def unsent(read: Connection, limit: int = 100) -> list[AlertRow]:
    """Alerts that are not known to have been sent, oldest first."""
    rows = select(alert).where(alert.c.state != "sent").order_by(alert.c.id).limit(limit)
    return [AlertRow(**row._mapping) for row in read.execute(rows)]


def unseen(read: Connection, limit: int = 100) -> list[AlertRow]:
    """Alerts that no person has acknowledged, newest first."""
    rows = select(alert).where(alert.c.seen_at.is_(None)).order_by(alert.c.id.desc()).limit(limit)
    return [AlertRow(**row._mapping) for row in read.execute(rows)]


def acknowledge(tx: Connection, alert_id: int, actor: Actor, now: datetime) -> bool:
    """A person knows; False if somebody said so before."""
    here = update(alert).where(alert.c.id == alert_id, alert.c.seen_at.is_(None))
    if not tx.execute(here.values(seen_at=now, seen_by=str(actor))).rowcount:
        return False
    audit.append(tx, actor, "alert.seen", f"alert:{alert_id}", "", None, None, now)
    return True
