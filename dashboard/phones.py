"""What the phones page shows, from a forecast and what came. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from core.series import QUANTILE_NAMES, Calls, Forecast
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


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """Numbers without decimals, times as people read them."""
    shown = table.dropna(how="all", subset=table.columns.drop("start")).copy()
    shown["start"] = shown["start"].map(lambda t: f"{t:%a} {t.day} {t:%b %H:%M}")
    for name in shown.columns.drop("start"):
        shown[name] = shown[name].map(lambda x: "-" if pd.isna(x) else (f"{x:.2f}" if 0 < x < 1 else f"{x:.0f}"))
    return shown


def until(forecast: Forecast, end: datetime) -> Forecast:
    """The slots that start before `end`."""
    n = sum(start < end for start in local_starts_of(forecast))
    return replace(forecast, quantiles=forecast.quantiles[:n], spike_probability=forecast.spike_probability[:n])


def calls_sentence(table: pd.DataFrame, days: int) -> str:
    """What the picture of expected calls shows."""
    coming = table[table["expected"].notna()]
    if coming.empty:
        return f"No calls are expected in the next {days} days: the phones are closed."
    peak = coming.sort_values("expected").iloc[-1]
    return (
        f"{coming['expected'].sum():,.0f} calls are expected in the next {days} days; most at "
        f"{peak['start']:%a %H:%M}: {peak['expected']:.0f}, likely {peak['low']:.0f} to {peak['high']:.0f}. "
        "Blue: expected, with the band that holds 8 of 10. Red, broken: what came."
    )


def agents_sentence(staffing: pd.DataFrame, target: Target) -> str:
    """What the picture of agents shows."""
    goal = f"{target.share:.0%} of calls answered within {target.wait.total_seconds():.0f} s"
    if staffing.empty:
        return f"Nobody needs to be scheduled for {goal}: the phones are closed."
    most = staffing.sort_values("median", na_position="first").iloc[-1]
    return (
        f"{goal} needs most people at {most['start']:%a %H:%M}: {most['median']:.0f} on the schedule, "
        f"{most['cautious']:.0f} to be cautious. Blue: for the expected calls. Red, broken: for 8 of 10 outcomes. "
        f"{target.shrinkage:.0%} of paid time is off the phones."
    )
