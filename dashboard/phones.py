"""What the phones page shows, from a forecast and what came. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from core.series import QUANTILE_NAMES, Calls, Forecast
from dashboard import words
from forecast.staffing import Interval, Target, local_starts_of

COLUMNS = ["start", "low", "expected", "high", "came", "spike"]
LOW, MIDDLE, HIGH = (QUANTILE_NAMES.index(name) for name in ("q10", "q50", "q90"))


def frame(forecasts: Sequence[Forecast], came: Sequence[Calls], until: datetime) -> pd.DataFrame:
    """Columns start (local), low, expected, high, came, spike; one row a slot.

    Closed slots are left out; after each stretch of slots a row of NaN breaks the lines, so that a night is a gap.

    Args:
        forecasts: the later one counts where two speak of a slot.
        came: calls as they were counted.
        until: where the picture ends.
    """
    rows: dict[datetime, list[float]] = {}
    for forecast in forecasts:
        each = zip(local_starts_of(forecast), forecast.quantiles, forecast.spike_probability, strict=True)
        for start, q, p in each:
            if start < until and not np.isnan(q[MIDDLE]):
                rows[start] = [q[LOW], q[MIDDLE], q[HIGH], np.nan, p]
    zone = ZoneInfo(forecasts[0].timezone)
    for call in came:
        row = rows.setdefault(call.start.astimezone(zone), [np.nan] * 5)
        row[3] = call.offered
    table = pd.DataFrame([(start, *rows[start]) for start in sorted(rows)], columns=COLUMNS)
    return broken(table, forecasts[0].step)


def broken(table: pd.DataFrame, step: timedelta) -> pd.DataFrame:
    """The table with a row of NaN after each slot that no slot follows."""
    ends = table["start"] + step
    holes = pd.DataFrame({"start": ends[~ends.isin(table["start"])]})
    return pd.concat([table, holes], ignore_index=True).sort_values("start", ignore_index=True)


def staffing_frame(intervals: Sequence[Interval], step: timedelta, until: datetime) -> pd.DataFrame:
    """Columns start, calls, cautious_calls, median, cautious (agents scheduled)."""
    rows = [
        (i.start, i.calls, i.cautious_calls, i.scheduled, i.cautious_scheduled) for i in intervals if i.start < until
    ]
    table = pd.DataFrame(rows, columns=["start", "calls", "cautious_calls", "median", "cautious"])
    return broken(table, step) if rows else table


def running(night: Forecast | None, came: Sequence[Calls], now: datetime) -> tuple[float, float] | None:
    """(calls that came today, calls that were expected by now) from the night's forecast; None if unknown."""
    if night is None:
        return None
    expected = {s: float(q[MIDDLE]) for s, q in zip(local_starts_of(night), night.quantiles, strict=True)}
    done = [c for c in came if c.start >= night.made_at and c.start + c.step <= now]
    pairs = [(c.offered, expected[c.start]) for c in done if not np.isnan(expected.get(c.start, np.nan))]
    return (sum(a for a, _ in pairs), sum(b for _, b in pairs)) if pairs else None


def stale(came: Sequence[Calls], now: datetime) -> timedelta | None:
    """How long ago the last counted interval ended; None if there is none."""
    return now - max(c.start + c.step for c in came) if came else None


def fresh_sentence(late: timedelta | None, step: timedelta | None, now: datetime, zone: ZoneInfo) -> str:
    """How old the newest call figures are."""
    if late is None:
        return "No calls were counted in the last two days: the forecast knows nothing of them. Are the files coming?"
    said = f"Calls are counted up to {words.local(now - late, zone)}, {words.ago(now - late, now)}."
    behind = step is not None and late > max(3 * step, timedelta(hours=2))
    return f"{said} That is old if the phones are open: check the import of calls." if behind else said


def on_day(table: pd.DataFrame, day: date) -> pd.DataFrame:
    """The rows of one local day."""
    here = [start.date() == day for start in table["start"]]
    return table[here].reset_index(drop=True)


def day_to_show(forecast: Forecast, came: Sequence[Calls], now: datetime) -> datetime:
    """The local midnight of today; of the last day that had calls, if the phones are closed today."""
    zone = ZoneInfo(forecast.timezone)
    today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    counted = [call.start.astimezone(zone) for call in came if call.start < now]
    if today.date() in open_days(forecast, 1) or not counted:
        return today
    return max(counted).replace(hour=0, minute=0, second=0, microsecond=0)


def open_days(forecast: Forecast, n: int) -> list[date]:
    """The first n local days on which the phones are open."""
    starts = zip(local_starts_of(forecast), forecast.quantiles, strict=True)
    return sorted({start.date() for start, q in starts if not np.isnan(q[MIDDLE])})[:n]


