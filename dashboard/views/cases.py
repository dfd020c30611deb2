"""Cases: the list, and one with everything that was decided about it."""

import streamlit as st

from core.case import Status
from dashboard import case_view, filters, queries, words

STATES = [*(s.value for s in Status), "all"]
st.title("Cases", anchor=False)
filters.status()
with st.container(horizontal=True, vertical_alignment="bottom", key="filters"):
    status = st.selectbox(
        "Status", STATES, format_func=lambda s: s.replace("_", " "), key="status", bind="query-params"
    )
    code = st.text_input("Case code", placeholder="M-7F3K2", key="case", bind="query-params") or ""
wanted = None if status == "all" else status
total = queries.case_count(wanted)
number = filters.page_number(total, "page")

asked = queries.case(code) if code.strip() else None
if code.strip() and asked is None:
    st.text(f"No case has the code {words.shortened(code, 20)[0]}. A code looks like M-7F3K2.")
if asked:
    st.header(f"Case {asked.case.code}", anchor=False)
    case_view.show(asked)

state = "in all" if status == "all" else status.replace("_", " ")
pages = f", page {number + 1}, last touched first" if total else ""
st.header(f"{words.count(total, 'case')} {state}{pages}", anchor=False)
if not total and status == "open":
    st.text("No case is open. A case opens by itself when a mention needs an answer; staff can open one on the Desk.")
elif not total:
    st.text("No case is in this state. Choose another status above.")
for row in queries.case_page(wanted, queries.PAGE, number * queries.PAGE):
    if asked is None or row.id != asked.case.id:
        case_view.listed(row)
