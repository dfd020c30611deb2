"""The pages, and what stands on each of them. Started by `openear run`."""

import logging
from pathlib import Path

import streamlit as st

from core.errors import OpenearError
from dashboard import queries, session, words

log = logging.getLogger("openear.dashboard")

PAGES = (
    ("desk", "Desk"),
    ("cases", "Cases"),
    ("phones", "Phones"),
    ("sentiment", "Sentiment"),
    ("sources", "Sources"),
)
#: A file of ours: Streamlit fetches its own icons from a server of Google's.
ICON = str(Path(__file__).with_name("icon.svg"))

who = session.signed_in()
page = st.navigation(
    [st.Page(f"views/{name}.py", title=title, url_path=name, default=name == "desk") for name, title in PAGES],
    position="sidebar" if who else "hidden",
)
st.set_page_config(page_title=f"{page.title if who else 'Sign in'} – openear", page_icon=ICON, layout="wide")
if who is None:
    session.ask()
    st.stop()
session.touch()
with st.sidebar:
    st.text(f"{who.name}, {who.role}")
    if not queries.settings().sample:
        st.button("Sign out", on_click=session.leave)
if queries.settings().sample:
    st.info("Maple Harbor is an invented city: its people, posts, reviews and calls are made up by a program.")
try:
    page.run()
except OpenearError as error:
    st.error(words.escaped(str(error), 400))
except Exception:  # Streamlit's own box would offer to send the error to a search engine
    log.exception("the page %s cannot be shown", page.title)
    st.error("This page cannot be shown: a fault of openear's. It is in the log (dashboard.log); try another page.")
