"""Charts: pure, tested without Streamlit. Colours of one scale, told apart by shape or place as well as by hue.

Each figure comes with the sentence that says the same to somebody who cannot see it.
"""

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

Picture = alt.Chart | alt.LayerChart | alt.FacetChart

#: Contrast with white is 4.5:1 or better for each.
COLOURS = {"negative": "#a61c00", "neutral": "#5f6368", "positive": "#0b5394", "unread": "#8a5a00"}
BLUE, GREY, RED = "#0b5394", "#5f6368", "#a61c00"
HEIGHT = 300


def sentiment_trend(frame: pd.DataFrame) -> Picture:
    """Share of negative mentions by day with its interval.

    Args:
        frame: columns day, share, low, high (0..1; NaN where nothing was read, drawn as a gap).
    """
    base = alt.Chart(frame).encode(x=alt.X("day:T", title=None))
    scale = alt.Scale(domain=[0, 1])
    band = base.mark_area(opacity=0.25, color=RED).encode(
        y=alt.Y("low:Q", scale=scale, axis=alt.Axis(format="%"), title="Share negative"), y2="high:Q"
    )
    line = base.mark_line(color=RED, point=True).encode(y=alt.Y("share:Q", scale=scale))
    picture: Picture = alt.layer(band, line).properties(height=HEIGHT)
    return picture


def volume(frame: pd.DataFrame) -> Picture:
    """Mentions by day, stacked by sentiment.

    Args:
        frame: columns day, sentiment, n.
    """
    order = list(COLOURS)
    picture: Picture = (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=alt.X("day:T", title=None),
            y=alt.Y("sum(n):Q", title="Mentions"),
            color=alt.Color("sentiment:N", sort=order, scale=alt.Scale(domain=order, range=[*COLOURS.values()])),
            order=alt.Order("sentiment:N"),
        )
        .properties(height=HEIGHT)
    )
    return picture


def topics(frame: pd.DataFrame) -> Picture:
    """Mentions by topic.

    Args:
        frame: columns topic, n, negative.
    """
    picture: Picture = (
        alt.Chart(frame)
        .mark_bar(color=BLUE)
        .encode(x=alt.X("n:Q", title="Mentions"), y=alt.Y("topic:N", sort="-x", title=None))
        .properties(height=alt.Step(22))
    )
    return picture


def phones(frame: pd.DataFrame) -> Picture:
    """Expected calls with their band, and what came.

    Args:
        frame: columns start, low, expected, high (NaN before the forecast), came (NaN after now).
    """
    base = alt.Chart(frame).encode(x=alt.X("start:T", title=None))
    band = base.mark_area(opacity=0.25, color=BLUE, interpolate="step-after").encode(
        y=alt.Y("low:Q", title="Calls"), y2="high:Q"
    )
    line = base.mark_line(color=BLUE, interpolate="step-after").encode(y="expected:Q")
    came = base.mark_line(color=RED, strokeDash=[5, 3], interpolate="step-after").encode(y="came:Q")
    picture: Picture = alt.layer(band, line, came).properties(height=HEIGHT)
    return picture


def agents(frame: pd.DataFrame) -> Picture:
    """Agents needed by interval.

    Args:
        frame: columns start, median, cautious.
    """
    base = alt.Chart(frame).encode(x=alt.X("start:T", title=None))
    cautious = base.mark_line(color=RED, strokeDash=[5, 3], interpolate="step-after").encode(
        y=alt.Y("cautious:Q", title="Agents")
    )
    median = base.mark_line(color=BLUE, interpolate="step-after").encode(y="median:Q")
    picture: Picture = alt.layer(cautious, median).properties(height=HEIGHT)
    return picture


def coverage(frame: pd.DataFrame) -> Picture:
    """Fetched and missed by hour; a gap of unknown size is a bar across the whole height.

    Args:
        frame: columns hour, source, state ("fetched", "missed", "missed, number unknown"), n.
    """
    states = ["fetched", "missed"]
    known = frame[frame["state"].isin(states)]
    bars = (
        alt.Chart(known)
        .mark_bar()
        .encode(
            x=alt.X("hour:T", title=None),
            y=alt.Y("sum(n):Q", title="Mentions"),
            color=alt.Color("state:N", scale=alt.Scale(domain=states, range=[BLUE, RED])),
        )
    )
    holes = alt.Chart(frame[~frame["state"].isin(states)]).mark_rule(color=RED, strokeDash=[4, 4], size=3)
    picture: Picture = alt.layer(bars, holes.encode(x="hour:T")).properties(height=HEIGHT)
    return picture


def table(rows: Sequence[dict[str, Any]], columns: dict[str, str]) -> pd.DataFrame:
    """Rows as the table beside a chart: only these columns, under these names."""
    frame = pd.DataFrame(rows, columns=list(columns))
    return frame.rename(columns=columns)
