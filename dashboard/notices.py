"""What happens while somebody reads the desk: a danger is shown at once, new mentions are only announced."""

from itertools import groupby

import streamlit as st

from dashboard import acts, filters, queries, session, words
from storage.alerts import AlertRow

#: Dangers shown at once.
SHOWN = 3
WAYS = {"email": "e-mail", "webhook": "webhook", "desk": "here only, as no e-mail or webhook is set up"}
STATES = {"waiting": "not sent yet", "unknown": "sent perhaps: nobody knows", "sent": "sent", "failed": "NOT sent"}


@st.fragment(run_every="30s")
def notices() -> None:
    """Unseen dangers, and how many mentions came since the list was read.

    A page that renews itself does not keep a session alive: when it has ended, the sign-in page comes.
    """
    if session.signed_in() is None:
        st.rerun()
    rows = queries.alarms()
    each = [list(group) for _, group in groupby(rows, key=lambda row: row.mention_id)]
    if each:
        st.header(f"Somebody may come to harm: {words.count(len(each), 'alert')} nobody has seen", anchor=False)
    for group in each[:SHOWN]:
        _danger(group)
    n = queries.newer(filters.loaded())
    if n:
        with st.container(horizontal=True, vertical_alignment="center", key="new_mentions"):
            st.text(f"{words.count(n, 'new mention')} came since this list was read.")
            if st.button("Load them", key="load"):
                filters.load()
                filters.say(f"{words.count(n, 'new mention')} loaded.")
                st.rerun()


def _danger(rows: list[AlertRow]) -> None:
    now, first = queries.now(), rows[0]
    item = next(iter(queries.items((first.mention_id,))), None) if first.mention_id else None
    with st.container(border=True, key=f"alert_{first.id}"):
        st.subheader(f"Mention {first.mention_id}, {words.ago(first.raised_at, now)}", anchor=False)
        st.text(words.shortened(item.text, 600)[0] if item else "Its text is not here any more.")
        told = (WAYS.get(r.channel, r.channel) + ("" if r.channel == "desk" else f" {STATES[r.state]}") for r in rows)
        st.text(f"Told by: {', '.join(told)}.")
        if session.may("answer") and st.button(f"I know about mention {first.mention_id}", key=f"know_{first.id}"):
            acts.acknowledge(first.mention_id, [row.id for row in rows])
