"""Which mentions are to be read, looked at again, or known already."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, select, tuple_, update

from core.scores import Passage
from storage.sql import chunks, plain_id
from storage.tables import mention, mention_key, reading


def text_hash(text: str) -> str:
    """Names a text: scores belong to it, not only to its mention."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def passages(read: Connection, ids: Sequence[int]) -> list[tuple[int, Passage]]:
    """What the classifier may see of these mentions, in the order asked; removed ones are left out."""
    m = mention.c
    found: dict[int, Row[Any]] = {}
    for some in chunks(ids):
        columns = select(m.id, m.platform, m.text, m.language, m.parent, m.stars)
        alive = columns.join(mention_key, mention_key.c.id == m.id).where(mention_key.c.gone_at.is_(None))
        found.update({row.id: row for row in read.execute(alive.where(m.id.in_(some)))})
    parents = _texts(read, {(row.platform, row.parent) for row in found.values() if row.parent})
    return [
        (
            row.id,
            Passage(
                text=row.text,
                language=row.language,
                parent_text=parents.get((row.platform, row.parent)),
                stars=row.stars,
            ),
        )
        for row in (found[i] for i in ids if i in found)
    ]


def _texts(read: Connection, keys: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
    k, m = mention_key.c, mention.c
    texts: dict[tuple[str, str], str] = {}
    for some in chunks(sorted(keys), 200):
        rows = select(k.platform, k.external_id, m.text).join(mention, and_(m.id == k.id, m.at == k.at))
        rows = rows.where(tuple_(k.platform, k.external_id).in_(some), k.gone_at.is_(None))
        texts.update({(row.platform, row.external_id): row.text for row in read.execute(rows)})
    return texts


def unscored(read: Connection, model: str, after_id: int, limit: int) -> list[int]:
    """Ids, ascending, that `model` ("name@revision", as Classifier.model) has not read: never own, never removed.

    Those nobody has read come before those that another model has.
    """
    r = reading.c
    ids: list[int] = []
    read_by_another = r.model.not_in(("", "-"))
    for other in (r.model == "", and_(r.model < model, read_by_another), and_(r.model > model, read_by_another)):
        if len(ids) < limit:
            wanted = select(r.mention_id).where(other, r.mention_id > after_id)
            ids += read.execute(wanted.order_by(r.mention_id).limit(limit - len(ids))).scalars()
    return sorted(ids)


def known(read: Connection, platform: str, external_ids: Sequence[str]) -> dict[str, str]:
    """External id -> version of those we have, tombstones among them."""
    k = mention_key.c
    asked = {plain_id(i): i for i in external_ids}
    versions: dict[str, str] = {}
    for some in chunks(list(asked)):
        rows = read.execute(select(k.external_id, k.version).where(k.platform == platform, k.external_id.in_(some)))
        versions.update({asked[row.external_id]: row.version for row in rows})
    return versions


def due_recheck(read: Connection, source: str, before: datetime, limit: int) -> list[str]:
    """External ids of this source's living mentions that were last looked at before then, longest ago first."""
    k = mention_key.c
    wanted = select(k.external_id).where(k.source == source, k.checked_at < before, k.gone_at.is_(None))
    return list(read.execute(wanted.order_by(k.checked_at).limit(limit)).scalars())


def mark_checked(tx: Connection, platform: str, external_ids: Sequence[str], now: datetime) -> None:
    """Note that these were looked at, whatever the answer was: the next recheck begins with others."""
    k = mention_key.c
    for some in chunks([plain_id(i) for i in external_ids]):
        tx.execute(update(mention_key).where(k.platform == platform, k.external_id.in_(some)).values(checked_at=now))
