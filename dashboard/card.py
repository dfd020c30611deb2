"""One mention on the desk: what was said, why it is here, whose it is, by when, and what can be done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from core.scores import SENTIMENTS, TOPICS
from dashboard import acts, evidence, filters, queries, session, words
from storage.desk import InboxItem
from storage.waiting import Decision

#: Characters of a text that are shown at once.
SHOWN = 900
KEEP = "as it is"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What is known besides the mention itself."""

    decision: Decision | None
    parent_text: str | None


def card(item: InboxItem, beside: Beside, page: int, place: int) -> None:
    """Show a mention that waits."""
    with st.container(border=True, key=f"mention_{item.mention_id}"):
        with st.container(gap="xsmall"):
            _words(item, beside)
        if session.may("answer"):
            _deeds(item, beside, page, place)


def answered(done: filters.Answered) -> None:
    """The line that stands where an answered mention stood; its button is the same one, so the focus stays."""
    with st.container(border=True, key=f"mention_{done.mention_id}"):
        with st.container():
            st.subheader(f"Mention {done.mention_id}: marked answered", anchor=False)
        with st.container(horizontal=True):
            if st.button(
                f"Undo: mention {done.mention_id} is not answered", key=f"answer_{done.mention_id}", type="primary"
            ):
                acts.unanswer(done)


def _words(item: InboxItem, beside: Beside) -> None:
    now, zone = queries.now(), queries.settings().agency.zone
    heading = f"Mention {item.mention_id}: {item.kind} on {words.escaped(item.platform, 40)}"
    st.subheader(heading, anchor=False)
    if queries.harmful(item):
        st.markdown(f"**Somebody may come to harm ({words.percent(item.safety)} sure)**")
    if beside.parent_text:
        st.text(f"It answers: “{words.shortened(beside.parent_text, 200)[0]}”")
    shown, cut = words.shortened(item.text, SHOWN)
    st.text(shown)
    if cut:
        with st.expander(f"The whole text of mention {item.mention_id}, {len(item.text):,} characters"):
            st.text(words.text(item.text))
    st.text(f"{_when(item)}; {words.due(_due(item), now, zone)}; {_whose(item)}.")
    st.text(f"{_reading(item)} {evidence.standing(beside.decision) if beside.decision else 'At no case.'}")


def _when(item: InboxItem) -> str:
    now, zone = queries.now(), queries.settings().agency.zone
    stars = f", {item.stars:g} of 5 stars" if item.stars is not None else ""
    if item.posted_at is None:
        return f"Found {words.ago(item.at, now)}, no time given{stars}"
    return f"Said {words.ago(item.posted_at, now)} ({words.local(item.posted_at, zone)}){stars}"


def _due(item: InboxItem) -> datetime | None:
    """The clock of its case; a case that is only suggested has its own."""
    return item.due_at if item.verdict != "suggest" else None


def _whose(item: InboxItem) -> str:
    return f"given to {item.assignee}" if item.assignee else "nobody has taken it"


def _reading(item: InboxItem) -> str:
    topics = ", ".join(map(words.topic, item.topics)) or "no topic found"
    needs = f"Needs an answer ({words.percent(item.needs_answer)} sure)."
    return f"{needs} Tone: {words.LABELS[item.label]}. About: {topics}."


def _deeds(item: InboxItem, beside: Beside, page: int, place: int) -> None:
    number = item.mention_id
    with st.container(horizontal=True):
        if st.button(f"Mark mention {number} answered", key=f"answer_{number}", type="primary"):
            acts.answer(number, page, place)
        if not item.assignee and st.button(f"Take mention {number}", key=f"take_{number}"):
            acts.assign(number, session.person().name)
        is_open = filters.form() == number
        label = f"Close the form of mention {number}" if is_open else f"Correct or link mention {number}"
        st.button(label, key=f"form_{number}", on_click=filters.open_form, args=(None if is_open else number,))
        if found := words.address(item.url):
            st.link_button(f"Open mention {number} at {words.escaped(found[1], 60)}", found[0])
    _suggestion(beside.decision)
    if is_open:
        _form(item)


def _suggestion(decision: Decision | None) -> None:
    if decision is None or decision.link.verdict != "suggest" or decision.code is None:
        return
    number = decision.link.mention_id
    st.text(f"Case {decision.code}: {words.shortened(decision.title or '', 160)[0]}")
    with st.container(horizontal=True):
        if st.button(f"Yes, mention {number} belongs to case {decision.code}", key=f"accept_{number}"):
            acts.accept(number, decision)
        if st.button(f"Not this one for mention {number}", key=f"refuse_{number}"):
            acts.refuse(decision)


def _form(item: InboxItem) -> None:
    number = item.mention_id
    with st.form(f"correct_{number}"):
        st.text("What you say here counts instead of what the model read, and is kept with your name.")
        with st.container(horizontal=True):
            label = st.selectbox("Tone", SENTIMENTS, index=_index(SENTIMENTS, item.label))
            about = st.selectbox("It is about this agency", (KEEP, "yes", "no"))
            needs = st.selectbox("It needs an answer", (KEEP, "yes", "no"))
            harm = st.selectbox("Somebody may come to harm", (KEEP, "yes", "no"))
        topics = st.multiselect("Topics", TOPICS, default=item.topics, format_func=words.topic)
        names = ("", *queries.colleagues())
        given_to = st.selectbox(
            "Given to", names, index=_index(names, item.assignee or "") or 0, format_func=lambda x: x or "nobody"
        )
        code = st.text_input("Put it to the case with this code", placeholder="M-7F3K2").strip()
        new_case = st.checkbox("Open a new case for it")
        reason = st.text_input("Why (kept in the audit)")
        if st.form_submit_button(f"Save mention {number}", type="primary"):
            said = {"about_us": about, "needs_answer": needs, "safety": harm}
            changes: dict[str, object] = {head: value == "yes" for head, value in said.items() if value != KEEP}
            if label and label != item.label:
                changes["sentiment"] = label
            if set(topics) != set(item.topics):
                changes["topics"] = list(topics)
            acts.correct(item, changes, given_to=given_to or None, code=code, new_case=new_case, reason=reason)


def _index(names: Sequence[str], name: str) -> int | None:
    return names.index(name) if name in names else None
