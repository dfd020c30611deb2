"""Epochs of pseudonyms. The keys lie outside the database, in data_dir/keys; here is which there are.

With a key destroyed, its pseudonyms can be linked to nobody any more, not even by us.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from core.actor import Actor
from storage import audit
from storage.sql import upsert
from storage.tables import handle, pseudonym_epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """One key's time. `name` is the key's id."""

    name: str
    created_at: datetime
    destroyed_at: datetime | None


def add(tx: Connection, name: str, now: datetime) -> bool:
    """Begin an epoch; False if it was begun before."""
    put = upsert(tx, pseudonym_epoch).values(name=name, created_at=now).on_conflict_do_nothing()
    return tx.execute(put.returning(pseudonym_epoch.c.name)).scalar_one_or_none() is not None


def all(read: Connection) -> list[Epoch]:
    """All epochs, oldest first."""
    rows = select(pseudonym_epoch).order_by(pseudonym_epoch.c.created_at, pseudonym_epoch.c.name)
    return [Epoch(**row._mapping) for row in read.execute(rows)]


def current(read: Connection) -> Epoch | None:
    """The newest epoch whose key was not destroyed."""
    return next((e for e in reversed(all(read)) if e.destroyed_at is None), None)


def destroy(tx: Connection, name: str, actor: Actor, reason: str, now: datetime) -> int:
    """Note that a key was destroyed, and erase the handles it sealed; return how many those were."""
    e = pseudonym_epoch.c
    here = update(pseudonym_epoch).where(e.name == name, e.destroyed_at.is_(None))
    if not tx.execute(here.values(destroyed_at=now)).rowcount:
        return 0
    erased = tx.execute(delete(handle).where(handle.c.epoch == name)).rowcount
    audit.append(tx, actor, "pseudonym.destroy", f"epoch:{name}", reason, None, {"handles": erased}, now)
    return erased


def sealed_handle(read: Connection, pseudonym: str) -> bytes | None:
    """The encrypted name behind a pseudonym, for a role that may open it; the caller audits that it did."""
    return read.execute(select(handle.c.sealed).where(handle.c.pseudonym == pseudonym)).scalar()


def erase_handle(tx: Connection, pseudonym: str, actor: Actor, reason: str, now: datetime) -> bool:
    """Erase one person's name; what they said stays."""
    if not tx.execute(delete(handle).where(handle.c.pseudonym == pseudonym)).rowcount:
        return False
    audit.append(tx, actor, "pseudonym.erase", f"author:{pseudonym}", reason, None, None, now)
    return True
