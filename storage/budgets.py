"""When each host may be asked next, shared by all workers."""

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Connection, select, update

from storage.sql import plain, upsert
from storage.tables import host_budget


def take(tx: Connection, host: str, gap: timedelta, now: datetime) -> datetime | None:
    """Ask for a turn: None if it is granted, or from when on to ask again. A turn keeps the others off for `gap`."""
    b, host = host_budget.c, plain(host)[:255]
    tx.execute(upsert(tx, host_budget).values(host=host, next_at=now).on_conflict_do_nothing())
    mine = update(host_budget).where(b.host == host, b.next_at <= now).values(next_at=now + gap)
    if tx.execute(mine).rowcount:
        return None
    return cast("datetime", tx.execute(select(b.next_at).where(b.host == host)).scalar_one())


def hold_off(tx: Connection, host: str, until: datetime) -> None:
    """The host said to wait: nobody asks it before then."""
    b, host = host_budget.c, plain(host)[:255]
    tx.execute(upsert(tx, host_budget).values(host=host, next_at=until).on_conflict_do_nothing())
    tx.execute(update(host_budget).where(b.host == host, b.next_at < until).values(next_at=until))
