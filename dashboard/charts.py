"""Charts: pure, tested without Streamlit. Colours of one scale, told apart by shape or place as well as by hue.

Times go into a chart as the agency's wall clock without a zone: a browser would show its own zone otherwise.
"""

from typing import Any

import altair as alt
import pandas as pd

Picture = alt.Chart | alt.LayerChart | alt.FacetChart

#: Contrast with white is 4.5:1 or better for each.
COLOURS = {"negative": "#a61c00", "neutral": "#5f6368", "positive": "#0b5394", "not read": "#8a5a00"}
BLUE, GREY, RED, INK = "#0b5394", "#5f6368", "#a61c00", "#1b1f24"
HEIGHT = 300


def wall(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """The frame with that column as times of the wall clock, without a zone; dates become their midnight."""
    plain = [pd.Timestamp(t).tz_localize(None) for t in frame[column]]
    return frame.assign(**{column: pd.Series(plain, index=frame.index, dtype="datetime64[ns]")})


def finished(chart: Any) -> Picture:
    """Letters that can be read, the legend on top where a narrow screen has room."""
    picture: Picture = (
        chart.properties(height=HEIGHT)
        .configure_axis(labelColor=INK, titleColor=INK, labelFontSize=12, titleFontSize=12)
        .configure_legend(orient="top", title=None, labelColor=INK, labelFontSize=13, labelLimit=0, columns=2)
    )
    return picture


def _lines(frame: pd.DataFrame, names: dict[str, str], axis: str) -> alt.Chart:
    """Stepped lines told apart by colour and dash, with a legend. `names` is column -> words, two at most."""
    parts = [frame[["start"]].assign(line=words, n=frame[column]) for column, words in names.items()]
    shown, n = list(names.values()), len(names)
    lines: alt.Chart = (
        alt.Chart(pd.concat(parts))
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=alt.X("start:T", title=None),
            y=alt.Y("n:Q", title=axis),
            color=alt.Color("line:N", scale=alt.Scale(domain=shown, range=[BLUE, RED][:n])),
            strokeDash=alt.StrokeDash("line:N", scale=alt.Scale(domain=shown, range=[[1, 0], [6, 3]][:n])),
        )
    )
    return lines


def sentiment_trend(frame: pd.DataFrame) -> Picture:
    """Share of negative mentions by day with its interval; a triangle where not everything was heard.

    Args:
        frame: columns day, share, low, high (0..1; NaN where nothing was read, drawn as a gap), gap (bool).
    """
    frame = wall(frame, "day")
    top = min(1.0, frame["high"].max() * 1.1) if frame["high"].notna().any() else 1.0
    base = alt.Chart(frame).encode(x=alt.X("day:T", title=None))
    scale = alt.Scale(domain=[0, top])
    band = base.mark_area(opacity=0.25, color=RED).encode(
        y=alt.Y("low:Q", scale=scale, axis=alt.Axis(format="%"), title="Share negative"), y2="high:Q"
    )
    line = base.mark_line(color=RED, point=alt.OverlayMarkDef(color=RED)).encode(
        y=alt.Y("share:Q", scale=scale, title="Share negative")
    )
    holes = alt.Chart(frame[frame["gap"]]).mark_point(shape="triangle-up", size=90, filled=True, color=INK, opacity=1)
    marks = holes.encode(x="day:T", y=alt.datum(0), tooltip=[alt.Tooltip("day:T"), alt.Tooltip("heard:N")])
    return finished(alt.layer(band, line, marks))


def volume(frame: pd.DataFrame) -> Picture:
    """Mentions by day, stacked by sentiment.

    Args:
        frame: columns day, sentiment (or "unread"), n.
    """
    order = list(COLOURS)
    frame = wall(frame, "day").replace({"sentiment": {"unread": "not read"}})
    return finished(
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=alt.X("yearmonthdate(day):T", title=None),
            y=alt.Y("sum(n):Q", title="Mentions"),
            color=alt.Color("sentiment:N", sort=order, scale=alt.Scale(domain=order, range=[*COLOURS.values()])),
            order=alt.Order("sentiment:N"),
        )
    )


def topics(frame: pd.DataFrame) -> Picture:
    """Mentions by topic; the dark part is negative.

    Args:
        frame: columns topic, n, negative.
    """
    names = ["negative", "other"]
    parts = pd.concat(
        [
            frame.assign(part="negative", each=frame["negative"]),
            frame.assign(part="other", each=frame["n"] - frame["negative"]),
        ]
    )
    chart = (
        alt.Chart(parts)
        .mark_bar(stroke="white")
        .encode(
            x=alt.X("each:Q", title="Mentions"),
            y=alt.Y("topic:N", sort=list(frame["topic"]), title=None, axis=alt.Axis(labelLimit=220)),
            color=alt.Color("part:N", scale=alt.Scale(domain=names, range=[RED, "#9db8d9"])),
            order=alt.Order("part:N"),
        )
    )
    return finished(chart).properties(height=alt.Step(24))


def phones(frame: pd.DataFrame) -> Picture:
    """Expected calls with their band, and what came.

    Args:
        frame: columns start, low, expected, high (NaN where nothing is forecast), came (NaN after now).
    """
    frame = wall(frame, "start")
    names = {"expected": "expected", "came": "came"} if frame["came"].notna().any() else {"expected": "expected"}
    band = (
        alt.Chart(frame)
        .mark_area(opacity=0.25, color=BLUE, interpolate="step-after")
        .encode(x=alt.X("start:T", title=None), y=alt.Y("low:Q", title="Calls"), y2="high:Q")
    )
    return finished(alt.layer(band, _lines(frame, names, "Calls")))


def agents(frame: pd.DataFrame) -> Picture:
    """Agents to schedule by interval.

    Args:
        frame: columns start, median, cautious.
    """
    names = {"median": "for the expected calls", "cautious": "to be safe in 8 of 10 cases"}
    return finished(_lines(wall(frame, "start"), names, "Agents"))


def coverage(frame: pd.DataFrame) -> Picture:
    """Fetched and missed by hour; where an unknown number was missed, a broken line across the whole height.

    Args:
        frame: columns hour, source, state ("fetched", "missed", "missed, number unknown"), n.
    """
    frame, states = wall(frame, "hour"), ["fetched", "missed"]
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
    return finished(alt.layer(bars, holes.encode(x="hour:T")))
