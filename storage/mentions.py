"""Mentions: added once, edited openly, removed for good.

(platform, external_id) is looked up in `mention_key`, which is never deleted from: a removed mention stays there as
a tombstone. Reposts are rows of `repost`, counters on their original.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, select, update

from core.batch import Batch
from core.mention import Author, Mention, Person
from storage import partitions, removal
from storage.passages import due_recheck, known, mark_checked, passages, text_hash, unscored
from storage.removal import remove
from storage.sql import chunks, insert_all, is_postgres, mark_dirty, plain, plain_id, upsert
from storage.tables import handle, mention, mention_key, mention_version, reading, repost, sighting
from storage.views import MentionView, one

__all__ = [
    "Added",
    "MentionView",
    "add",
    "due_recheck",
    "known",
    "mark_checked",
    "one",
    "passages",
    "remove",
    "text_hash",
    "unscored",
]

#: A mention seen again within this time is not written as checked again.
CHECK_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What one batch brought.

    Attributes:
        new, updated: mention ids.
        duplicate: mentions that were there already, unchanged.
        tombstoned: mentions refused because they were removed before.
        reposts: reposts counted for the first time.
        removed: mentions whose text went by this batch's deletions.
        new_at: when each of `new` was said, in the same order.
        seen_at: when each mention was said that this source showed for the first time.
    """

    new: list[int]
    updated: list[int]
    duplicate: int
    tombstoned: int
    reposts: int = 0
    removed: int = 0
    new_at: tuple[datetime, ...] = ()
    seen_at: tuple[datetime, ...] = ()


def said_at(item: Mention, now: datetime) -> datetime:
    """When it was said: the source's word, or when we saw it; never in the future."""
    return min(item.posted_at or item.seen_at, now).astimezone(UTC)


def add(tx: Connection, source: str, batch: Batch, *, now: datetime, query_version: int = 1) -> Added:
    """Add what is new, edit what changed, remove what went. The same batch twice is the same as once.

    Raises:
        TypeError: an author is still a Person: protect it first.
    """
    for item in batch.mentions:
        if isinstance(item.author, Person):
            raise TypeError("an author must be protected (core.mention.Author) before it is stored")
    items = _newest(m for m in batch.mentions if m.repost_of is None)
    keys = _keys(tx, items)
    fresh = sorted(
        (m for k, m in items.items() if k not in keys), key=lambda m: (said_at(m, now), m.platform, m.external_id)
    )
    again = [(m, keys[k]) for k, m in items.items() if k in keys]
    new = _insert(tx, source, fresh, now)
    alive = [(m, row) for m, row in again if row.gone_at is None]
    edited = [(m, row) for m, row in alive if _is_edit(m, row)]
    _edit(tx, edited, now)
    _touch(tx, [row.id for _, row in alive if row.checked_at < now - CHECK_EVERY], now)
    first_seen = _sight(tx, source, new, [row for _, row in alive], query_version, now)
    reposts = _count_reposts(tx, source, [m for m in batch.mentions if m.repost_of is not None], now)
    removed = remove(tx, batch.deletions, now)
    return Added(
        new=[i for i, _ in new],
        updated=[row.id for _, row in edited],
        duplicate=len(batch.mentions) - len(new) - len(edited) - (len(again) - len(alive)) - reposts,
        tombstoned=len(again) - len(alive),
        reposts=reposts,
        removed=removed,
        new_at=tuple(said_at(m, now) for _, m in new),
        seen_at=(*(said_at(m, now) for _, m in new), *first_seen),
    )


def _newest(items: Any) -> dict[tuple[str, str], Mention]:
    found: dict[tuple[str, str], Mention] = {}
    for item in items:
        key = (plain(item.platform), plain_id(item.external_id))
        other = found.get(key)
        if other is None or _later(item.edited_at, item.seen_at, other.edited_at, other.seen_at, strictly=True):
            found[key] = item
    return found


