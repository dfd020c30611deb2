"""A case that a member of staff opens for a mention: the same draft and clock as the linker's."""

from datetime import datetime

from sqlalchemy import Connection

from core.actor import Actor
from core.errors import BadInput
from core.mention import Kind
from crm import sla
from crm.cases import draft_case
from crm.desk import ScoredMention
from dashboard import queries
from storage import cases, mentions


def open_case(tx: Connection, mention_id: int, actor: Actor, reason: str, now: datetime) -> int:
    """Open a case for a mention; its id.

    Raises:
        BadInput: its text is gone, or nobody has read it.
    """
    view = mentions.one(tx, mention_id)
    if view is None or view.gone or view.scores is None:
        raise BadInput(f"mention {mention_id} has no text that was read: it cannot open a case")
    scored = ScoredMention(
        id=view.id,
        platform=view.platform,
        external_id=view.external_id,
        kind=Kind(view.kind),
        text=view.text,
        posted_at=view.at,
        scores=view.scores,
        url=view.url,
    )
    draft, settings = draft_case(scored), queries.settings()
    case_id = cases.open(tx, draft.key, draft, now, actor, system=settings.cases.system, reason=reason)
    agency = settings.agency
    holidays = sla.public_holidays(agency, (now.year, now.year + 1))
    cases.set_due(tx, case_id, sla.due(now, agency.hours, agency.timezone, holidays, settings.cases.first_answer))
    return case_id
