"""What is kept how long, counted from when we got it. Text and author go, counts stay; a legal hold wins.

A dry run says what would go.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, exists, func, or_, select, text, update

from core.actor import Actor, job
from storage import audit, holds, removal
from storage.sql import is_postgres
from storage.tables import (
    alert,
    cases,
    forecast,
    handle,
    mention,
    mention_key,
    request,
    score_vector,
    sign_in,
    work_unit,
)

#: How many mentions go in one transaction.
BATCH = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run erased, or in a dry run would erase.

    Attributes:
        expired: mentions past their time, whose text went.
        released: mentions removed earlier, whose text went now because a hold was released.
        held: mentions past their time or removed that a legal hold keeps.
        cases: closed cases past their time, whose words went.
        handles: encrypted names whose author has no mention left.
        vectors: embeddings that no case compares with any more.
        work, requests, alerts, sessions, forecasts: done rows nobody needs any more.
        more: True if another run would find more.
    """

    dry_run: bool
    expired: int = 0
    released: int = 0
    held: int = 0
    cases: int = 0
    handles: int = 0
    vectors: int = 0
    work: int = 0
    requests: int = 0
    alerts: int = 0
    sessions: int = 0
    forecasts: int = 0
    more: bool = False


def run(
    tx: Connection,
    *,
    now: datetime,
    mentions_days: int,
    by_source: Mapping[str, int] | None = None,
    work_days: int = 30,
    forecast_days: int = 1095,
    vector_days: int = 120,
    dry_run: bool = False,
    actor: Actor | None = None,
    limit: int = BATCH,
) -> Report:
    """Erase what is past its time; run again while `more`.

    `by_source` shortens the time for single sources, whose terms ask for it. The roll-ups are not touched.
    """
    old = _old(now, mentions_days, by_source or {})
    expired, released, held = _free(tx, old, limit), _unscrubbed(tx, limit), _held(tx, old)
    if not dry_run:
        removal.bury(tx, expired, "retention", now)
        removal.scrub(tx, released, now)
    report = Report(
        dry_run=dry_run,
        expired=len(expired),
        released=len(released),
        held=held,
        cases=_old_cases(tx, now - timedelta(days=mentions_days), dry_run=dry_run),
        handles=_orphans(tx, dry_run=dry_run),
        **_done(tx, now, work_days, forecast_days, vector_days, dry_run=dry_run),
        more=limit in (len(expired), len(released)),
    )
    if not dry_run and (expired or released):
        after = {"expired": len(expired), "released": len(released), "held": held}
        audit.append(tx, actor or job("retain"), "retention.run", "mentions", "past their time", None, after, now)
    return report


def _old(now: datetime, days: int, by_source: Mapping[str, int]) -> ColumnElement[bool]:
    k = mention_key.c
    old = [and_(k.source == name, k.seen_at < now - timedelta(days=min(n, days))) for name, n in by_source.items()]
    return or_(k.seen_at < now - timedelta(days=days), *old)


def _free(tx: Connection, old: ColumnElement[bool], limit: int) -> list[int]:
    k = mention_key.c
    free = [~holds.covered(row) for row in holds.standing(tx)]
    wanted = select(k.id).where(old, k.gone_at.is_(None), *free).order_by(k.id).limit(limit)
    return list(tx.execute(wanted).scalars())


def _held(tx: Connection, old: ColumnElement[bool]) -> int:
    k, standing = mention_key.c, holds.standing(tx)
    if not standing:
        return 0
    gone = and_(k.gone_at.is_not(None), k.scrubbed_at.is_(None))
    wanted = select(func.count()).select_from(mention_key)
    wanted = wanted.where(or_(and_(old, k.gone_at.is_(None)), gone), or_(*(holds.covered(row) for row in standing)))
    return int(tx.execute(wanted).scalar_one())


def _unscrubbed(tx: Connection, limit: int) -> list[int]:
    k = mention_key.c
    free = [~holds.covered(row) for row in holds.standing(tx)]
    wanted = select(k.id).where(k.gone_at.is_not(None), k.scrubbed_at.is_(None), *free)
    return list(tx.execute(wanted.order_by(k.id).limit(limit)).scalars())


def _old_cases(tx: Connection, before: datetime, *, dry_run: bool) -> int:
    c = cases.c
    blank = or_(c.title != removal.WITHDRAWN, c.body != removal.WITHDRAWN)
    old = [c.status.in_(("resolved", "closed", "cancelled")), c.updated_at < before, blank]
    old += [c.id.not_in([row.case_id]) for row in holds.standing(tx) if row.case_id is not None]
    if dry_run:
        return int(tx.execute(select(func.count()).select_from(cases).where(*old)).scalar_one())
    gone = update(cases).where(*old).values(title=removal.WITHDRAWN, body=removal.WITHDRAWN, url="")
    return int(tx.execute(gone).rowcount)


def _orphans(tx: Connection, *, dry_run: bool) -> int:
    unused = ~exists().where(mention.c.author == handle.c.pseudonym)
    if dry_run:
        return int(tx.execute(select(func.count()).select_from(handle).where(unused)).scalar_one())
    return int(tx.execute(delete(handle).where(unused)).rowcount)


def _done(
    tx: Connection, now: datetime, work_days: int, forecast_days: int, vector_days: int, *, dry_run: bool
) -> dict[str, Any]:
    before = now - timedelta(days=work_days)
    old = {
        "vectors": (score_vector, score_vector.c.mention_id.in_(_kept_since(now - timedelta(days=vector_days)))),
        "work": (work_unit, and_(work_unit.c.state == "done", work_unit.c.updated_at < before)),
        "requests": (request, and_(request.c.state != "waiting", request.c.done_at < before)),
        "alerts": (alert, and_(alert.c.state == "sent", alert.c.raised_at < before, alert.c.seen_at.is_not(None))),
        "sessions": (sign_in, sign_in.c.opened_at < before),
        "forecasts": (forecast, forecast.c.made_at < now - timedelta(days=forecast_days)),
    }
    if dry_run:
        return {
            name: int(tx.execute(select(func.count()).select_from(table).where(condition)).scalar_one())
            for name, (table, condition) in old.items()
        }
    return {name: int(tx.execute(delete(table).where(where)).rowcount) for name, (table, where) in old.items()}


def tidy(tx: Connection) -> None:
    """Nightly, after the last run: merge the search index, so that erased words are in no segment of it either."""
    if not is_postgres(tx):
        tx.execute(text("INSERT INTO mention_search(mention_search) VALUES ('optimize')"))


def _kept_since(moment: datetime) -> Select[tuple[int]]:
    """Mentions that we have had for longer; counted from when we got them, so that an archive may be imported."""
    return select(mention_key.c.id).where(mention_key.c.seen_at < moment)
