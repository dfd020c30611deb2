"""Calls expected, the chance of a spike, the agents needed; and how today runs against it."""

from datetime import timedelta

import streamlit as st

from dashboard import charts, phones, queries, show, words
from forecast.staffing import Target, staff_forecast

settings, now = queries.settings(), queries.now()
zone = settings.agency.zone
st.title("Phones", anchor=False)
queues = queries.queues()
if not queues:
    st.text("No calls are known yet. Import them: openear calls import FILE (columns start, calls)")
    st.stop()
left, right = st.columns(2)
with left:
    queue = st.selectbox("Queue", queues, key="queue", bind="query-params")
with right:
    ahead = st.selectbox("Days ahead", (1, 3, 7, 14), index=1, key="ahead", bind="query-params")
since, until = queries.last_hours(48)[0], queries.last_hours(1)[1]
forecast = queries.forecast(queue)
came = queries.counted_calls(queue, since, until)
late = phones.stale(came, now)
if late is None:
    st.warning("No calls were counted in the last two days: the forecast does not know of today.")
else:
    st.text(f"Calls are known up to {words.local(now - late, zone)}.")
if forecast is None:
    st.text("No forecast yet: one is made within a minute of the first import, if there are two weeks of calls.")
    st.stop()

st.header("Today", anchor=False)
day = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
night = queries.earlier_forecast(queue, day)
run = phones.running(night, came, now)
if run:
    got, due = run
    more = got / due - 1 if due else 0.0
    st.metric(
        "Calls so far today",
        f"{got:,.0f}",
        f"{more:+.0%} against the night's forecast of {due:,.0f}",
        delta_color="off",
    )
st.text(f"Forecast by {forecast.model}, made {words.local(forecast.made_at, zone)}. {' '.join(forecast.notes)}")

end = now + timedelta(days=ahead)
table = phones.frame([each for each in (night, forecast) if each], came, end)
st.header("Calls expected", anchor=False)
show.figure(
    charts.phones(table), phones.readable(table), sentence=phones.calls_sentence(table, ahead), name="calls_expected"
)

st.header("Chance of a spike", anchor=False)
days = [d for d in (forecast.details or {}).get("days", []) if d["expected"] > 0][:7]
ratio = settings.phones.spike_ratio
st.text(f"A spike is a day with at least {ratio:g} times the calls usual for its weekday over the last 8 weeks.")
if days:
    st.table(
        [
            {
                "Day": words.escaped(str(d["date"])),
                "Usual": f"{d['usual']:.0f}",
                "Expected": f"{d['expected']:.0f}",
                "Likely (8 of 10)": f"{d['low']:.0f} to {d['high']:.0f}",
                "Chance of a spike": words.percent(d["probability"]),
            }
            for d in days
        ],
        alt="Chance of a spike by day.",
    )

st.header("Agents to schedule", anchor=False)
if forecast.step > timedelta(hours=1):
    st.text("Calls are counted by the day here; agents need counts by the hour or finer.")
    st.stop()
target = Target(
    handle_time=settings.phones.handle_time,
    share=settings.phones.target_share,
    wait=settings.phones.target_wait,
    shrinkage=settings.phones.shrinkage,
    max_occupancy=settings.phones.max_occupancy,
    patience=settings.phones.patience,
)
staffing = phones.staffing_frame(staff_forecast(phones.until(forecast, end), target), forecast.step, end)
show.figure(
    charts.agents(staffing),
    phones.readable(staffing),
    sentence=phones.agents_sentence(staffing, target),
    name="agents",
)
