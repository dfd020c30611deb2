"""What was heard and what was not, and why."""

from datetime import timedelta

import pandas as pd
import streamlit as st

from dashboard import charts, filters, queries, session, show, words
from storage import requests

zone, now = queries.settings().agency.zone, queries.now()
st.title("Sources", anchor=False)
filters.status()

st.header("How each source does", anchor=False)
rows = queries.source_rows()
if not rows:
    st.text("No source is set up. Add one to openear.toml (see docs/sources), or import a file: openear import FILE")
for row in rows:
    with st.container(border=True):
        st.subheader(f"{row.name}: {row.state if row.enabled else 'switched off'}", anchor=False)
        st.text(
            f"{row.kind}, every {row.every_seconds // 60} min; answered {words.local(row.ok_at, zone)}. {row.message}"
        )
        if session.may("operate") and row.enabled and st.button(f"Ask {row.name} now", key=f"ask_{row.name}"):
            with queries.writing() as tx:
                requests.add(tx, "source.ask", {"source": row.name}, session.actor_for("operate"), queries.now())
            filters.say(f"{row.name} is asked within seconds.")
            st.rerun()

st.header("What was fetched and what was missed, last 7 days", anchor=False)
since, until = queries.last_hours(7 * 24)
ledger = queries.ledger(since, until)
if ledger:
    cells = [(r.hour, r.source, "fetched", r.seen) for r in ledger if r.seen]
    cells += [
        (r.hour, r.source, "missed, number unknown" if r.missed is None else "missed", r.missed or 0)
        for r in ledger
        if r.missed is None or r.missed
    ]
    frame = pd.DataFrame(cells, columns=["hour", "source", "state", "n"])
    missed = sum(r.missed or 0 for r in ledger)
    unknown = sum(r.missed is None for r in ledger)
    columns = ("hour", "source", "seen", "new", "missed", "backfilled", "rejected", "reason")
    table = pd.DataFrame([[getattr(r, c) for c in columns] for r in ledger], columns=columns)
    table["missed"] = table["missed"].map(lambda n: "unknown" if pd.isna(n) else str(int(n)))
    show.figure(
        charts.coverage(frame),
        table.tail(300),
        sentence=(
            f"{sum(r.seen for r in ledger):,} mentions seen; {missed:,} known to be missed; in {unknown} hours an "
            "unknown number was missed. Times are UTC."
        ),
        name="coverage",
    )
else:
    st.text("Nothing was fetched in the last 7 days.")

st.header("Gaps", anchor=False)
for gap in queries.gaps(now - timedelta(days=7), now)[:20]:
    number = "an unknown number" if gap.missed_first is None else f"{gap.missed_first:,}"
    began = words.local(gap.since, zone) if gap.since else "the beginning"
    state = "open" if gap.closed_at is None else f"{gap.outcome} {words.local(gap.closed_at, zone)}"
    st.text(f"{gap.source}: {number} missed from {began} to {words.local(gap.until, zone)} ({gap.reason}); {state}")

st.header("Work that was given up", anchor=False)
dead = queries.dead_letters()
if not dead:
    st.text("None.")
for unit in dead[: queries.PAGE]:
    with st.container(border=True):
        st.subheader(f"Unit {unit.id}: {unit.stage}", anchor=False)
        st.text(f"tried {unit.attempts} times; {unit.last_error or ''}")
        if session.may("operate") and st.button(f"Retry unit {unit.id}", key=f"retry_{unit.id}"):
            with queries.writing() as tx:
                requests.add(tx, "work.retry", {"unit": unit.id}, session.actor_for("operate"), queries.now())
            filters.say(f"Unit {unit.id} is tried again.")
            st.rerun()