def _later(
    edited: datetime | None, seen: datetime, old_edited: datetime | None, old_seen: datetime, *, strictly: bool = False
) -> bool:
    a, b = (edited, old_edited) if edited and old_edited else (seen, old_seen)
    return a > b if strictly else a >= b


def _keys(tx: Connection, items: dict[tuple[str, str], Mention]) -> dict[tuple[str, str], Row[Any]]:
    k = mention_key.c
    found: dict[tuple[str, str], Row[Any]] = {}
    for platform in {p for p, _ in items}:
        for ids in chunks([i for p, i in items if p == platform]):
            wanted = select(mention_key).where(k.platform == platform, k.external_id.in_(ids))
            found.update({(row.platform, row.external_id): row for row in tx.execute(wanted)})
    return found


def _is_edit(item: Mention, row: Row[Any]) -> bool:
    """A later version with another text. An older copy that arrives late is not an edit."""
    if plain(item.version) == row.version or text_hash(plain(item.text)) == row.text_hash:
        return False
    return _later(item.edited_at, item.seen_at, row.edited_at, row.seen_at)


def _insert(tx: Connection, source: str, fresh: list[Mention], now: datetime) -> list[tuple[int, Mention]]:
    """Insert those that no other worker inserted meanwhile; return them with their ids."""
    if not fresh:
        return []
    rows = [_key_row(source, m, now) for m in fresh]
    # First of all: a new month needs mention_key for a moment, and must not wait for one who waits for the month.
    partitions.ensure(tx, (row["at"] for row in rows))
    pairs = zip(_insert_keys(tx, rows), rows, fresh, strict=True)
    new = [(i, row, m) for i, row, m in pairs if i is not None]
    insert_all(tx, mention, [_mention_row(i, source, m, row["at"]) for i, row, m in new])
    counted = [_reading_row(i, m, row) for i, row, m in new if not m.own]
    insert_all(tx, reading, counted)
    mark_dirty(tx, (row["at"] for row in counted))
    _keep_handles(tx, [m.author for _, _, m in new if isinstance(m.author, Author) and m.author.sealed_handle])
    return [(i, m) for i, _, m in new]


def _insert_keys(tx: Connection, rows: list[dict[str, Any]]) -> list[int | None]:
    """The new ids; None where another worker was quicker. SQLite has one writer, which may number by itself."""
    k = mention_key.c
    if not is_postgres(tx):
        last = tx.execute(select(func.max(k.id))).scalar() or 0
        insert_all(tx, mention_key, [{"id": n, **row} for n, row in enumerate(rows, last + 1)])
        return list(range(last + 1, last + 1 + len(rows)))
    statement = upsert(tx, mention_key).on_conflict_do_nothing(index_elements=["platform", "external_id"])
    statement = statement.returning(k.id, k.platform, k.external_id)
    ids = {(row.platform, row.external_id): int(row.id) for row in tx.execute(statement, rows)}
    return [ids.get((row["platform"], row["external_id"])) for row in rows]


def _key_row(source: str, item: Mention, now: datetime) -> dict[str, Any]:
    return {
        "platform": plain(item.platform),
        "external_id": plain_id(item.external_id),
        "source": source,
        "at": said_at(item, now),
        "version": plain(item.version),
        "text_hash": text_hash(plain(item.text)),
        "edited_at": item.edited_at,
        "seen_at": item.seen_at,
        "checked_at": now,
    }


def _mention_row(mention_id: int, source: str, item: Mention, at: datetime) -> dict[str, Any]:
    author = item.author if isinstance(item.author, Author) else None
    return {
        "id": mention_id,
        "at": at,
        "source": source,
        "platform": plain(item.platform),
        "kind": item.kind.value,
        "visibility": item.visibility.value,
        "text": plain(item.text),
        "posted_at": item.posted_at,
        "url": plain(item.url),
        "parent": plain_id(item.parent) if item.parent else None,
        "root": plain_id(item.root) if item.root else None,
        "author": author.pseudonym if author else None,
        "author_epoch": author.epoch if author else None,
        "own": item.own,
        "stars": item.stars,
        "language": plain(item.language) if item.language else None,
        "latitude": item.point.latitude if item.point else None,
        "longitude": item.point.longitude if item.point else None,
        "media": [[m.url, m.alt] for m in item.media],
    }


