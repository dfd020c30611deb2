"""What a page is asked for: kept in the address, so that a view can be sent to a colleague. The only session state."""

from datetime import date, timedelta

import streamlit as st

from core.scores import TOPICS
from dashboard import queries, words
from storage.desk import Order

SPANS = {"7 days": 7, "30 days": 30, "90 days": 90, "18 months": 548}


def span(default: str = "90 days") -> tuple[date, date]:
    """The days asked for, [since, until)."""
    names = list(SPANS)
    chosen = st.selectbox("Time span", names, index=names.index(default), key="span", bind="query-params")
    until = queries.today() + timedelta(days=1)
    return until - timedelta(days=SPANS[chosen]), until


def topic() -> str | None:
    """The topic asked for; None is all."""
    chosen = st.selectbox("Topic", ("", *TOPICS), format_func=words.topic, key="topic", bind="query-params")
    return chosen or None


def order() -> Order:
    """What comes first on the desk."""
    orders: tuple[Order, ...] = ("urgent", "newest")
    return st.selectbox("Order", orders, key="order", bind="query-params")


def page_number(total: int, key: str) -> int:
    """Which page of queries.PAGE items, from 0."""
    pages = max(1, -(-total // queries.PAGE))
    if pages == 1:
        return 0
    return int(st.number_input(f"Page (1 to {pages})", 1, pages, 1, key=key, bind="query-params")) - 1


def chosen(key: str) -> int | None:
    """The number in the address under `key`, if there is one."""
    value = st.query_params.get(key, "")
    return int(value) if value.isascii() and value.isdigit() else None


def say(text: str) -> None:
    """Keep what an action did, for the status line of the next run."""
    st.session_state["said"] = text


def status() -> None:
    """What the last action did, in one place near the top, where a screen reader finds it."""
    with st.container(key="status"):
        said = st.session_state.pop("said", "")
        if said:
            st.info(said)
