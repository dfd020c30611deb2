"""What the public thinks, with how sure we are of it."""

import pandas as pd
import streamlit as st

from dashboard import charts, filters, queries, show, stats, words

st.title("Sentiment", anchor=False)
left, right = st.columns(2)
with left:
    since, until = filters.span()
with right:
    topic = filters.topic()
rows = queries.days(since, until, topic or "")
total = stats.total((row.sentiment, row.n) for row in rows)

st.header("How much of it is negative", anchor=False)
if total.n == 0:
    st.text("Nothing was read in this span.")
    st.stop()
shares = stats.by_day(((row.day, row.sentiment, row.n) for row in rows), since, until)
trend = pd.DataFrame(
    [(day, s.share, s.low, s.high, s.n, s.unread) for day, s in shares.items()],
    columns=["day", "share", "low", "high", "n", "unread"],
)
show.figure(
    charts.sentiment_trend(trend),
    stats.readable(trend),
    sentence=(
        f"{words.percent(total.share)} of {total.n:,} mentions that were read are negative towards the agency; "
        f"95 % interval {words.percent(total.low)} to {words.percent(total.high)} for chance alone, "
        f"errors of the model not included. {total.unread:,} could not be read and are in no share. "
        "Days without a mention are gaps."
    ),
    name="share_negative",
)

st.header("How many, and how they sound", anchor=False)
volume = pd.DataFrame([(r.day, r.sentiment, r.n) for r in rows], columns=["day", "sentiment", "n"])
wide = volume.pivot_table(index="day", columns="sentiment", values="n", aggfunc="sum", fill_value=0).reset_index()
show.figure(
    charts.volume(volume),
    wide,
    sentence=(
        f"{total.n + total.unread:,} mentions in {len(shares)} days; "
        "the agency's own posts and reposts are not among them."
    ),
    name="mentions_by_day",
)

st.header("What it is about", anchor=False)
by_topic = stats.by_topic((row.topic, row.sentiment, row.n) for row in queries.topics(since, until))
if by_topic.empty:
    st.text("No topic was found in this span.")
else:
    by_topic["topic"] = by_topic["topic"].map(words.topic)
    first = by_topic.iloc[0]
    show.figure(
        charts.topics(by_topic),
        by_topic,
        sentence=f"Most mentions are about: {first['topic']} ({first['n']:,}). One mention may have several topics.",
        name="topics",
    )
