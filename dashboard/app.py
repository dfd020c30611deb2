"""The pages, and what stands on each of them. Started by `openear run`."""

import streamlit as st

from dashboard import queries, session

PAGES = (
    ("desk", "Desk"),
    ("cases", "Cases"),
    ("phones", "Phones"),
    ("sentiment", "Sentiment"),
    ("sources", "Sources"),
)

st.set_page_config(page_title="openear", page_icon=":material/hearing:", layout="wide")
who = session.person()
page = st.navigation(
    [st.Page(f"views/{name}.py", title=title, url_path=name, default=name == "desk") for name, title in PAGES]
)
with st.sidebar:
    st.text(f"{who.name}, {who.role}")
    if not queries.settings().sample:
        st.button("Sign out", on_click=session.leave)
if queries.settings().sample:
    st.info("Maple Harbor is an invented city: its people, posts, reviews and calls are made up by a program.")
page.run()
