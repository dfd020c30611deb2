"""What was heard and what was not, and why."""

from datetime import timedelta

import pandas as pd
import streamlit as st

from dashboard import acts, charts, filters, heard, queries, session, show, stats, words

zone, now = queries.settings().agency.zone, queries.now()
st.title("Sources", anchor=False)
filters.status()
since, until = queries.last_hours(7 * 24)
ledger = queries.ledger(since, until)

st.header("How each source does", anchor=False)
rows = queries.source_rows()
totals = stats.heard_by_source(ledger)
if not rows:
    st.text("No source is set up. Run openear init, or add one to openear.toml; or import a file: openear import FILE")
elif not session.may("operate"):
    st.text("A manager can have a source asked at once and retry work that was given up.")
for row in rows:
    with st.container(border=True, key=f"source_{row.name}"):
        st.subheader(f"{row.name}: {heard.state(row, now)}", anchor=False)
        answered = f"answered {words.ago(row.ok_at, now)}" if row.ok_at else "has never answered yet"
        every = words.span(timedelta(seconds=row.every_seconds))
        st.text(
            f"Kind {row.kind}, asked every {every}, {answered}. Last 7 days: {totals.get(row.name, 'nothing seen')}."
        )
        if row.message:
            st.text(f"It said: {words.text(row.message)}")
        if session.may("operate") and row.enabled and st.button(f"Ask {row.name} now", key=f"ask_{row.name}"):
            acts.ask_source(row.name)
for request in queries.asked()[:3]:
    answer = request.answer or "a job takes it up within seconds"
    st.text(
        f"{request.actor.subject} asked {words.ago(request.asked_at, now)}: {words.text(answer)} ({request.state})."
    )

st.header("What was fetched and what was missed, last 7 days", anchor=False)
if ledger:
    frame, table = stats.ledger_frame(ledger, zone), stats.ledger_table(ledger, zone)
    unknown = sum(r.missed is None for r in ledger)
    more = f" In {words.count(unknown, 'hour')} an unknown number was missed: the broken lines." if unknown else ""
    show.figure(
        charts.coverage(frame),
        table.tail(200),
        sentence=(
            f"{sum(r.seen for r in ledger):,} mentions seen, {sum(r.missed or 0 for r in ledger):,} known to be "
            f"missed.{more} Hours are {zone.key} time."
        ),
        name="coverage",
        numbers=pd.DataFrame(table),
    )
else:
    st.text("Nothing was fetched in the last 7 days.")

st.header("Gaps of the last 30 days", anchor=False)
gaps = queries.gaps(now - timedelta(days=30), now)
still = [gap for gap in gaps if gap.closed_at is None]
st.text(f"{words.count(len(still), 'gap')} open, {len(gaps) - len(still):,} closed.")
for gap in [*still, *(gap for gap in gaps if gap.closed_at is not None)][: queries.PAGE]:
    st.text(heard.gap_sentence(gap, zone, now))

st.header("Work that was given up", anchor=False)
dead = queries.dead_letters()
if not dead:
    st.text("None: all work was done or is still tried.")
for unit in dead[: queries.PAGE]:
    with st.container(border=True, key=f"unit_{unit.id}"):
        st.subheader(f"Unit {unit.id}: {words.escaped(unit.stage)}", anchor=False)
        st.text(
            f"{words.text(unit.key)}; tried {words.count(unit.attempts, 'time')}, "
            f"last {words.ago(unit.updated_at, now)}."
        )
        st.text(words.shortened(unit.last_error or "No error was noted.", 400)[0])
        if session.may("operate") and st.button(f"Retry unit {unit.id}", key=f"retry_{unit.id}"):
            acts.retry(unit.id)
