"""One mention with all that is known of it, as the desk shows it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, select

from core.case import Link, Rule, Verdict
from core.mention import Media, Point
from core.scores import Scores, Sentiment, Topic
from storage import holds
from storage.tables import (
    case_link,
    correction,
    mention,
    mention_key,
    mention_version,
    reading,
    reading_topic,
    reply,
    repost,
    score,
    sighting,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What a mention said before an edit at `replaced_at`."""

    version: str
    text: str
    seen_at: datetime
    replaced_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """A stored decision. It stands while `undone_at` is None."""

    id: int
    mention_id: int
    case_id: int | None
    verdict: str
    rule: str
    score: float
    evidence: dict[str, Any]
    decided_by: str
    decided_at: datetime
    undone_at: datetime | None
    undone_by: str | None
    undone_reason: str | None

    @property
    def link(self) -> Link:
        """The decision as core knows it."""
        return Link(
            verdict=Verdict(self.verdict),
            rule=Rule(self.rule),
            case_id=self.case_id,
            score=self.score,
            evidence=self.evidence,
            decided_by=self.decided_by,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionRow:
    """What a member of staff said of one head."""

    id: int
    mention_id: int
    head: str
    value: Any
    actor: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyRow:
    """That it was answered. It stands while `undone_at` is None."""

    id: int
    mention_id: int
    actor: str
    note: str
    at: datetime
    undone_at: datetime | None
    undone_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRow:
    """What counts of a mention now: the newest scores with the staff's corrections over them.

    Attributes:
        label: negative, neutral, positive or "unread".
        needs: it needs an answer from the agency; waiting: and has none yet.
    """

    model: str
    language: str
    label: str
    topics: tuple[str, ...]
    about_us: float
    needs_answer: float
    urgency: float
    safety: float
    needs: bool
    waiting: bool
    assignee: str | None
    answered_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MentionView:
    """One mention. `gone` says why its text is not here any more, else None; `scores` are the model's own, newest."""

    id: int
    platform: str
    external_id: str
    version: str
    source: str
    sources: tuple[str, ...]
    kind: str
    visibility: str
    text: str
    at: datetime
    posted_at: datetime | None
    seen_at: datetime
    edited_at: datetime | None
    url: str
    parent: str | None
    root: str | None
    author: str | None
    author_epoch: str | None
    own: bool
    stars: float | None
    language: str | None
    point: Point | None
    media: tuple[Media, ...]
    reposts: int
    gone: str | None
    held: bool
    scores: Scores | None
    reading: ReadingRow | None
    links: tuple[LinkRow, ...]
    versions: tuple[Version, ...]
    corrections: tuple[CorrectionRow, ...]
    replies: tuple[ReplyRow, ...]


def one(read: Connection, mention_id: int) -> MentionView | None:
    """A mention with its scores, links, versions, corrections and replies, each oldest first; None if unknown.

    The text of a removed mention is not shown, even where a legal hold still keeps it.
    """
    k, m = mention_key.c, mention.c
    wanted = select(mention, k.external_id, k.version, k.seen_at, k.edited_at, k.gone_at, k.gone_reason)
    wanted = wanted.join(mention_key, and_(k.id == m.id, k.at == m.at)).where(k.id == mention_id)
    row = read.execute(wanted).one_or_none()
    if row is None:
        return None
    gone = None if row.gone_at is None else row.gone_reason
    place = None if row.latitude is None else Point(latitude=row.latitude, longitude=row.longitude)
    versions = () if gone else _all(read, mention_version, mention_id)
    return MentionView(
        **{name: getattr(row, name) for name in _PLAIN},
        text="" if gone else row.text,
        url="" if gone else row.url,
        author=None if gone else row.author,
        sources=_sources(read, mention_id),
        point=None if gone else place,
        media=() if gone else tuple(Media(url=url, alt=alt) for url, alt in row.media),
        reposts=_reposts(read, row),
        gone=gone,
        held=bool(holds.held(read, [mention_id])),
        scores=newest_scores(read, mention_id),
        reading=_reading(read, mention_id),
        links=tuple(LinkRow(**r._mapping) for r in _all(read, case_link, mention_id)),
        versions=tuple(Version(**_only(r, Version)) for r in versions),
        corrections=tuple(CorrectionRow(**r._mapping) for r in _all(read, correction, mention_id)),
        replies=tuple(ReplyRow(**r._mapping) for r in _all(read, reply, mention_id)),
    )


_PLAIN = (
    *("id", "platform", "external_id", "version", "source", "kind", "visibility", "at", "posted_at", "seen_at"),
    *("edited_at", "parent", "root", "author_epoch", "own", "stars", "language"),
)


def _all(read: Connection, table: Any, mention_id: int) -> list[Row[Any]]:
    return list(read.execute(select(table).where(table.c.mention_id == mention_id).order_by(table.c.id)))


def _only(row: Row[Any], of: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in of.__dataclass_fields__}


def _sources(read: Connection, mention_id: int) -> tuple[str, ...]:
    s = sighting.c
    return tuple(read.execute(select(s.source).where(s.mention_id == mention_id).order_by(s.seen_at)).scalars())


def _reposts(read: Connection, row: Row[Any]) -> int:
    r = repost.c
    count = select(func.count()).where(r.platform == row.platform, r.original == row.external_id)
    return int(read.execute(count.where(~r.own, r.gone_at.is_(None))).scalar_one())


def _reading(read: Connection, mention_id: int) -> ReadingRow | None:
    row = read.execute(select(reading).where(reading.c.mention_id == mention_id)).one_or_none()
    if row is None:
        return None
    t = reading_topic.c
    topics = read.execute(select(t.topic).where(t.mention_id == mention_id).order_by(t.topic)).scalars().all()
    ordered = sorted(topics, key=lambda name: name != row.topic)
    fields = {name: getattr(row, name) for name in ReadingRow.__dataclass_fields__ if name != "topics"}
    return ReadingRow(**fields, topics=tuple(ordered))


def newest_scores(read: Connection, mention_id: int) -> Scores | None:
    """What the model last read in the text as it is now."""
    k = mention_key.c
    wanted = select(score).join(mention_key, and_(k.id == score.c.mention_id, k.text_hash == score.c.text_hash))
    row = read.execute(wanted.where(k.id == mention_id).order_by(score.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else scores_of(row)


def scores_of(row: Row[Any]) -> Scores:
    """A stored score as core knows it, without its embedding."""
    return Scores(
        model=row.model,
        revision=row.revision,
        language=row.language,
        about_us=row.about_us,
        needs_answer=row.needs_answer,
        sentiment=Sentiment(negative=row.negative, neutral=row.neutral, positive=row.positive),
        topics=tuple(Topic(name=name, probability=probability) for name, probability in row.topics),
        urgency=row.urgency,
        safety=row.safety,
        unsure=frozenset(row.unsure),
    )
