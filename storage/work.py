"""The ledger of work: a unit is a row here before any engine hears of it, so that nothing an engine loses is lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select, update

from core.actor import Actor
from core.errors import BadInput
from storage import audit
from storage.sql import plain, upsert
from storage.tables import work_unit

#: A waiting unit that no engine took for this long is handed to an engine again.
STALE = timedelta(minutes=5)
LONGEST_ERROR = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One piece of work.

    Attributes:
        state: pending, leased, done or dead.
        attempts: how often it was claimed, this time included.
        lane: "live" or "backfill": one never waits behind the other.
        created_at: the `now` that the unit was made with.
    """

    id: int
    stage: str
    key: str
    lane: str
    payload: dict[str, Any]
    state: str
    attempts: int
    owner: str | None
    lease_until: datetime | None
    last_error: str | None
    next_attempt_at: datetime
    created_at: datetime
    updated_at: datetime


def add(
    tx: Connection,
    stage: str,
    key: str,
    payload: dict[str, Any],
    now: datetime,
    lane: str = "live",
    *,
    not_before: datetime | None = None,
) -> int | None:
    """Write a unit down; return its id, or None if (stage, key) was there already, in whatever state."""
    new = {"stage": stage, "key": plain(key), "lane": lane, "payload": payload, "state": "pending", "attempts": 0}
    new |= {"next_attempt_at": not_before or now, "created_at": now, "updated_at": now}
    put = upsert(tx, work_unit).values(**new).on_conflict_do_nothing(index_elements=["stage", "key"])
    found = tx.execute(put.returning(work_unit.c.id)).scalar_one_or_none()
    return None if found is None else int(found)


def claim(
    tx: Connection, unit_id: int | None, stages: Sequence[str], now: datetime, lease: timedelta, owner: str
) -> Unit | None:
    """Take a unit for `lease`: that one, or the next due of these stages (live before back-fill, oldest first).

    None if it is not to be had: done, dead, not due, or in somebody's hands. Safe with many workers.
    """
    w = work_unit.c
    free = [w.state == "pending", w.next_attempt_at <= now]
    if stages:
        free.append(w.stage.in_(stages))
    if unit_id is not None:
        free.append(w.id == unit_id)
    pick = select(w.id).where(*free).order_by(w.lane.desc(), w.next_attempt_at, w.id).limit(1)
    found = tx.execute(pick.with_for_update(skip_locked=True)).scalar_one_or_none()
    if found is None:
        return None
    taken = update(work_unit).where(w.id == found)
    taken = taken.values(state="leased", attempts=w.attempts + 1, owner=owner, lease_until=now + lease, updated_at=now)
    return Unit(**tx.execute(taken.returning(work_unit)).one()._mapping)


def extend(tx: Connection, unit_id: int, owner: str, until: datetime) -> bool:
    """Keep a unit longer; False if it is not this owner's any more."""
    w = work_unit.c
    mine = update(work_unit).where(w.id == unit_id, w.owner == owner, w.state == "leased")
    return tx.execute(mine.values(lease_until=until)).rowcount == 1


def finish(tx: Connection, unit_id: int, now: datetime, owner: str | None = None) -> bool:
    """Done. With `owner`: False, and nothing changes, if the lease went to somebody else meanwhile."""
    return _leave(tx, unit_id, now, owner, state="done", last_error=None)


def fail(
    tx: Connection, unit_id: int, error: str, now: datetime, retry_at: datetime | None, owner: str | None = None
) -> bool:
    """It did not work: try again at `retry_at`; None puts it among the dead letters, where a person sees it."""
    message = plain(error)[:LONGEST_ERROR]
    if retry_at is None:
        return _leave(tx, unit_id, now, owner, state="dead", last_error=message)
    return _leave(tx, unit_id, now, owner, state="pending", last_error=message, next_attempt_at=retry_at)


def _leave(tx: Connection, unit_id: int, now: datetime, owner: str | None, **values: Any) -> bool:
    w = work_unit.c
    mine = [w.id == unit_id] if owner is None else [w.id == unit_id, w.owner == owner, w.state == "leased"]
    gone = update(work_unit).where(*mine).values(**values, owner=None, lease_until=None, updated_at=now)
    return tx.execute(gone).rowcount == 1


