"""What waits to be linked: read, undecided, and nothing unread before it."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, and_, func, select, tuple_

from core.mention import Point
from core.scores import Scores
from storage.cases import CaseRow
from storage.sql import chunks
from storage.tables import case_link, cases, mention, mention_key, reading, score, score_vector
from storage.views import scores_of

#: How far up a thread the linker looks.
DEEPEST = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkInput:
    """A mention with its newest scores, as the linker needs it. `at` is when it was said.

    Attributes:
        ancestors: what its parent answers, and so on up the thread, as far as we know it.
    """

    mention_id: int
    platform: str
    external_id: str
    kind: str
    visibility: str
    text: str
    at: datetime
    parent: str | None
    root: str | None
    ancestors: tuple[str, ...]
    author: str | None
    author_epoch: str | None
    point: Point | None
    stars: float | None
    url: str
    scores: Scores


def to_link(read: Connection, limit: int, patience: datetime) -> list[LinkInput]:
    """The next mentions to decide, in id order, stopping before the first that nobody has read yet.

    An unread mention that was last changed before `patience` holds nobody back.
    """
    r, k = reading.c, mention_key.c
    unread = select(func.min(r.mention_id)).join(mention_key, k.id == r.mention_id)
    first = read.execute(unread.where(r.model == "", k.gone_at.is_(None), k.seen_at >= patience)).scalar()
    wanted = select(r.mention_id).where(r.undecided).order_by(r.mention_id).limit(limit)
    if first is not None:
        wanted = wanted.where(r.mention_id < first)
    return _inputs(read, list(read.execute(wanted).scalars()))


def _inputs(read: Connection, ids: list[int]) -> list[LinkInput]:
    found: list[LinkInput] = []
    for some in chunks(ids):
        found += _some(read, list(some))
    return found


def _some(read: Connection, ids: list[int]) -> list[LinkInput]:
    m, k = mention.c, mention_key.c
    rows = (
        select(mention, k.external_id, score_vector.c.vector)
        .join(mention_key, and_(k.id == m.id, k.at == m.at))
        .outerjoin(score_vector, score_vector.c.mention_id == m.id)
        .where(m.id.in_(ids), k.gone_at.is_(None))
        .order_by(m.id)
    )
    scores = _scores(read, ids)
    found = list(read.execute(rows))
    above = _ancestors(read, {(row.platform, row.parent) for row in found if row.parent})
    return [
        LinkInput(
            **{name: getattr(row, name) for name in _PLAIN},
            mention_id=row.id,
            ancestors=above.get((row.platform, row.parent), ()),
            point=None if row.latitude is None else Point(latitude=row.latitude, longitude=row.longitude),
            scores=_with_vector(scores[row.id], row.vector or b""),
        )
        for row in found
        if row.id in scores
    ]


def _ancestors(read: Connection, parents: set[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, ...]]:
    """What each of these answers, nearest first, DEEPEST steps up at most."""
    chains: dict[tuple[str, str], tuple[str, ...]] = dict.fromkeys(parents, ())
    ends = {key: key for key in parents}
    for _ in range(DEEPEST):
        above = _parents(read, set(ends.values()))
        ends = {key: (end[0], up) for key, end in ends.items() if (up := above.get(end)) and up not in chains[key]}
        if not ends:
            break
        for key, (_platform, up) in ends.items():
            chains[key] = (*chains[key], up)
    return chains


def _parents(read: Connection, keys: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
    k, m = mention_key.c, mention.c
    found: dict[tuple[str, str], str] = {}
    for some in chunks(sorted(keys), 200):
        rows = select(k.platform, k.external_id, m.parent).join(mention, and_(m.id == k.id, m.at == k.at))
        rows = rows.where(tuple_(k.platform, k.external_id).in_(some), m.parent.is_not(None))
        found.update({(row.platform, row.external_id): row.parent for row in read.execute(rows)})
    return found


_PLAIN = (
    *("platform", "external_id", "kind", "visibility", "text", "at", "parent", "root", "author", "author_epoch"),
    *("stars", "url"),
)


def _scores(read: Connection, ids: list[int]) -> dict[int, Scores]:
    """The newest scores of the text as it is now."""
    k = mention_key.c
    wanted = select(score).join(mention_key, and_(k.id == score.c.mention_id, k.text_hash == score.c.text_hash))
    rows = read.execute(wanted.where(k.id.in_(ids)).order_by(score.c.id))
    return {row.mention_id: scores_of(row) for row in rows}


def _with_vector(scores: Scores, vector: bytes) -> Scores:
    return replace(scores, vector=vector)


def settled(read: Connection, before: datetime, limit: int) -> list[CaseRow]:
    """Open cases at which nothing has been said since then, oldest case first."""
    c, link, k = cases.c, case_link.c, mention_key.c
    newest = select(func.max(k.at)).join(case_link, link.mention_id == k.id)
    newest_at = newest.where(link.case_id == c.id, link.undone_at.is_(None)).correlate(cases).scalar_subquery()
    wanted = select(cases).where(c.status == "open", newest_at < before).order_by(c.id).limit(limit)
    return [CaseRow(**row._mapping) for row in read.execute(wanted)]
