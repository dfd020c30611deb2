"""What a page is asked for and what was just done: the only place that touches the session's state.

Filters are kept in the address, so that a view can be sent to a colleague.
"""

from datetime import date, timedelta
from typing import NamedTuple

import streamlit as st

from core.scores import TOPICS
from dashboard import queries, words
from storage.desk import Order

SPANS = {"7 days": 7, "30 days": 30, "90 days": 90, "18 months": 548}
ORDERS: dict[Order, str] = {"urgent": "What cannot wait first", "newest": "Newest first"}
#: How many answers of this session can be taken back.
KEPT = 5


class Answered(NamedTuple):
    """An answer that can be taken back, and where its mention stood."""

    reply_id: int
    mention_id: int
    page: int
    place: int


def span(default: str = "30 days") -> tuple[date, date]:
    """The days asked for, [since, until)."""
    names = list(SPANS)
    chosen = st.selectbox("Time span", names, index=names.index(default), key="span", bind="query-params")
    until = queries.today() + timedelta(days=1)
    return until - timedelta(days=SPANS[chosen]), until


def topic() -> str | None:
    """The topic asked for; None is all."""
    chosen = st.selectbox("Topic", ("", *TOPICS), format_func=words.topic, key="topic", bind="query-params")
    return chosen or None


def wish(me: str) -> queries.Wish:
    """What of the desk is asked for."""
    with st.container(horizontal=True, key="filters"):
        order = st.selectbox("Order", tuple(ORDERS), format_func=ORDERS.__getitem__, key="order", bind="query-params")
        chosen = topic()
        whose = st.selectbox("Whose", ("everybody's", "mine", "nobody's"), key="whose", bind="query-params")
        languages = ("", *queries.settings().agency.languages)
        language = st.selectbox(
            "Language", languages, format_func=lambda x: x or "all", key="language", bind="query-params"
        )
    assignee = {"everybody's": None, "mine": me, "nobody's": ""}[whose]
    return queries.Wish(order=order, topic=chosen, assignee=assignee, language=language or None)


def page_number(total: int, key: str) -> int:
    """Which page of queries.PAGE items, from 0."""
    pages = max(1, -(-total // queries.PAGE))
    if pages == 1:
        return 0
    chosen = st.number_input(
        f"Page, 1 to {pages:,}", min_value=1, max_value=pages, value=1, key=key, bind="query-params", width=160
    )
    return int(chosen) - 1


def loaded() -> int:
    """The newest mention of the list that is being read; what came later is announced."""
    if "loaded" not in st.session_state:
        load()
    return int(st.session_state["loaded"])


def load() -> None:
    """Take up what came."""
    st.session_state["loaded"] = queries.newest_waiting()


def remember_answer(done: Answered) -> None:
    """Keep an answer, so that it can be taken back."""
    st.session_state["answered"] = [*answers(), done][-KEPT:]


def forget_answer(done: Answered) -> None:
    """It was taken back."""
    st.session_state["answered"] = [each for each in answers() if each != done]


def answers() -> list[Answered]:
    """What was answered in this session, oldest first."""
    return list(st.session_state.get("answered", []))


def open_form(mention_id: int | None) -> None:
    """Whose form is open; None closes it."""
    st.session_state["form"] = mention_id


def close_form() -> None:
    """No form is open."""
    open_form(None)


def form() -> int | None:
    """The mention whose form is open."""
    found: int | None = st.session_state.get("form")
    return found


def open_case(code: str | None) -> None:
    """Show a case in the list; None closes it."""
    st.session_state["open_case"] = code


def opened_case() -> str | None:
    """The case that is open in the list."""
    found: str | None = st.session_state.get("open_case")
    return found


def say(text: str) -> None:
    """Keep what an action did, for the status line of the next run."""
    st.session_state["said"] = text


def status() -> None:
    """What the last action did, in one place near the top, where a screen reader finds it."""
    with st.container(key="status_line"):
        said = st.session_state.pop("said", "")
        if said:
            st.info(words.escaped(said, 400))
