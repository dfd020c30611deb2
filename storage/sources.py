"""The configured sources: when each is due, how far it has read, how it does."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, or_, select, update

from storage.sql import plain, upsert
from storage.tables import source

#: ok; waiting (asked again later); attention (a fault to fix here); refused (the operator must act); retired (gone).
STATES = ("ok", "waiting", "attention", "refused", "retired")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """One source.

    Attributes:
        message: why the state is what it is, in words for the operator.
        retry_at: not asked before then, if set.
        ok_at: when it last answered as it should.
    """

    name: str
    kind: str
    every_seconds: int
    enabled: bool
    next_due_at: datetime
    cursor: str | None
    state: str
    message: str
    state_at: datetime
    retry_at: datetime | None
    ok_at: datetime | None


def sync(tx: Connection, names_kinds: Mapping[str, tuple[str, float, bool]], now: datetime) -> None:
    """Take over the sources of the settings, name -> (kind, every_seconds, enabled).

    A source that is not in the settings any more is switched off; its mentions, cursor and ledger stay.
    A refused or retired source is asked again when it is switched off and on.
    """
    known = {row.name: row for row in all(tx)}
    for name in known.keys() - names_kinds.keys():
        tx.execute(update(source).where(source.c.name == name).values(enabled=False))
    for name, (kind, every, enabled) in names_kinds.items():
        old = known.get(name)
        if old is None:
            new = {"name": name, "kind": kind, "every_seconds": int(every), "enabled": enabled, "next_due_at": now}
            new |= {"state": "ok", "message": "", "state_at": now}
            tx.execute(upsert(tx, source).values(**new).on_conflict_do_nothing())
            continue
        change: dict[str, Any] = {"kind": kind, "every_seconds": int(every), "enabled": enabled}
        if kind != old.kind:
            change["cursor"] = None  # another kind cannot read it
        if enabled and not old.enabled:
            change |= {"state": "ok", "message": "", "state_at": now, "retry_at": None, "next_due_at": now}
        tx.execute(update(source).where(source.c.name == name).values(**change))


def claim_due(tx: Connection, now: datetime, limit: int, rng: random.Random | None = None) -> list[SourceRow]:
    """Take the sources that are due, most overdue first, and set their next time from now.

    What was missed while nobody ran is not caught up: one run reads all. With `rng`, up to a tenth of the interval
    is added, so that sources do not march in step. Rows are as they were before.
    """
    s = source.c
    due = select(source).where(s.enabled, s.next_due_at <= now, s.state.not_in(("refused", "retired")))
    due = due.where(or_(s.retry_at.is_(None), s.retry_at <= now))
    due = due.order_by(s.next_due_at, s.name).limit(limit).with_for_update(skip_locked=True)
    rows = [SourceRow(**row._mapping) for row in tx.execute(due)]
    for row in rows:
        jitter = rng.random() * row.every_seconds / 10 if rng is not None else 0.0
        following = now + timedelta(seconds=row.every_seconds + jitter)
        tx.execute(update(source).where(s.name == row.name).values(next_due_at=following))
    return rows


def cursor(read: Connection, name: str) -> str | None:
    """Where the next Head of this source starts."""
    return read.execute(select(source.c.cursor).where(source.c.name == name)).scalar_one_or_none()


def set_cursor(tx: Connection, name: str, cursor: str | None) -> None:
    """Move the cursor; belongs in the transaction that stores the batch. None leaves it as it is."""
    if cursor is not None:
        tx.execute(update(source).where(source.c.name == name).values(cursor=plain(cursor)))


def set_state(
    tx: Connection, name: str, state: str, message: str, now: datetime, retry_at: datetime | None = None
) -> None:
    """Say how a source does: one of STATES, and why."""
    if state not in STATES:
        raise ValueError(f"a source is one of {', '.join(STATES)}, not {state!r}")
    values: dict[str, Any] = {"state": state, "message": plain(message)[:1000], "state_at": now, "retry_at": retry_at}
    if state == "ok":
        values["ok_at"] = now
    tx.execute(update(source).where(source.c.name == name).values(**values))


def ask_now(tx: Connection, name: str, now: datetime) -> bool:
    """Make a source due at once, whatever its state was; False if there is no such source."""
    again = {"next_due_at": now, "retry_at": None, "state": "ok", "message": "", "state_at": now}
    return tx.execute(update(source).where(source.c.name == name).values(**again)).rowcount == 1


def one(read: Connection, name: str) -> SourceRow | None:
    """A source by its name."""
    row = read.execute(select(source).where(source.c.name == name)).one_or_none()
    return None if row is None else SourceRow(**row._mapping)


def all(read: Connection) -> list[SourceRow]:
    """Every source that was ever configured, by name."""
    return [SourceRow(**row._mapping) for row in read.execute(select(source).order_by(source.c.name))]
