"""Text goes, a tombstone stays: from the mention, its versions, its embedding, its case and the search index."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from core.mention import Deletion
from storage import holds
from storage.sql import chunks, plain, plain_id
from storage.tables import cases, mention, mention_key, mention_version, reading, repost, score_vector

#: What a case says where its resident's words stood.
WITHDRAWN = "(withdrawn)"


def remove(tx: Connection, deletions: Sequence[Deletion], now: datetime) -> int:
    """Remove mentions that are gone at their source; return how many were still there.

    What a legal hold covers is hidden at once but keeps its text until the hold is released.
    A removed mention still counts in roll-ups, and is not collected again.
    """
    k, count = mention_key.c, 0
    for gone in deletions:
        platform, external_id = plain(gone.platform), plain_id(gone.external_id)
        here = (k.platform == platform, k.external_id == external_id, k.gone_at.is_(None))
        found = tx.execute(select(k.id).where(*here)).scalar()
        if found is not None:
            bury(tx, [found], gone.reason, now)
            count += 1
        r = repost.c
        undone = update(repost).where(r.platform == platform, r.external_id == external_id, r.gone_at.is_(None))
        tx.execute(undone.values(gone_at=now))
    return count


def bury(tx: Connection, ids: Sequence[int], reason: str, now: datetime) -> None:
    """Make tombstones of these mentions, and scrub those that no legal hold covers."""
    for some in chunks(ids):
        tx.execute(update(mention_key).where(mention_key.c.id.in_(some)).values(gone_at=now, gone_reason=plain(reason)))
        quiet = update(reading).where(reading.c.mention_id.in_(some))
        tx.execute(quiet.values(waiting=False, undecided=False, model="-"))
        held = holds.held(tx, some)
        scrub(tx, [i for i in some if i not in held], now)


def scrub(tx: Connection, ids: Sequence[int], now: datetime) -> None:
    """Erase what these tombstones said. Nothing brings it back."""
    for some in chunks(ids):
        blank: dict[str, Any] = {"text": "", "url": "", "media": [], "author": None, "author_epoch": None}
        blank |= {"latitude": None, "longitude": None}
        tx.execute(update(mention).where(mention.c.id.in_(some)).values(**blank))
        tx.execute(delete(mention_version).where(mention_version.c.mention_id.in_(some)))
        forget_vector(tx, some)
        k = mention_key.c
        keys = select(("mention:" + k.platform + ":" + k.external_id).label("key")).where(k.id.in_(some))
        words = update(cases).where(cases.c.key.in_(keys))
        tx.execute(words.values(title=WITHDRAWN, body=WITHDRAWN, url=""))
        tx.execute(update(mention_key).where(k.id.in_(some)).values(scrubbed_at=now))


def forget_vector(tx: Connection, ids: Sequence[int]) -> None:
    """Drop embeddings: much of a text can be guessed from one."""
    tx.execute(delete(score_vector).where(score_vector.c.mention_id.in_(ids)))
