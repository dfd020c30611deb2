"""The desk: mentions that wait for an answer, found through partial indexes, however long the history is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Select, and_, func, select, update

from core.actor import Actor
from core.errors import BadInput
from storage import audit
from storage.tables import case_link, cases, mention, mention_key, reading, reading_topic

Order = Literal["urgent", "newest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxItem:
    """A mention that waits.

    Attributes:
        label: negative, neutral, positive or "unread".
        case_id, case_code: the case it stands at or is suggested for; `verdict` says which.
    """

    mention_id: int
    at: datetime
    posted_at: datetime | None
    platform: str
    source: str
    kind: str
    visibility: str
    text: str
    url: str
    language: str
    stars: float | None
    label: str
    topics: tuple[str, ...]
    needs_answer: float
    urgency: float
    safety: float
    assignee: str | None
    verdict: str | None
    case_id: int | None
    case_code: str | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The numbers on the badges: how many mentions wait, of them assigned to nobody, negative, and maybe harmful."""

    waiting: int
    unassigned: int
    negative: int
    safety: int


def inbox(
    read: Connection,
    *,
    order: Order = "urgent",
    limit: int = 25,
    offset: int = 0,
    topic: str | None = None,
    label: str | None = None,
    assignee: str | None = None,
    language: str | None = None,
    platform: str | None = None,
) -> list[InboxItem]:
    """Mentions that wait for an answer: the most urgent or the newest first. `assignee` "" means nobody's."""
    r = reading.c
    by = (r.urgency.desc(), r.mention_id.desc()) if order == "urgent" else (r.at.desc(), r.mention_id.desc())
    ids = select(r.mention_id).where(r.waiting).order_by(*by).limit(limit).offset(offset)
    ids = _narrowed(ids, topic, label, assignee, language, platform)
    wanted = list(read.execute(ids).scalars())
    found = {item.mention_id: item for item in _items(read, wanted)}
    return [found[i] for i in wanted if i in found]


def _narrowed(
    ids: Select[Any],
    topic: str | None,
    label: str | None,
    assignee: str | None,
    language: str | None,
    platform: str | None,
) -> Select[Any]:
    r, t = reading.c, reading_topic.c
    if topic is not None:
        ids = ids.where(r.mention_id.in_(select(t.mention_id).where(t.mention_id == r.mention_id, t.topic == topic)))
    if platform is not None:
        ids = ids.join(mention_key, mention_key.c.id == r.mention_id).where(mention_key.c.platform == platform)
    if assignee is not None:
        ids = ids.where(r.assignee == assignee if assignee else r.assignee.is_(None))
    for column, value in ((r.label, label), (r.language, language)):
        if value is not None:
            ids = ids.where(column == value)
    return ids


def items(read: Connection, ids: list[int]) -> list[InboxItem]:
    """These mentions, waiting or not, as the desk lists them, in the order asked; removed and own ones left out."""
    found = {item.mention_id: item for item in _items(read, ids)}
    return [found[i] for i in ids if i in found]


def _items(read: Connection, ids: list[int]) -> list[InboxItem]:
    m, r, k, link = mention.c, reading.c, mention_key.c, case_link.c
    columns = (m.posted_at, m.platform, m.source, m.kind, m.visibility, m.text, m.url, m.stars)
    wanted = (
        select(reading, *columns, link.verdict, link.case_id, cases.c.code, cases.c.due_at)
        .join(mention, and_(m.id == r.mention_id, m.at == r.at))
        .join(mention_key, k.id == r.mention_id)
        .outerjoin(case_link, and_(link.mention_id == r.mention_id, link.undone_at.is_(None)))
        .outerjoin(cases, cases.c.id == link.case_id)
        .where(r.mention_id.in_(ids), k.gone_at.is_(None))
    )
    rows = list(read.execute(wanted))
    topics = _topics(read, ids)
    plain = [n for n in InboxItem.__dataclass_fields__ if n not in ("topics", "case_code")]
    return [
        InboxItem(
            **{name: getattr(row, name) for name in plain},
            topics=tuple(sorted(topics.get(row.mention_id, ()), key=lambda t, first=row.topic: (t != first, t))),
            case_code=row.code,
        )
        for row in rows
    ]


def _topics(read: Connection, ids: list[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for row in read.execute(select(reading_topic).where(reading_topic.c.mention_id.in_(ids))):
        found.setdefault(row.mention_id, []).append(row.topic)
    return found


def counts(read: Connection, *, safety_threshold: float = 0.7) -> Counts:
    """The badges' numbers, counted over those that wait alone."""
    r = reading.c
    each = [func.count().filter(c) for c in (r.assignee.is_(None), r.label == "negative", r.safety >= safety_threshold)]
    row = read.execute(select(func.count(), *each).where(r.waiting)).one()
    return Counts(waiting=row[0], unassigned=row[1], negative=row[2], safety=row[3])


def newer(read: Connection, after_id: int) -> int:
    """How many mentions wait that came after that id: for "N new, load them"."""
    r = reading.c
    wanted = select(func.count()).where(r.waiting, r.mention_id > after_id)
    return int(read.execute(wanted).scalar_one())


def assign(tx: Connection, mention_id: int, assignee: str | None, actor: Actor, now: datetime) -> bool:
    """Give a mention to somebody, or to nobody; False if it is theirs already.

    Raises:
        BadInput: there is no such mention, or it is the agency's own.
    """
    r = reading.c
    row = tx.execute(select(r.assignee).where(r.mention_id == mention_id)).one_or_none()
    if row is None:
        raise BadInput(f"there is no mention {mention_id} of a resident that could be assigned")
    if row.assignee == assignee:
        return False
    tx.execute(update(reading).where(r.mention_id == mention_id).values(assignee=assignee))
    audit.append(tx, actor, "mention.assign", f"mention:{mention_id}", "", row.assignee, assignee, now)
    return True