def _reading_row(mention_id: int, item: Mention, row: dict[str, Any]) -> dict[str, Any]:
    readable = bool(item.text.strip()) or item.stars is not None
    return {
        "mention_id": mention_id,
        "at": row["at"],
        "text_hash": row["text_hash"],
        "model": "" if readable else "-",
        "language": plain(item.language or "und")[:35],
        "label": "unread",
        "topic": "",
        "about_us": 0.0,
        "needs_answer": 0.0,
        "urgency": 0.0,
        "safety": 0.0,
        "needs": False,
        "waiting": False,
        "undecided": False,
    }


def _keep_handles(tx: Connection, authors: list[Author]) -> None:
    rows = [{"pseudonym": a.pseudonym, "epoch": a.epoch, "sealed": a.sealed_handle} for a in authors]
    insert_all(tx, handle, sorted(rows, key=lambda row: str(row["pseudonym"])), ignore=True)


def _edit(tx: Connection, edited: list[tuple[Mention, Row[Any]]], now: datetime) -> None:
    for item, row in edited:
        here = and_(mention.c.id == row.id, mention.c.at == row.at)
        old = tx.execute(select(mention.c.text).where(here)).scalar_one()
        text = plain(item.text)
        tx.execute(
            insert(mention_version).values(
                mention_id=row.id, version=row.version, text=old, seen_at=row.seen_at, replaced_at=now
            )
        )
        media = [[m.url, m.alt] for m in item.media]
        tx.execute(update(mention).where(here).values(text=text, stars=item.stars, media=media))
        edit = {"version": plain(item.version), "text_hash": text_hash(text), "checked_at": now}
        edit |= {"edited_at": item.edited_at or item.seen_at, "seen_at": item.seen_at}
        tx.execute(update(mention_key).where(mention_key.c.id == row.id).values(**edit))
        unread = update(reading).where(reading.c.mention_id == row.id)
        tx.execute(unread.values(text_hash=edit["text_hash"], model="", label="unread"))
        removal.forget_vector(tx, [row.id])
    mark_dirty(tx, (row.at for _, row in edited))


def _touch(tx: Connection, ids: list[int], now: datetime) -> None:
    for some in chunks(ids):
        tx.execute(update(mention_key).where(mention_key.c.id.in_(some)).values(checked_at=now))


def _sight(
    tx: Connection, source: str, new: list[tuple[int, Mention]], old: list[Row[Any]], query_version: int, now: datetime
) -> list[datetime]:
    """Note who saw what first; return when those were said that this source had not shown before."""
    others = {row.id: row.at for row in old if row.source != source}
    s = sighting.c
    for ids in chunks(list(others)):
        for seen in tx.execute(select(s.mention_id).where(s.source == source, s.mention_id.in_(ids))).scalars().all():
            del others[seen]
    rows = [
        {"mention_id": i, "source": source, "query_version": query_version, "seen_at": now}
        for i in sorted((*(i for i, _ in new), *others))
    ]
    insert_all(tx, sighting, rows, ignore=True)
    return list(others.values())


def _count_reposts(tx: Connection, source: str, items: list[Mention], now: datetime) -> int:
    rows = {
        (plain(m.platform), plain_id(m.external_id)): {
            "platform": plain(m.platform),
            "external_id": plain_id(m.external_id),
            "original": plain_id(m.repost_of or ""),
            "source": source,
            "own": m.own,
            "at": said_at(m, now),
        }
        for m in items
    }
    if not rows:
        return 0
    add_them = upsert(tx, repost).on_conflict_do_nothing().returning(repost.c.external_id)
    return len(tx.execute(add_them, [rows[key] for key in sorted(rows)]).all())
