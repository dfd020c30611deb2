"""Who sits here. Roles come from our own table, on each run and again with each write."""

from datetime import timedelta

import streamlit as st

from core.actor import Actor, Role
from core.errors import Forbidden
from dashboard import queries
from storage import people

#: The role that each deed needs.
NEEDS = {"answer": Role.AGENT, "operate": Role.MANAGER}
_TOKEN = "sign_in"
SAMPLE_PERSON = "demo"


def signed_in() -> people.Person | None:
    """The person signed in, if there is one."""
    with queries.reading() as read:
        if queries.settings().sample:
            return people.one(read, SAMPLE_PERSON)
        return people.session_person(read, st.session_state.get(_TOKEN, ""), queries.now())


def person() -> people.Person:
    """The person signed in.

    Raises:
        Forbidden: nobody is, or the session has ended.
    """
    found = signed_in()
    if found is None:
        raise Forbidden("your session has ended: load this page again and sign in")
    return found


def touch() -> None:
    """The session was used by a person, not by a page that renews itself; written once a minute at most."""
    if queries.settings().sample:
        return
    now = queries.now()
    if (now - st.session_state.get("touched", now - timedelta(days=1))) > timedelta(minutes=1):
        st.session_state["touched"] = now
        with queries.writing() as tx:
            people.touch_session(tx, st.session_state[_TOKEN], now)


def actor_for(deed: str) -> Actor:
    """Who does it.

    Raises:
        Forbidden: their role does not allow it.
    """
    return people.require(person(), NEEDS[deed])


def may(deed: str) -> bool:
    """Whether to show the control at all."""
    return person().may(NEEDS[deed])


def ask() -> None:
    """Show the sign-in page."""
    st.title("Sign in to openear", anchor=False)
    with queries.reading() as read:
        if not people.all(read):
            st.warning("Nobody may sign in yet. On this machine run: openear people add NAME --role admin")
            return
    with st.form("sign_in_form"):
        name = st.text_input("Name", autocomplete="username")
        password = st.text_input("Password", type="password", autocomplete="current-password")
        sent = st.form_submit_button("Sign in", type="primary")
    if sent:
        with queries.reading() as read:
            who = people.check_password(read, name, password)
        if who is None:
            st.error("Name or password is wrong.")
            return
        with queries.writing() as tx:
            st.session_state[_TOKEN] = people.open_session(tx, who, queries.now())
        st.rerun()


def leave() -> None:
    """Sign out."""
    token = st.session_state.pop(_TOKEN, "")
    if token:
        with queries.writing() as tx:
            people.end_session(tx, token, queries.now())
