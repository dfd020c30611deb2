"""Calls expected, the chance of a spike, the agents needed; how today runs against it, and how good it was so far."""

from datetime import timedelta

import streamlit as st

from dashboard import accuracy, charts, phones, queries, show, words
from forecast.staffing import Target, staff_forecast

settings, now = queries.settings(), queries.now()
zone = settings.agency.zone
st.title("Phones", anchor=False)
queues = queries.queues()
if not queues:
    st.text(
        "No calls are known yet. Import them with: openear calls import FILE (columns start and calls; see the "
        "documentation), or drop files into the folder set as phones.folder."
    )
    st.stop()
with st.container(horizontal=True, key="filters"):
    queue = st.selectbox("Queue", queues, key="queue", bind="query-params")
    ahead = st.selectbox("Days ahead", (1, 3, 7, 14), index=1, key="ahead", bind="query-params")
since, until = queries.last_hours(48)[0], queries.last_hours(1)[1]
forecast = queries.forecast(queue)
came = queries.counted_calls(queue, since, until)
st.text(phones.fresh_sentence(phones.stale(came, now), came[-1].step if came else None, now, zone))
if forecast is None:
    st.text("No forecast yet: one is made within a minute of the first import, if there are two weeks of calls.")
    st.stop()
st.text(f"Forecast by {forecast.model}, made {words.local(forecast.made_at, zone)}. {' '.join(forecast.notes)}")

midnight = phones.day_to_show(forecast, came, now)
shown = midnight.date()
st.header("Today so far" if shown == queries.today() else f"The last open day, {phones.day_name(shown)}", anchor=False)
night = queries.earlier_forecast(queue, midnight)
today = phones.on_day(phones.frame([night or forecast], came, midnight + timedelta(days=1)), shown)
show.figure(
    charts.phones(today),
    phones.calls_table(today),
    sentence=phones.today_sentence(phones.running(night, came, now), today),
    name="today",
    numbers=today,
)

st.header("Calls to come", anchor=False)
end = now + timedelta(days=ahead)
coming = phones.frame([forecast], [], end)
show.figure(
    charts.phones(coming),
    phones.calls_table(coming),
    sentence=phones.calls_sentence(coming, ahead),
    name="calls_expected",
    numbers=coming,
)

st.header("Chance of a spike", anchor=False)
days = [d for d in (forecast.details or {}).get("days", []) if d["expected"] > 0][:7]
st.text(phones.spike_sentence(days, settings.phones.spike_ratio))
if days:
    st.table(phones.spike_rows(days), hide_index=True, alt="Chance of a spike by day")

st.header("Agents to schedule", anchor=False)
if forecast.step > timedelta(hours=1):
    st.text("Calls are counted by the day here; agents need counts by the hour or finer.")
else:
    p = settings.phones
    target = Target(
        handle_time=p.handle_time,
        share=p.target_share,
        wait=p.target_wait,
        shrinkage=p.shrinkage,
        max_occupancy=p.max_occupancy,
        patience=p.patience,
    )
    staffing = phones.staffing_frame(staff_forecast(phones.until(forecast, end), target), forecast.step, end)
    show.figure(
        charts.agents(staffing),
        phones.agents_table(staffing),
        sentence=phones.agents_sentence(staffing, target),
        name="agents",
        numbers=staffing,
    )

st.header("How good the forecast was", anchor=False)
st.text(accuracy.sentence(queries.judged(queue, queries.today())))