def sweep(
    tx: Connection, now: datetime, max_attempts: int, stale: timedelta = STALE, limit: int = 1000
) -> list[tuple[str, int]]:
    """Free units past their lease, park those past their attempts; return (stage, id) of all to be submitted again.

    Among them are units that have been due for `stale` without being claimed: an engine may have lost the message.
    """
    w = work_unit.c
    lost = and_(w.state == "leased", w.lease_until < now)
    why = func.coalesce(w.last_error + " / ", "") + "the worker died or took longer than its lease"
    free = {"owner": None, "lease_until": None, "updated_at": now}
    dead = update(work_unit).where(lost, w.attempts >= max_attempts)
    tx.execute(dead.values(state="dead", last_error=func.substr(why, 1, LONGEST_ERROR), **free))
    back = update(work_unit).where(lost).values(state="pending", next_attempt_at=now, **free)
    freed = [(row.stage, row.id) for row in tx.execute(back.returning(w.stage, w.id))]
    waiting = and_(w.state == "pending", w.next_attempt_at < now - stale, w.updated_at < now - stale)
    ids = select(w.id).where(waiting).order_by(w.next_attempt_at, w.id).limit(limit)
    touched = update(work_unit).where(w.id.in_(ids)).values(updated_at=now).returning(w.stage, w.id)
    return sorted({*freed, *((row.stage, row.id) for row in tx.execute(touched))}, key=lambda pair: pair[1])


def pending(read: Connection, stages: Sequence[str], limit: int, *, now: datetime | None = None) -> list[Unit]:
    """Units that wait, next first; with `now` only those that are due. No stages means all."""
    w = work_unit.c
    wanted = select(work_unit).where(w.state == "pending").order_by(w.lane.desc(), w.next_attempt_at, w.id).limit(limit)
    if stages:
        wanted = wanted.where(w.stage.in_(stages))
    if now is not None:
        wanted = wanted.where(w.next_attempt_at <= now)
    return [Unit(**row._mapping) for row in read.execute(wanted)]


def dead(read: Connection, limit: int = 200) -> list[Unit]:
    """Units that were given up, newest first: an operator looks at them and retries or leaves them."""
    w = work_unit.c
    rows = select(work_unit).where(w.state == "dead").order_by(w.updated_at.desc(), w.id.desc()).limit(limit)
    return [Unit(**row._mapping) for row in read.execute(rows)]


def one(read: Connection, unit_id: int) -> Unit | None:
    """A unit by its id."""
    row = read.execute(select(work_unit).where(work_unit.c.id == unit_id)).one_or_none()
    return None if row is None else Unit(**row._mapping)


def retry(tx: Connection, unit_id: int, actor: Actor, now: datetime) -> str:
    """Bring a dead unit back, its attempts counted anew; return its stage.

    Raises:
        BadInput: no such dead unit.
    """
    w = work_unit.c
    back = update(work_unit).where(w.id == unit_id, w.state == "dead")
    back = back.values(state="pending", attempts=0, next_attempt_at=now, updated_at=now)
    row = tx.execute(back.returning(w.stage, w.key, w.last_error)).one_or_none()
    if row is None:
        raise BadInput(f"work unit {unit_id} is not among the dead letters: it may have been retried already")
    audit.append(tx, actor, "work.retry", f"work_unit:{unit_id}", f"{row.stage} {row.key}", "dead", "pending", now)
    return str(row.stage)


def counts(read: Connection) -> dict[str, dict[str, int]]:
    """How many units are in each state, by stage: {"score": {"pending": 3, "done": 17}}."""
    w = work_unit.c
    rows = read.execute(select(w.stage, w.state, func.count().label("n")).group_by(w.stage, w.state))
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row.stage, {})[row.state] = row.n
    return found


def oldest(read: Connection) -> datetime | None:
    """Since when the unit that is due longest has been due: how far behind the work is."""
    w = work_unit.c
    return read.execute(select(func.min(w.next_attempt_at)).where(or_(w.state == "pending"))).scalar()
