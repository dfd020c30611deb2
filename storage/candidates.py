"""The open cases that a mention may join, with what the rules compare."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, or_, select

from storage.tables import case_link, cases, mention, mention_key, reading_topic, score_vector

OPEN = ("open", "in_progress")
#: For so many days an ended case may still take its author's words.
ENDED = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateMention:
    """A mention that stands at a case.

    Attributes:
        at: when it was said.
        vector: its embedding, float16 little-endian bytes; b"" if there is none.
    """

    mention_id: int
    platform: str
    external_id: str
    parent: str | None
    root: str | None
    author: str | None
    author_epoch: str | None
    kind: str
    visibility: str
    at: datetime
    text: str
    language: str | None
    stars: float | None
    topics: tuple[str, ...]
    vector: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateRow:
    """A case that may take more words, and its mentions, newest first.

    Attributes:
        ended_at: when it was resolved, closed or cancelled; None while somebody works on it.
    """

    case_id: int
    key: str
    code: str
    title: str
    status: str
    topic: str | None
    opened_at: datetime
    updated_at: datetime
    mentions: tuple[CandidateMention, ...]
    ended_at: datetime | None = None


def candidates(read: Connection, *, now: datetime, days: int, case_ids: list[int] | None = None) -> list[CandidateRow]:
    """Cases touched within `days`, newest first; ended ones only if that was within ENDED days.

    Only these if `case_ids` are given.
    """
    c = cases.c
    fresh = and_(c.status.in_(OPEN), c.updated_at >= now - timedelta(days=days))
    ended = and_(c.status.not_in(OPEN), c.updated_at >= now - timedelta(days=min(days, ENDED)))
    wanted = select(cases).where(or_(fresh, ended), c.updated_at <= now)
    if case_ids is not None:
        wanted = wanted.where(c.id.in_(case_ids))
    rows = list(read.execute(wanted.order_by(c.updated_at.desc(), c.id.desc())))
    at_case = _mentions(read, [row.id for row in rows])
    return [
        CandidateRow(
            case_id=row.id,
            key=row.key,
            code=row.code,
            title=row.title,
            status=row.status,
            topic=row.topic,
            opened_at=row.opened_at,
            updated_at=row.updated_at,
            ended_at=None if row.status in OPEN else row.updated_at,
            mentions=tuple(at_case.get(row.id, ())),
        )
        for row in rows
    ]


def _mentions(read: Connection, case_ids: list[int]) -> dict[int, list[CandidateMention]]:
    m, k, link = mention.c, mention_key.c, case_link.c
    found: dict[int, list[CandidateMention]] = {}
    for start in range(0, len(case_ids), 500):
        here = (link.case_id.in_(case_ids[start : start + 500]), link.undone_at.is_(None), k.gone_at.is_(None))
        joined = (
            select(link.case_id, mention, k.external_id, score_vector.c.vector)
            .join(mention_key, k.id == link.mention_id)
            .join(mention, and_(m.id == k.id, m.at == k.at))
            .outerjoin(score_vector, score_vector.c.mention_id == k.id)
            .where(*here, or_(link.verdict == "join", link.verdict == "open"))
            .order_by(m.at.desc(), m.id.desc())
        )
        rows = list(read.execute(joined))
        topics = _topics(read, [row.id for row in rows])
        for row in rows:
            found.setdefault(row.case_id, []).append(
                CandidateMention(
                    mention_id=row.id,
                    topics=topics.get(row.id, ()),
                    vector=row.vector or b"",
                    **{name: getattr(row, name) for name in _PLAIN},
                )
            )
    return found


_PLAIN = (
    *("platform", "external_id", "parent", "root", "author", "author_epoch", "kind", "visibility", "at", "text"),
    *("language", "stars"),
)


def _topics(read: Connection, ids: list[int]) -> dict[int, tuple[str, ...]]:
    t, found = reading_topic.c, dict[int, tuple[str, ...]]()
    for start in range(0, len(ids), 500):
        for row in read.execute(select(reading_topic).where(t.mention_id.in_(ids[start : start + 500]))):
            found[row.mention_id] = (*found.get(row.mention_id, ()), row.topic)
    return found
