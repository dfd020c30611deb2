"""Scores: what a revision of the model read in a text; and what staff said instead.

A score belongs to (mention, text hash, model, revision) and is never overwritten. What counts now is in `reading`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from core.actor import Actor
from core.errors import BadInput
from core.scores import HEADS, SENTIMENTS, TOPICS, Scores
from storage import audit, removal
from storage.sql import chunks, insert_all, mark_dirty, plain, upsert
from storage.tables import case_link, correction, mention_key, reading, reading_topic, score, score_vector
from storage.views import CorrectionRow, newest_scores

__all__ = ["CorrectionRow", "Vector", "add", "correct", "corrections", "effective", "newest_scores", "vectors"]

_SURE = {True: 1.0, False: 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """A mention's embedding: float16 little-endian bytes, unit length."""

    mention_id: int
    at: datetime
    model: str
    vector: bytes


def add(tx: Connection, scored: Sequence[tuple[int, str, Scores]], now: datetime, *, threshold: float = 0.5) -> int:
    """Store scores, each with its mention's id and the hash of the text that was read; return how many are new.

    A score of a text that has been edited since is kept but does not count. Corrections by staff stay on top.
    A mention waits for an answer if it is about the agency and needs one, or somebody may come to harm, each from
    `threshold` on.
    """
    for some in chunks(scored):
        _add(tx, list(some), now, threshold)
    return len(scored)


def _add(tx: Connection, scored: list[tuple[int, str, Scores]], now: datetime, threshold: float) -> None:
    ids = [i for i, _, _ in scored]
    r, k = reading.c, mention_key.c
    wanted = select(reading, k.gone_at).join(mention_key, k.id == r.mention_id).where(r.mention_id.in_(ids))
    rows = {row.mention_id: row for row in tx.execute(wanted)}
    living = [(i, h, s) for i, h, s in scored if i in rows and rows[i].gone_at is None]
    if not living:
        return
    insert_all(tx, score, [_score_row(i, h, s, now) for i, h, s in living], ignore=True)
    counting = {i: s for i, h, s in living if rows[i].text_hash == h}
    if counting:
        _keep_vectors(tx, counting, rows)
        corrected = _corrections(tx, list(counting))
        _count(tx, {i: effective(s, corrected.get(i, {})) for i, s in counting.items()}, counting, rows, now, threshold)


def _score_row(mention_id: int, text_hash: str, s: Scores, now: datetime) -> dict[str, Any]:
    return {
        "mention_id": mention_id,
        "text_hash": text_hash,
        "model": s.model,
        "revision": s.revision,
        "language": s.language,
        "about_us": s.about_us,
        "needs_answer": s.needs_answer,
        "negative": s.sentiment.negative,
        "neutral": s.sentiment.neutral,
        "positive": s.sentiment.positive,
        "topics": [[t.name, t.probability] for t in s.topics],
        "urgency": s.urgency,
        "safety": s.safety,
        "unsure": sorted(s.unsure),
        "scored_at": now,
    }


def _keep_vectors(tx: Connection, counting: Mapping[int, Scores], rows: Mapping[int, Row[Any]]) -> None:
    vectors = [
        {"mention_id": i, "model": name(s), "at": rows[i].at, "vector": s.vector}
        for i, s in counting.items()
        if s.vector
    ]
    removal.forget_vector(tx, list(counting))
    insert_all(tx, score_vector, vectors)


def name(scores: Scores) -> str:
    """Model and revision in one, as Classifier.model says it."""
    return scores.model if "@" in scores.model else f"{scores.model}@{scores.revision}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """What counts: the model's reading where staff said nothing."""

    language: str
    label: str
    topics: tuple[str, ...]
    about_us: float
    needs_answer: float
    urgency: float
    safety: float
    asks: bool  # the answer to "does it need an answer" may be used at all


def effective(scores: Scores, corrected: Mapping[str, Any]) -> Effective:
    """Lay what staff said of single heads over what the model read.

    A sentiment or language the model was unsure of is "unread", unless staff said it.
    """
    unsure = scores.unsure - corrected.keys()
    label = corrected.get("sentiment") or scores.sentiment.label
    topics = tuple(t.name for t in scores.topics) if "topics" not in unsure else ()
    chances = {
        head: _SURE[corrected[head]] if head in corrected else getattr(scores, head)
        for head in ("about_us", "needs_answer", "urgency", "safety")
    }
    unread = "sentiment" in unsure or ("language" in unsure and "sentiment" not in corrected)
    return Effective(
        language=corrected.get("language") or scores.language,
        label="unread" if unread else label,
        topics=tuple(corrected["topics"]) if "topics" in corrected else topics,
        asks="needs_answer" not in unsure,
        **chances,
    )


def _count(
    tx: Connection,
    read: Mapping[int, Effective],
    counting: Mapping[int, Scores],
    rows: Mapping[int, Row[Any]],
    now: datetime,
    threshold: float,
) -> None:
    """Write what counts now."""
    tx.execute(delete(reading_topic).where(reading_topic.c.mention_id.in_(list(read))))
    topics = [{"mention_id": i, "topic": t} for i, e in read.items() for t in dict.fromkeys(e.topics)]
    insert_all(tx, reading_topic, topics)
    decided = _decided(tx, rows, now)
    put = upsert(tx, reading)
    values = [
        _reading_row(rows[i], e, name(counting[i]), threshold, undecided=rows[i].model == "" and i not in decided)
        for i, e in read.items()
    ]
    names = [n for n in values[0] if n != "mention_id"]
    tx.execute(
        put.on_conflict_do_update(index_elements=["mention_id"], set_={n: put.excluded[n] for n in names}), values
    )
    mark_dirty(tx, (rows[i].at for i in read))


