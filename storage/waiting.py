"""What the desk shows beside a mention that waits: the decision that stands for it, and how many more there are."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from storage.desk import _narrowed
from storage.tables import case_link, cases, reading
from storage.views import LinkRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The decision that stands for a mention.

    Attributes:
        code, title: of the case it names; None if it names none.
        also_code: the case that a new case may belong to instead; None if the rules saw none.
    """

    link: LinkRow
    code: str | None
    title: str | None
    also_code: str | None


def decisions(read: Connection, ids: Sequence[int]) -> dict[int, Decision]:
    """The standing decision of each of these mentions that has one."""
    c = case_link.c
    rows = read.execute(select(case_link).where(c.mention_id.in_(ids), c.undone_at.is_(None)))
    links = [LinkRow(**row._mapping) for row in rows]
    named = {i for link in links for i in (link.case_id, _also(link)) if i is not None}
    wanted = select(cases.c.id, cases.c.code, cases.c.title).where(cases.c.id.in_(named))
    known = {row.id: (row.code, row.title) for row in read.execute(wanted)}
    nothing = (None, None)
    return {
        link.mention_id: Decision(
            link=link,
            code=known.get(link.case_id or 0, nothing)[0],
            title=known.get(link.case_id or 0, nothing)[1],
            also_code=known.get(_also(link) or 0, nothing)[0],
        )
        for link in links
    }


def _also(link: LinkRow) -> int | None:
    """The case that the rules saw beside the new one they opened."""
    suggestion = link.evidence.get("suggestion")
    found = suggestion.get("may_belong_to") if isinstance(suggestion, dict) else None
    return found if isinstance(found, int) else None


def newest(read: Connection) -> int:
    """The highest id of a mention that waits; 0 if none does. `desk.newer` counts those after it."""
    return int(read.execute(select(func.max(reading.c.mention_id)).where(reading.c.waiting)).scalar() or 0)


def count(
    read: Connection, *, topic: str | None = None, assignee: str | None = None, language: str | None = None
) -> int:
    """How many mentions wait that `desk.inbox` would list with the same wishes."""
    ids = _narrowed(select(reading.c.mention_id).where(reading.c.waiting), topic, None, assignee, language, None)
    return int(read.execute(select(func.count()).select_from(ids.subquery())).scalar_one())
