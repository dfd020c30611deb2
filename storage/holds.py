"""Legal holds: what they cover keeps its text, whatever a source or a retention rule says, until they are released."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, insert, or_, select, update

from core.actor import Actor
from core.errors import BadInput
from storage import audit
from storage.sql import chunks
from storage.tables import case_link, hold, mention_key


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRow:
    """One hold. A condition that is None matches everything; all that are set must match."""

    id: int
    name: str
    reason: str
    mention_id: int | None
    case_id: int | None
    platform: str | None
    source: str | None
    since: datetime | None
    until: datetime | None
    placed_at: datetime
    placed_by: str
    released_at: datetime | None
    released_by: str | None


def place(
    tx: Connection,
    name: str,
    reason: str,
    actor: Actor,
    now: datetime,
    *,
    mention_id: int | None = None,
    case_id: int | None = None,
    platform: str | None = None,
    source: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> int:
    """Hold what matches all the conditions given; `since` and `until` bound when it was said.

    Raises:
        BadInput: a hold needs a reason.
    """
    if not reason.strip():
        raise BadInput("a legal hold needs a reason: name the matter it belongs to")
    what: dict[str, Any] = {"mention_id": mention_id, "case_id": case_id, "platform": platform, "source": source}
    what |= {"since": since, "until": until}
    row = {"name": name, "reason": reason, "placed_at": now, "placed_by": str(actor), **what}
    hold_id = int(tx.execute(insert(hold).values(**row).returning(hold.c.id)).scalar_one())
    audit.append(tx, actor, "hold.place", f"hold:{hold_id}", reason, None, {"name": name, **what}, now)
    return hold_id


def release(tx: Connection, hold_id: int, actor: Actor, reason: str, now: datetime) -> None:
    """Release a hold: the next retention run erases what it alone had kept."""
    here = update(hold).where(hold.c.id == hold_id, hold.c.released_at.is_(None))
    if tx.execute(here.values(released_at=now, released_by=str(actor))).rowcount:
        audit.append(tx, actor, "hold.release", f"hold:{hold_id}", reason, None, None, now)


def standing(read: Connection) -> list[HoldRow]:
    """Holds that are not released, oldest first."""
    rows = read.execute(select(hold).where(hold.c.released_at.is_(None)).order_by(hold.c.id))
    return [HoldRow(**row._mapping) for row in rows]


def held(read: Connection, ids: Sequence[int]) -> set[int]:
    """Which of these mentions a standing hold covers."""
    conditions = [covered(row) for row in standing(read)]
    if not conditions:
        return set()
    found: set[int] = set()
    for some in chunks(ids):
        found.update(
            read.execute(select(mention_key.c.id).where(mention_key.c.id.in_(some), or_(*conditions))).scalars()
        )
    return found


def covered(row: HoldRow) -> ColumnElement[bool]:
    """The mentions (of mention_key) that this hold covers, in SQL."""
    k = mention_key.c
    conditions: list[ColumnElement[bool]] = [k.id == k.id]
    if row.mention_id is not None:
        conditions.append(k.id == row.mention_id)
    if row.case_id is not None:
        conditions.append(k.id.in_(select(case_link.c.mention_id).where(case_link.c.case_id == row.case_id)))
    if row.platform is not None:
        conditions.append(k.platform == row.platform)
    if row.source is not None:
        conditions.append(k.source == row.source)
    if row.since is not None:
        conditions.append(k.at >= row.since)
    if row.until is not None:
        conditions.append(k.at < row.until)
    return and_(*conditions)
