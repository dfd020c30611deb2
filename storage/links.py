"""Decisions that put mentions to cases. Each says why, is audited, and can be undone."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from core.actor import Actor
from core.case import Link
from storage import audit
from storage.tables import case_link, cases, reading

# Built once: every decision runs them.
_STANDING = select(case_link).where(case_link.c.mention_id == bindparam("mention"), case_link.c.undone_at.is_(None))
_ADD_LINK = insert(case_link).returning(case_link.c.id)
_DECIDED = update(reading).where(reading.c.mention_id == bindparam("mention")).values(undecided=False)
_TOUCHED = update(cases).where(cases.c.id == bindparam("case")).values(updated_at=bindparam("now"))


def link(tx: Connection, mention_id: int, decision: Link, now: datetime, actor: Actor, *, reason: str = "") -> int:
    """Store a decision about a mention; return its id.

    The same decision again changes nothing. A job's decision never replaces one that stands; a person's does, and
    the one that stood is undone and kept.
    """
    c = case_link.c
    standing = tx.execute(_STANDING, {"mention": mention_id}).one_or_none()
    if standing is not None:
        if actor.kind == "job" or _same(standing, decision):
            return int(standing.id)
        undone = update(case_link).where(c.id == standing.id)
        tx.execute(undone.values(undone_at=now, undone_by=str(actor), undone_reason=reason or "replaced"))
    new = {
        "mention_id": mention_id,
        "case_id": decision.case_id,
        "verdict": decision.verdict.value,
        "rule": decision.rule.value,
        "score": decision.score,
        "evidence": decision.evidence,
        "decided_by": str(actor) if actor.kind == "person" else decision.decided_by,
        "decided_at": now,
    }
    link_id = int(tx.execute(_ADD_LINK, new).scalar_one())
    tx.execute(_DECIDED, {"mention": mention_id})
    if decision.case_id is not None:
        tx.execute(_TOUCHED, {"case": decision.case_id, "now": now})
    before = None if standing is None else _brief(standing)
    after = {"verdict": new["verdict"], "rule": new["rule"], "case": decision.case_id, "score": decision.score}
    audit.append(tx, actor, f"link.{new['verdict']}", f"mention:{mention_id}", reason, before, after, now)
    return link_id


def _same(standing: Row[Any], decision: Link) -> bool:
    return (standing.verdict, standing.case_id) == (decision.verdict.value, decision.case_id)


def _brief(row: Row[Any]) -> dict[str, Any]:
    return {"verdict": row.verdict, "rule": row.rule, "case": row.case_id, "by": row.decided_by}


def unlink(tx: Connection, link_id: int, actor: Actor, reason: str, now: datetime) -> bool:
    """Undo a decision; it is kept, with who undid it and why. False if it was undone already.

    The linker does not take the mention up again: a person took it out.
    """
    c = case_link.c
    row = tx.execute(select(case_link).where(c.id == link_id)).one_or_none()
    if row is None or row.undone_at is not None:
        return False
    undone = update(case_link).where(c.id == link_id)
    tx.execute(undone.values(undone_at=now, undone_by=str(actor), undone_reason=reason))
    audit.append(tx, actor, "link.undo", f"mention:{row.mention_id}", reason, _brief(row), None, now)
    return True


def unlinked(read: Connection, after_id: int, limit: int) -> list[int]:
    """Ids, ascending, of mentions that are read, not the agency's own, and about which nothing is decided yet."""
    r = reading.c
    wanted = select(r.mention_id).where(r.undecided, r.mention_id > after_id).order_by(r.mention_id).limit(limit)
    return list(read.execute(wanted).scalars())
