"""Cases: the list, and one with everything that was decided about it."""

import streamlit as st

from core.case import Status
from dashboard import case_view, filters, queries, words

zone, now = queries.settings().agency.zone, queries.now()
st.title("Cases", anchor=False)
filters.status()
STATES = [*(s.value for s in Status), "all"]
with st.container(horizontal=True, vertical_alignment="bottom", key="filters"):
    status = st.selectbox(
        "Status", STATES, format_func=lambda s: s.replace("_", " "), key="status", bind="query-params"
    )
    code = st.text_input("Find the case with this code", placeholder="M-7F3K2", key="case", bind="query-params")

wanted = None if status == "all" else status
total = queries.case_count(wanted)
number = filters.page_number(total, "page")
rows = queries.case_page(wanted, queries.PAGE, number * queries.PAGE)

view = queries.case(code) if code and code.strip() else None
if code and code.strip() and view is None:
    st.text(f"No case has the code {words.shortened(code, 20)[0]}. A code looks like M-7F3K2; see the table below.")
if view:
    case_view.show(view)

st.header(
    f"{words.count(total, 'case')}: {status.replace('_', ' ')}, page {number + 1}, last touched first", anchor=False
)
if rows:
    st.table(
        [
            {
                "Code": words.escaped(row.code),
                "What": words.escaped(row.title, 90),
                "Topic": words.topic(row.topic) if row.topic else "none",
                "Mentions": f"{row.mentions:,}",
                "Opened": words.ago(row.opened_at, now),
                "First answer": case_view.clock(row, now),
                "Given to": words.escaped(row.owner or "nobody"),
            }
            for row in rows
        ],
        hide_index=True,
        alt="The cases of this page.",
    )
    st.text("To open one, copy its code into the field above.")
elif status == "open":
    st.text("No case is open. A case opens by itself when a mention needs an answer; staff can open one on the Desk.")
else:
    st.text("No case is in this state. Choose another status above.")
