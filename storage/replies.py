"""That a mention was answered, and that this was taken back. Both are kept."""

from datetime import datetime

from sqlalchemy import Connection, insert, or_, select, update

from core.actor import Actor
from core.errors import BadInput
from storage import audit
from storage.sql import plain
from storage.tables import case_link, cases, reading, reply


def mark_answered(tx: Connection, mention_id: int, actor: Actor, note: str, now: datetime) -> int:
    """Note that a mention was answered: it leaves the desk. The same again changes nothing. Return the reply's id.

    Raises:
        BadInput: there is no such mention, or it is the agency's own.
    """
    p = reply.c
    standing = tx.execute(select(p.id).where(p.mention_id == mention_id, p.undone_at.is_(None))).scalar()
    if standing is not None:
        return int(standing)
    answered = update(reading).where(reading.c.mention_id == mention_id).values(answered_at=now, waiting=False)
    if not tx.execute(answered).rowcount:
        raise BadInput(f"there is no mention {mention_id} of a resident that could be answered")
    new = {"mention_id": mention_id, "actor": str(actor), "note": plain(note), "at": now}
    reply_id = int(tx.execute(insert(reply).values(**new).returning(p.id)).scalar_one())
    link = case_link.c
    at_case = select(link.case_id).where(link.mention_id == mention_id, link.undone_at.is_(None))
    first = update(cases).where(cases.c.id.in_(at_case), cases.c.answered_at.is_(None))
    tx.execute(first.values(answered_at=now, updated_at=now))
    audit.append(tx, actor, "reply.answered", f"mention:{mention_id}", "", None, {"reply": reply_id}, now)
    return reply_id


def undo(
    tx: Connection, reply_id: int, actor: Actor, now: datetime, reason: str = "", *, threshold: float = 0.5
) -> bool:
    """Take an answer back: the mention is on the desk again if it still needs one. False if it was taken back."""
    p, r = reply.c, reading.c
    row = tx.execute(select(reply).where(p.id == reply_id, p.undone_at.is_(None))).one_or_none()
    if row is None:
        return False
    tx.execute(update(reply).where(p.id == reply_id).values(undone_at=now, undone_by=str(actor)))
    tx.execute(update(reading).where(r.mention_id == row.mention_id).values(answered_at=None))
    asks = or_(r.needs, (r.safety >= threshold) & (r.about_us >= threshold))
    again = update(reading).where(r.mention_id == row.mention_id, asks, r.model != "-")
    tx.execute(again.values(waiting=True))
    audit.append(tx, actor, "reply.undo", f"mention:{row.mention_id}", reason, {"reply": reply_id}, None, now)
    return True


def standing(read: Connection, mention_id: int) -> int | None:
    """The id of the reply that stands for a mention, to undo it by."""
    p = reply.c
    return read.execute(select(p.id).where(p.mention_id == mention_id, p.undone_at.is_(None))).scalar()
