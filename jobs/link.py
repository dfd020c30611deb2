"""Scored mentions to cases, in id order, by one linker at a time, so that a replay decides the same.

A decision reads no clock: it compares when things were said. A mention is not decided before every earlier one has
been read, however the scoring units were spread.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from core.actor import job
from core.case import Link, Rule, Status, Verdict
from core.mention import Kind, Visibility
from crm.cases import draft_case
from crm.desk import ScoredMention, rules
from crm.linking import decide
from jobs.alert import raise_alerts
from jobs.build import Runtime
from jobs.clocks import due_at
from jobs.desk import Desk
from storage import cases, queue
from storage.queue import LinkInput
from storage.work import Unit

ACTOR = job("link")
#: Decisions in one transaction.
CHUNK = 100
#: An unread mention holds back those after it for this long at most: a text that cannot be scored is a dead letter,
#: not a wall.
PATIENCE = timedelta(hours=1)
#: Nobody is woken for what was said longer ago: an imported archive is no emergency.
ALERT_WITHIN = timedelta(days=2)
#: How far back cases are kept in the index.
DAYS = 45


def link(runtime: Runtime, unit: Unit) -> None:
    """The stage: decide about every mention that can be decided."""
    del unit
    with runtime.store.read() as read:
        desk = Desk(cases.candidates(read, now=runtime.clock(), days=DAYS))
    while _link_some(runtime, desk):
        pass


def _link_some(runtime: Runtime, desk: Desk) -> bool:
    now = runtime.clock()
    with runtime.store.write() as tx:
        waiting = queue.to_link(tx, CHUNK, now - PATIENCE)
        for item in waiting:
            _decide_one(tx, runtime, desk, item, now)
    return bool(waiting)


def _decide_one(tx: Connection, runtime: Runtime, desk: Desk, item: LinkInput, now: datetime) -> None:
    mention = scored_mention(item)
    chosen = rules(runtime.settings)
    decision = decide(mention, desk.index, mention.posted_at, chosen)
    case_id = decision.case_id
    if decision.verdict is Verdict.OPEN:
        draft = draft_case(mention)
        case_id = cases.open(tx, draft.key, draft, now, ACTOR, system=runtime.settings.cases.system)
        cases.set_due(tx, case_id, due_at(runtime.settings, now))
        decision = _at(decision, case_id)
    cases.link(tx, item.mention_id, decision, now, ACTOR)
    if decision.verdict is Verdict.JOIN and decision.evidence.get("reopens") and case_id is not None:
        cases.set_status(tx, case_id, Status.OPEN, ACTOR, "its author wrote again", now)
        cases.set_due(tx, case_id, due_at(runtime.settings, now))
    if decision.verdict is Verdict.JOIN and case_id in desk.said and not decision.evidence.get("reopens"):
        desk.add(case_id, item, mention)
    elif decision.verdict in (Verdict.OPEN, Verdict.JOIN) and case_id is not None:
        for row in cases.candidates(tx, now=now, days=DAYS, case_ids=[case_id]):
            desk.put(row)
    fresh = now - item.at <= ALERT_WITHIN
    if fresh and mention.scores.safety >= chosen.safety and mention.scores.about_us >= chosen.about:
        raise_alerts(tx, runtime.settings, item.mention_id, now)


def _at(decision: Link, case_id: int) -> Link:
    """The decision with the case that was opened for it."""
    return Link(
        verdict=decision.verdict,
        rule=decision.rule if decision.rule is not Rule.NONE else Rule.NEW,
        case_id=case_id,
        score=decision.score,
        evidence=decision.evidence,
        decided_by=decision.decided_by,
    )


def scored_mention(item: LinkInput) -> ScoredMention:
    """A stored mention as the rules see it."""
    return ScoredMention(
        id=item.mention_id,
        platform=item.platform,
        external_id=item.external_id,
        kind=Kind(item.kind),
        text=item.text,
        posted_at=item.at,
        scores=item.scores,
        visibility=Visibility(item.visibility),
        parent=item.parent,
        root=item.root,
        ancestors=item.ancestors,
        author=(item.author, item.author_epoch) if item.author and item.author_epoch else None,
        point=item.point,
        stars=item.stars,
        url=item.url,
    )
