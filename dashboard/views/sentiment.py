"""What the public thinks, with how sure we are of it."""

import pandas as pd
import streamlit as st

from dashboard import charts, filters, heard, queries, show, stats, words

st.title("Sentiment", anchor=False)
with st.container(horizontal=True, key="filters"):
    since, until = filters.span()
    topic = filters.topic()
rows = queries.days(since, until, topic or "")
total = stats.total((row.sentiment, row.n) for row in rows)
if total.n + total.unread == 0:
    st.text(
        "Nobody was heard in this span. Choose a longer one; if it stays so, the page Sources says whether anything "
        "was fetched."
    )
    st.stop()

missing = queries.missing(since, until)
trend = stats.trend(stats.by_day(((row.day, row.sentiment, row.n) for row in rows), since, until), missing)
st.header("How much of it is negative", anchor=False)
show.figure(
    charts.sentiment_trend(trend),
    stats.readable(trend),
    sentence=f"{stats.sentence(total)} {heard.sentence(missing)}",
    name="share_negative",
    numbers=trend,
)

st.header("How many, and how they sound", anchor=False)
volume = pd.DataFrame([(r.day, r.sentiment, r.n) for r in rows], columns=["day", "sentiment", "n"])
show.figure(
    charts.volume(volume),
    stats.wide(volume),
    sentence=(
        f"{words.count(total.n + total.unread, 'mention')} in {words.count((until - since).days, 'day')}. "
        "The agency's own posts are not among them; a repost counts once, on its original."
    ),
    name="mentions_by_day",
)

st.header("What it is about", anchor=False)
by_topic = stats.by_topic((row.topic, row.sentiment, row.n) for row in queries.topics(since, until))
if by_topic.empty:
    st.text("No topic was found in this span.")
else:
    named = by_topic.assign(topic=by_topic["topic"].map(words.topic))
    first = named.iloc[0]
    show.figure(
        charts.topics(named),
        named.rename(columns={"topic": "Topic", "n": "Mentions", "negative": "Of them negative"}),
        sentence=(
            f"Most mentions are about: {first['topic']} ({first['n']:,}, {first['negative']:,} of them negative). "
            "One mention may have several topics, and the topic chosen above does not narrow this chart."
        ),
        name="topics",
        numbers=by_topic,
    )
