"""What staff do on a page. Each is one transaction, checked against the person's role, with its line in the audit."""

from collections.abc import Sequence
from typing import Any

import streamlit as st
from sqlalchemy import Connection

from core.case import Link, Rule, Status, Verdict
from core.errors import BadInput
from dashboard import filters, queries, session
from storage import cases, desk, replies, scores


def answer(mention_id: int) -> None:
    """Mark a mention answered; it can be undone from the line that says so."""
    with queries.writing() as tx:
        reply = replies.mark_answered(tx, mention_id, session.actor_for("answer"), "", queries.now())
    st.session_state["undo"] = (reply, mention_id)
    filters.say(f"Mention {mention_id} is marked answered. It can be undone at the end of the page.")
    st.rerun()


def offer_undo() -> None:
    """A button that takes the last answer back."""
    last = st.session_state.get("undo")
    if last and st.button(f"Undo: mention {last[1]} is not answered", key="undo_answer"):
        with queries.writing() as tx:
            replies.undo(tx, last[0], session.actor_for("answer"), queries.now())
        del st.session_state["undo"]
        filters.say(f"Mention {last[1]} waits for an answer again.")
        st.rerun()


def take(mention_id: int) -> None:
    """Give a mention to oneself."""
    actor = session.actor_for("answer")
    with queries.writing() as tx:
        desk.assign(tx, mention_id, actor.subject, actor, queries.now())
    filters.say(f"Mention {mention_id} is yours.")
    st.rerun()


def correct(
    item: desk.InboxItem, label: str | None, topics: Sequence[str], needs: str | None, code: str, reason: str
) -> None:
    """Save what staff say instead of the model, and the case they put the mention to."""
    actor, now = session.actor_for("answer"), queries.now()
    said = _changed(item, label, topics, needs)
    try:
        with queries.writing() as tx:
            for head, value in said.items():
                scores.correct(tx, item.mention_id, head, value, actor, reason, now)
            if code.strip():
                _put_to(tx, item.mention_id, code.strip(), reason)
    except BadInput as error:
        filters.say(f"Mention {item.mention_id} was not changed: {error}")
    else:
        changed = [*said, *(["case"] if code.strip() else [])]
        filters.say(
            f"Mention {item.mention_id}: saved {', '.join(changed) if changed else 'nothing, as nothing changed'}."
        )
    st.rerun()


def _put_to(tx: Connection, mention_id: int, code: str, reason: str) -> None:
    case = cases.by_code(tx, code)
    if case is None:
        raise BadInput(f"no case has the code {code!r}")
    link = Link(verdict=Verdict.JOIN, rule=Rule.PERSON, case_id=case.id, evidence={"reason": reason})
    cases.link(tx, mention_id, link, queries.now(), session.actor_for("answer"), reason=reason)


def _changed(item: desk.InboxItem, label: str | None, topics: Sequence[str], needs: str | None) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if label and label != item.label:
        said["sentiment"] = label
    if set(topics) != set(item.topics):
        said["topics"] = list(topics)
    if needs:
        said["needs_answer"] = needs == "yes"
    return said


def case_status(case_id: int, code: str, status: Status, reason: str) -> None:
    """Set a case's status."""
    with queries.writing() as tx:
        cases.set_status(tx, case_id, status, session.actor_for("answer"), reason, queries.now())
    filters.say(f"Case {code} is {status.value}.")
    st.rerun()


def unlink(link_id: int, mention_id: int, reason: str) -> None:
    """Take a mention out of a case."""
    with queries.writing() as tx:
        cases.unlink(tx, link_id, session.actor_for("answer"), reason, queries.now())
    filters.say(f"Mention {mention_id} was taken out; the decision is kept and shown as undone.")
    st.rerun()
