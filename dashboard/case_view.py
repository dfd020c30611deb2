"""One case with everything that was decided about it, and what staff can change."""

from datetime import datetime

import streamlit as st

from core.case import Status
from dashboard import acts, evidence, filters, queries, session, words
from storage.cases import CaseRow, CaseView
from storage.views import LinkRow

SENDING = {
    "local": "kept here",
    "waiting": "waits to be sent to {}",
    "sent": "sent to {}",
    "unknown": "perhaps sent to {}: it is looked up before it is sent again",
    "refused": "refused by {}: a person must look",
}


def clock(row: CaseRow, now: datetime) -> str:
    """How a case stands with its first answer, for a table's cell."""
    if row.answered_at:
        return f"answered {words.ago(row.answered_at, now)}"
    if row.status not in ("open", "in_progress") or row.due_at is None:
        return "no clock runs"
    left = row.due_at - now
    return f"OVERDUE by {words.span(left)}" if row.due_at < now else f"due in {words.span(left)}"


def listed(row: CaseRow) -> None:
    """A case of the list; it opens in its place, so that the focus and the reader stay where they are."""
    is_open = filters.opened_case() == row.code
    topic = words.topic(row.topic) if row.topic else "no topic"
    with st.container(border=True, key=f"case_{row.id}"):
        with st.container(gap="xsmall"):
            st.subheader(f"{row.code}: {words.escaped(row.title, 90)}", anchor=False)
            st.text(
                f"{topic}; {words.count(row.mentions, 'mention')}; opened {words.ago(row.opened_at, queries.now())}; "
                f"first answer: {clock(row, queries.now())}; given to {row.owner or 'nobody'}."
            )
        label = f"Close case {row.code}" if is_open else f"Open case {row.code}"
        st.button(label, key=f"open_{row.id}", on_click=filters.open_case, args=(None if is_open else row.code,))
        view = queries.case(row.code) if is_open else None
        if view:
            show(view)


def show(view: CaseView) -> None:
    """The case, its form, and why each mention is there."""
    case, now, zone = view.case, queries.now(), queries.settings().agency.zone
    answer = (
        f"answered {words.local(case.answered_at, zone)}" if case.answered_at else words.due(case.due_at, now, zone)
    )
    topic = words.topic(case.topic) if case.topic else "no topic"
    st.text(
        f"{case.status.replace('_', ' ').capitalize()}; {topic}; opened {words.local(case.opened_at, zone)}; {answer}; "
        f"given to {case.owner or 'nobody'}; {SENDING.get(case.sending, case.sending).format(case.system)}."
    )
    st.text(words.shortened(case.body, 1500)[0])
    if session.may("answer"):
        _form(case)
    texts = {item.mention_id: item.text for item in queries.items([link.mention_id for link in view.links])}
    st.text(f"{words.count(len(view.mention_ids), 'mention')} at this case; this is why:")
    for link in view.links:
        _link(link, texts.get(link.mention_id))


def _form(case: CaseRow) -> None:
    states, names = list(Status), ("", *queries.colleagues())
    owner = case.owner if case.owner in names else ""
    with st.form(f"case_form_{case.id}"):
        with st.container(horizontal=True):
            status = st.selectbox(
                "Status of this case",
                states,
                index=states.index(Status(case.status)),
                format_func=lambda s: s.value.replace("_", " "),
            )
            given = st.selectbox("Given to", names, index=names.index(owner), format_func=lambda x: x or "nobody")
            reason = st.text_input("Why (kept in the audit)")
        if st.form_submit_button(f"Save case {case.code}", type="primary"):
            acts.case_change(case.id, case.code, status, given or None, reason)


def _link(link: LinkRow, said: str | None) -> None:
    now = queries.now()
    with st.container(border=True, key=f"link_{link.id}"):
        verb = {"join": "joined", "open": "opened the case", "suggest": "is only suggested", "ignore": "no case"}
        st.text(f"Mention {link.mention_id} {verb[link.verdict]}: {evidence.because(link)}.")
        by = link.decided_by.replace("job:", "the job ").replace("person:", "")
        st.text(f"Decided by {by} {words.ago(link.decided_at, now)}.")
        if link.undone_at:
            st.text(
                f"UNDONE by {(link.undone_by or '').replace('person:', '')}: {words.text(link.undone_reason or '')}"
            )
        st.text(words.shortened(said, 600)[0] if said is not None else "Its text is not here any more.")
        open_to_change = not link.undone_at and session.may("answer")
        if open_to_change and st.button(f"Take mention {link.mention_id} out", key=f"unlink_{link.id}"):
            acts.unlink(link.id, link.mention_id)
