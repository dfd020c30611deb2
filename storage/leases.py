"""Who holds units of work, and taking back what a process held that is no more."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from storage.tables import work_unit

_PAST = timedelta(microseconds=1)


def holders(read: Connection) -> list[str]:
    """The owners of all leases that stand, by name."""
    w = work_unit.c
    names = select(w.owner).where(w.state == "leased", w.owner.is_not(None)).distinct().order_by(w.owner)
    return list(read.execute(names).scalars())


def expire(tx: Connection, owner: str, now: datetime) -> int:
    """End every lease of an owner that is known to be gone; return how many. The next sweep hands them out again."""
    w = work_unit.c
    held = update(work_unit).where(w.state == "leased", w.owner == owner, w.lease_until >= now)
    return tx.execute(held.values(lease_until=now - _PAST)).rowcount
