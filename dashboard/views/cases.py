"""Cases: the list, and one with everything that was decided about it."""

import streamlit as st

from core.case import Status
from dashboard import acts, filters, queries, session, words

zone = queries.settings().agency.zone
st.title("Cases", anchor=False)
filters.status()
left, right = st.columns(2)
with left:
    status = st.selectbox(
        "Status", ("open", "in_progress", "resolved", "closed", "all"), key="status", bind="query-params"
    )
wanted = None if status == "all" else status
total = queries.case_count(wanted)
with right:
    number = filters.page_number(total, "page")
rows = queries.case_page(wanted, queries.PAGE, number * queries.PAGE)

st.header(f"{total:,} cases, page {number + 1}", anchor=False)
if rows:
    st.table(
        [
            {
                "Code": words.escaped(row.code),
                "What": words.escaped(row.title, 90),
                "Topic": words.topic(row.topic or "") if row.topic else "none",
                "Mentions": row.mentions,
                "Opened": words.local(row.opened_at, zone),
                "Answer due": words.local(row.due_at, zone) if row.due_at else "no clock",
                "Given to": words.escaped(row.owner or "nobody"),
            }
            for row in rows
        ],
        alt="The cases of this page.",
    )
    codes = {row.id: row.code for row in rows}
    opened = st.selectbox("Open case", [*codes], index=None, format_func=codes.__getitem__, key="case")
else:
    st.text("No case is in this state.")
    opened = None

view = queries.case(opened) if opened else None
if view:
    case = view.case
    st.header(f"Case {case.code}", anchor=False)
    st.text(f"{case.status}; opened {words.local(case.opened_at, zone)}; answer due {words.local(case.due_at, zone)}")
    st.text(case.body)
    if session.may("answer"):
        with st.form("case_status"):
            new = st.selectbox("New status", [s.value for s in Status])
            reason = st.text_input("Why")
            if st.form_submit_button(f"Set case {case.code}"):
                acts.case_status(case.id, case.code, Status(new), reason)
    st.subheader("Why each mention is here", anchor=False)
    texts = {item.mention_id: item.text for item in queries.items(view.mention_ids)}
    for link in view.links:
        with st.container(border=True):
            undone = f"; undone by {link.undone_by}: {link.undone_reason}" if link.undone_at else ""
            how = f"{link.verdict} by rule {link.rule}, score {link.score:.2f}, {link.decided_by}"
            st.text(f"Mention {link.mention_id}: {how}{undone}")
            st.text("; ".join(f"{name}: {value}" for name, value in link.evidence.items()))
            if link.mention_id in texts:
                st.text(texts[link.mention_id])
            open_to_change = not link.undone_at and session.may("answer")
            if open_to_change and st.button(f"Take mention {link.mention_id} out", key=f"unlink_{link.id}"):
                acts.unlink(link.id, link.mention_id, "taken out on the page")
