"""Mentions that need an answer: read, correct, give to somebody, put to a case, mark answered, undo."""

import streamlit as st

from core.scores import TOPICS
from dashboard import acts, filters, queries, session, words

zone = queries.settings().agency.zone
st.title("Desk", anchor=False)
filters.status()
counts = queries.counts()
badges = st.columns(4)
badges[0].metric("Waiting", f"{counts.waiting:,}")
badges[1].metric("Nobody's yet", f"{counts.unassigned:,}")
badges[2].metric("Negative", f"{counts.negative:,}")
badges[3].metric("May be harm", f"{counts.safety:,}")

controls = st.columns(3)
with controls[0]:
    order = filters.order()
with controls[1]:
    topic = filters.topic()
with controls[2]:
    whose = st.selectbox("Whose", ("everybody's", "mine", "nobody's"), key="whose", bind="query-params")
assignee = {"everybody's": None, "mine": session.person().name, "nobody's": ""}[whose]
number = filters.page_number(counts.waiting, "page")
items = queries.inbox(order, number, topic, assignee)

st.header(f"Waiting for an answer, page {number + 1}", anchor=False)
if not items:
    st.text("Nothing waits here.")
for item in items:
    with st.container(border=True, key=f"mention_{item.mention_id}"):
        harm = "  May be about harm." if item.safety >= queries.settings().alerts.safety_threshold else ""
        st.subheader(f"Mention {item.mention_id}: {item.kind} on {words.escaped(item.platform)}", anchor=False)
        topics = ", ".join(map(words.topic, item.topics)) or "no topic"
        st.text(f"{words.local(item.at, zone)}, {item.label}, {topics}.{harm}")
        st.text(item.text)
        link = f"{item.verdict}: case {item.case_code}" if item.case_code else "no case"
        st.text(f"{link}; {'given to ' + item.assignee if item.assignee else 'given to nobody'}")
        if not session.may("answer"):
            continue
        row = st.container(horizontal=True)
        if row.button(f"Mark mention {item.mention_id} answered", key=f"answer_{item.mention_id}", type="primary"):
            acts.answer(item.mention_id)
        if not item.assignee and row.button(f"Take mention {item.mention_id}", key=f"take_{item.mention_id}"):
            acts.take(item.mention_id)
        with st.expander(f"Correct or link mention {item.mention_id}"), st.form(f"correct_{item.mention_id}"):
            label = st.selectbox("Sentiment", ("negative", "neutral", "positive"), index=None, placeholder=item.label)
            names = st.multiselect("Topics", TOPICS, default=item.topics, format_func=words.topic)
            needs = st.selectbox("Needs an answer", ("yes", "no"), index=None, placeholder="as it is")
            code = st.text_input("Case code", placeholder=item.case_code or "M-...")
            reason = st.text_input("Why")
            if st.form_submit_button(f"Save mention {item.mention_id}"):
                acts.correct(item, label, names, needs, code, reason)

acts.offer_undo()
