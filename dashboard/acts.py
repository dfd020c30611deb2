"""What staff do on a page. Each is one transaction, checked against the person's role, with its line in the audit."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st
from sqlalchemy import Connection

from core.case import Link, Rule, Status, Verdict
from core.errors import BadInput
from dashboard import drafts, filters, queries, session
from storage import alerts, cases, desk, replies, requests, scores
from storage.waiting import Decision


def answer(mention_id: int, page: int, place: int) -> None:
    """Mark a mention answered; it stays in its place as a line that takes it back."""
    with queries.writing() as tx:
        reply = replies.mark_answered(tx, mention_id, session.actor_for("answer"), "", queries.now())
    filters.remember_answer(filters.Answered(reply, mention_id, page, place))
    filters.say(f"Mention {mention_id} is marked answered. The button in its place takes this back.")
    st.rerun()


def unanswer(done: filters.Answered) -> None:
    """Take an answer back."""
    with queries.writing() as tx:
        replies.undo(tx, done.reply_id, session.actor_for("answer"), queries.now())
    filters.forget_answer(done)
    filters.say(f"Mention {done.mention_id} waits for an answer again.")
    st.rerun()


def assign(mention_id: int, name: str | None) -> None:
    """Give a mention to somebody, or to nobody."""
    with queries.writing() as tx:
        desk.assign(tx, mention_id, name, session.actor_for("answer"), queries.now())
    filters.say(f"Mention {mention_id} is given to {name or 'nobody'}.")
    st.rerun()


def accept(mention_id: int, decision: Decision) -> None:
    """Put a mention to the case that was suggested for it."""
    evidence = {"accepted": decision.link.rule, **decision.link.evidence}
    link = Link(verdict=Verdict.JOIN, rule=Rule.PERSON, case_id=decision.link.case_id, evidence=evidence)
    with queries.writing() as tx:
        cases.link(tx, mention_id, link, queries.now(), session.actor_for("answer"), reason="suggestion accepted")
    filters.say(f"Mention {mention_id} is at case {decision.code} now.")
    st.rerun()


def refuse(decision: Decision) -> None:
    """Say that a suggestion is wrong."""
    link = decision.link
    with queries.writing() as tx:
        cases.unlink(tx, link.id, session.actor_for("answer"), "suggestion refused", queries.now())
    filters.say(f"Mention {link.mention_id} does not belong to case {decision.code}: noted.")
    st.rerun()


def correct(
    item: desk.InboxItem,
    said: Mapping[str, Any],
    *,
    given_to: str | None,
    code: str,
    new_case: bool,
    reason: str,
) -> None:
    """Save what staff say instead of the model, whose the mention is, and the case they put it to: all or nothing."""
    actor, now = session.actor_for("answer"), queries.now()
    changed = list(said)
    try:
        with queries.writing() as tx:
            for head, value in said.items():
                scores.correct(tx, item.mention_id, head, value, actor, reason, now)
            if given_to != item.assignee:
                desk.assign(tx, item.mention_id, given_to, actor, now)
                changed.append("whose it is")
            if code or new_case:
                changed.append(f"case {_put_to(tx, item.mention_id, code, new_case, reason)}")
    except BadInput as error:
        filters.say(f"Mention {item.mention_id} was not changed: {error}")
    else:
        what = ", ".join(name.replace("_", " ") for name in changed) or "nothing, as nothing was changed"
        filters.say(f"Mention {item.mention_id}: saved {what}.")
        filters.close_form()
    st.rerun()


def _put_to(tx: Connection, mention_id: int, code: str, new_case: bool, reason: str) -> str:
    actor, now = session.actor_for("answer"), queries.now()
    if code and new_case:
        raise BadInput("give a case code or ask for a new case, not both")
    case_id = drafts.open_case(tx, mention_id, actor, reason, now) if new_case else None
    case = cases.one(tx, case_id).case if case_id else cases.by_code(tx, code)  # type: ignore[union-attr]
    if case is None:
        raise BadInput(f"no case has the code {code!r}: look it up on the page Cases")
    verdict = Verdict.OPEN if new_case else Verdict.JOIN
    link = Link(verdict=verdict, rule=Rule.PERSON, case_id=case.id, evidence={"reason": reason})
    cases.link(tx, mention_id, link, now, actor, reason=reason)
    return case.code


def case_change(case_id: int, code: str, status: Status, owner: str | None, reason: str) -> None:
    """Set a case's status and whose it is."""
    actor, now = session.actor_for("answer"), queries.now()
    with queries.writing() as tx:
        changed = cases.set_status(tx, case_id, status, actor, reason, now)
        given = cases.assign(tx, case_id, owner, actor, now, reason=reason)
    done = [f"its status is {status.value.replace('_', ' ')}"] if changed else []
    done += [f"it is given to {owner or 'nobody'}"] if given else []
    filters.say(f"Case {code}: {' and '.join(done) or 'nothing was changed'}.")
    st.rerun()


def unlink(link_id: int, mention_id: int) -> None:
    """Take a mention out of a case."""
    with queries.writing() as tx:
        cases.unlink(tx, link_id, session.actor_for("answer"), "taken out on the page", queries.now())
    filters.say(f"Mention {mention_id} was taken out; the decision is kept and shown as undone.")
    st.rerun()


def acknowledge(mention_id: int | None, alert_ids: Sequence[int]) -> None:
    """Say that one knows of a danger, whichever way it was told."""
    actor, now = session.actor_for("answer"), queries.now()
    with queries.writing() as tx:
        for alert_id in alert_ids:
            alerts.acknowledge(tx, alert_id, actor, now)
    filters.say(f"It is noted that {actor.subject} knows about mention {mention_id}.")
    st.rerun()


def ask_source(name: str) -> None:
    """Have a job ask a source at once."""
    _request("source.ask", {"source": name}, f"{name} is asked within seconds; what came of it is shown below.")


def retry(unit_id: int) -> None:
    """Have a job try a given-up unit again."""
    _request("work.retry", {"unit": unit_id}, f"Unit {unit_id} is tried again within seconds.")


def _request(kind: str, payload: dict[str, Any], said: str) -> None:
    with queries.writing() as tx:
        requests.add(tx, kind, payload, session.actor_for("operate"), queries.now())
    filters.say(said)
    st.rerun()
