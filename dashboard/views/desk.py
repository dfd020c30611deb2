"""Mentions that need an answer: read, correct, give to somebody, put to a case, mark answered, undo."""

import streamlit as st

from dashboard import card, filters, notices, queries, session, words

st.title("Desk", anchor=False)
filters.status()
notices.notices()
counts = queries.counts()
with st.container(horizontal=True, key="counts"):
    for label, n in (
        ("Wait for an answer", counts.waiting),
        ("Taken by nobody", counts.unassigned),
        ("Negative", counts.negative),
        ("May be about harm", counts.safety),
    ):
        st.metric(label, f"{n:,}", width=150)

wish = filters.wish(session.person().name)
total = queries.waiting_count(wish)
number = filters.page_number(total, "page")
items = queries.inbox(wish, number, filters.loaded())
st.header(
    f"{words.count(total, 'mention')} to answer, page {number + 1}" if total else "Nothing to answer", anchor=False
)
if not total and not any(wish.narrow.values()):
    st.text("All is answered. New mentions come here by themselves once a source is set up: see Sources.")
elif not items:
    st.text("Nothing that waits fits these filters. Choose another topic, language or person above.")

decisions, parents = queries.beside([item.mention_id for item in items])
waiting = {item.mention_id for item in items}
done = [each for each in filters.answers() if each.mention_id not in waiting]
here = done.pop() if done and done[-1].page == number else None
for place, item in enumerate(items):
    if here and here.place == place:
        card.answered(here)
    beside = card.Beside(decision=decisions.get(item.mention_id), parent_text=parents.get(item.mention_id))
    card.card(item, beside, number, place)
if here and here.place >= len(items):
    card.answered(here)
if done:
    st.header("Answered before, in this session", anchor=False)
for each in reversed(done):
    card.answered(each)