def _decided(tx: Connection, rows: Mapping[int, Row[Any]], now: datetime) -> set[int]:
    """Mentions that a decision stands for, which a new reading does not ask again.

    One exception: that a job saw no need for a case does not hold for a text that was edited since.
    """
    c = case_link.c
    edited = [i for i, row in rows.items() if row.model == ""]
    ignored = update(case_link).where(c.mention_id.in_(edited), c.undone_at.is_(None), c.verdict == "ignore")
    ignored = ignored.where(c.decided_by.startswith("job:"))
    tx.execute(ignored.values(undone_at=now, undone_by="job:score", undone_reason="edited at the source"))
    standing = select(c.mention_id).where(c.mention_id.in_(list(rows)), c.undone_at.is_(None))
    return set(tx.execute(standing).scalars())


def _reading_row(row: Row[Any], e: Effective, model: str, threshold: float, *, undecided: bool) -> dict[str, Any]:
    ours = e.about_us >= threshold
    needs = ours and e.asks and e.needs_answer >= threshold
    harm = ours and e.safety >= threshold
    return {
        "mention_id": row.mention_id,
        "at": row.at,
        "text_hash": row.text_hash,
        "model": model,
        "language": plain(e.language)[:35],
        "label": e.label,
        "topic": e.topics[0] if e.topics else "",
        "about_us": e.about_us,
        "needs_answer": e.needs_answer,
        "urgency": e.urgency,
        "safety": e.safety,
        "needs": needs,
        "waiting": (needs or harm) and row.answered_at is None,
        "undecided": undecided or row.undecided,
    }


def vectors(read: Connection, since: datetime, model: str | None = None) -> list[Vector]:
    """Embeddings of what was said from then on, oldest first; of one model ("name@revision") if asked."""
    v = score_vector.c
    wanted = select(score_vector).where(v.at >= since).order_by(v.at, v.mention_id)
    if model is not None:
        wanted = wanted.where(v.model == model)
    return [Vector(**row._mapping) for row in read.execute(wanted)]


def correct(
    tx: Connection,
    mention_id: int,
    head: str,
    value: Any,
    actor: Actor,
    reason: str,
    now: datetime,
    *,
    threshold: float = 0.5,
) -> int:
    """Say what a head should have read; it holds over every model, the newest word counts. Return its id.

    `value` is a label for "sentiment", a list of topic names for "topics", a BCP 47 code for "language", and True or
    False for "about_us", "needs_answer", "urgency" and "safety".

    Raises:
        BadInput: no such head, value or mention.
    """
    value = _checked(head, value)
    row = tx.execute(select(reading).where(reading.c.mention_id == mention_id)).one_or_none()
    scores = newest_scores(tx, mention_id)
    if row is None or scores is None:
        raise BadInput(f"mention {mention_id} has not been read yet: there is nothing to correct")
    before = _corrections(tx, [mention_id]).get(mention_id, {})
    new = {"mention_id": mention_id, "head": head, "value": value, "actor": str(actor), "reason": reason, "at": now}
    correction_id = int(tx.execute(insert(correction).values(**new).returning(correction.c.id)).scalar_one())
    read = effective(scores, {**before, head: value})
    _count(tx, {mention_id: read}, {mention_id: scores}, {mention_id: row}, now, threshold)
    was = before.get(head, _said(scores, head))
    audit.append(tx, actor, f"score.correct.{head}", f"mention:{mention_id}", reason, was, value, now)
    return correction_id


def _checked(head: str, value: Any) -> Any:
    allowed: dict[str, bool] = {
        "sentiment": value in SENTIMENTS,
        "topics": isinstance(value, list | tuple) and set(value) <= set(TOPICS),
        "language": isinstance(value, str) and 2 <= len(value) <= 35,
    }
    if head not in HEADS:
        raise BadInput(f"there is no head {head!r}: one of {', '.join(HEADS)}")
    if not allowed.get(head, isinstance(value, bool)):
        raise BadInput(f"{value!r} is not something that {head} can be")
    return list(value) if head == "topics" else value


def _said(scores: Scores, head: str) -> Any:
    if head == "sentiment":
        return scores.sentiment.label
    return [t.name for t in scores.topics] if head == "topics" else getattr(scores, head)


def _corrections(read: Connection, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    c = correction.c
    found: dict[int, dict[str, Any]] = {}
    for row in read.execute(select(c.mention_id, c.head, c.value).where(c.mention_id.in_(ids)).order_by(c.id)):
        found.setdefault(row.mention_id, {})[row.head] = row.value
    return found


def corrections(read: Connection, since: datetime | None = None, head: str | None = None) -> list[CorrectionRow]:
    """What staff corrected, oldest first: the next training's best data."""
    c = correction.c
    wanted = select(correction).order_by(c.id)
    if since is not None:
        wanted = wanted.where(c.at >= since)
    if head is not None:
        wanted = wanted.where(c.head == head)
    return [CorrectionRow(**row._mapping) for row in read.execute(wanted)]


def mark_undecided(tx: Connection, mention_id: int) -> None:
    """Let the linker look at a mention again."""
    tx.execute(update(reading).where(reading.c.mention_id == mention_id).values(undecided=True))