def until(forecast: Forecast, end: datetime) -> Forecast:
    """The slots that start before `end`."""
    n = sum(start < end for start in local_starts_of(forecast))
    return replace(forecast, quantiles=forecast.quantiles[:n], spike_probability=forecast.spike_probability[:n])


def today_sentence(run: tuple[float, float] | None, table: pd.DataFrame) -> str:
    """How today runs against the night's forecast."""
    if table["expected"].isna().all():
        return "The phones are closed today."
    band = f"{table['expected'].sum():,.0f} calls were expected of the whole day."
    if run is None:
        return f"{band} None are counted yet today."
    came, due = run
    more = came / due - 1 if due else 0.0
    word = "as expected" if abs(more) < 0.05 else f"{abs(more):.0%} {'more' if more > 0 else 'fewer'} than expected"
    return f"{came:,.0f} calls so far; the night's forecast expected {due:,.0f} by then: {word}. {band}"


def calls_sentence(table: pd.DataFrame, days: int) -> str:
    """What the picture of expected calls shows."""
    ahead = "day" if days == 1 else f"{days} days"
    coming = table[table["expected"].notna()]
    if coming.empty:
        return f"No calls are expected in the next {ahead}: the phones are closed."
    peak = coming.iloc[int(coming["expected"].argmax())]
    return (
        f"{coming['expected'].sum():,.0f} calls are expected in the next {ahead}; most at "
        f"{peak['start']:%a %H:%M}: {peak['expected']:.0f}, likely {peak['low']:.0f} to {peak['high']:.0f}. "
        "The pale band holds 8 of 10 outcomes."
    )


def spike_sentence(days: Sequence[Mapping[str, Any]], ratio: float) -> str:
    """The day most likely to be a spike, in words."""
    what = f"A spike is a day with at least {ratio:g} times the calls usual for its weekday over the last 8 weeks."
    if not days:
        return what
    most = max(days, key=lambda d: float(d["probability"]))
    day = day_name(date.fromisoformat(str(most["date"])))
    return f"{what} Most likely: {day}, {words.chance(float(most['probability']))}."


def spike_rows(days: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The days' risks as a table."""
    return [
        {
            "Day": day_name(date.fromisoformat(str(d["date"]))),
            "Usual": f"{d['usual']:,.0f}",
            "Expected": f"{d['expected']:,.0f}",
            "Likely, 8 of 10": f"{d['low']:,.0f} to {d['high']:,.0f}",
            "Chance of a spike": words.chance(float(d["probability"])),
        }
        for d in days
    ]


def day_name(day: date) -> str:
    """A day as people say it: "Tue 3 Mar"."""
    return f"{day:%a} {day.day} {day:%b}"


def agents_sentence(staffing: pd.DataFrame, target: Target) -> str:
    """What the picture of agents shows."""
    goal = f"{target.share:.0%} of calls answered within {target.wait.total_seconds():.0f} s"
    if staffing.empty:
        return f"Nobody needs to be scheduled for {goal}: the phones are closed."
    most = staffing.iloc[int(staffing["median"].argmax())]
    return (
        f"For {goal}, most people are needed at {most['start']:%a %H:%M}: {most['median']:.0f} on the schedule for the "
        f"expected calls, {most['cautious']:.0f} to be safe in 8 of 10 cases. {target.shrinkage:.0%} of paid time off "
        f"the phones and {target.handle_time.total_seconds():.0f} s for each call are reckoned with."
    )


def calls_table(table: pd.DataFrame) -> pd.DataFrame:
    """Expected calls as people read them."""
    rows = [
        (_clock(r.start), _whole(r.expected), _range(r.low, r.high), _whole(r.came))
        for r in table.dropna(how="all", subset=["expected", "came"]).itertuples()
    ]
    return pd.DataFrame(rows, columns=["From", "Expected", "Likely, 8 of 10", "Came"])


def agents_table(staffing: pd.DataFrame) -> pd.DataFrame:
    """Agents by interval as people read them."""
    rows = [
        (_clock(r.start), _whole(r.calls), _whole(r.median), _whole(r.cautious))
        for r in staffing.dropna(subset=["calls"]).itertuples()
    ]
    return pd.DataFrame(rows, columns=["From", "Calls expected", "Agents to schedule", "To be safe in 8 of 10 cases"])


def _clock(start: Any) -> str:
    return f"{start:%a} {start.day} {start:%b %H:%M}"


def _whole(value: Any) -> str:
    return "–" if pd.isna(value) else f"{value:,.0f}"


def _range(low: Any, high: Any) -> str:
    return "–" if pd.isna(low) else f"{low:,.0f} to {high:,.0f}"
