"""How the nights' forecasts did, held against what came and against the plain mean of eight weeks. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from core.series import QUANTILE_NAMES, Calls, Forecast
from forecast.staffing import local_starts_of

LOW, MIDDLE, HIGH = (QUANTILE_NAMES.index(name) for name in ("q10", "q50", "q90"))
WEEKS = 8
#: A mean of fewer weeks than these is not compared with.
FEWEST_WEEKS = 4
FEWEST_NIGHTS = 7


@dataclass(frozen=True, slots=True)
class Accuracy:
    """The nights' own first days, slot by slot.

    Attributes:
        nights: how many days are compared.
        error, usual_error: WAPE, the sum of misses as a share of all calls: of the forecast, of the mean of 8 weeks.
        within: share of slots whose calls lay in the band that should hold 0.8 of them.
    """

    nights: int
    error: float
    usual_error: float
    within: float


def judge(nights: Sequence[Forecast], came: Sequence[Calls]) -> Accuracy | None:
    """The accuracy over the first day of each of these forecasts; None if there are not enough nights.

    Both see the same slots: those that were forecast, were counted, and have FEWEST_WEEKS weeks before them.
    """
    offered = {call.start: call.offered for call in came}
    rows: list[tuple[float, float, float, float, float]] = []
    days = 0
    for night in nights:
        found = _first_day(night, offered)
        rows += found
        days += bool(found)
    if days < FEWEST_NIGHTS:
        return None
    actual, low, middle, high, usual = np.array(rows).T
    total = actual.sum()
    if total == 0:
        return None
    return Accuracy(
        nights=days,
        error=float(np.abs(actual - middle).sum() / total),
        usual_error=float(np.abs(actual - usual).sum() / total),
        within=float(np.mean((low <= actual) & (actual <= high))),
    )


def _first_day(night: Forecast, offered: Mapping[datetime, float]) -> list[tuple[float, float, float, float, float]]:
    """(came, q10, q50, q90, mean of eight weeks) of each slot of the day that the forecast was made for."""
    rows = []
    zone = ZoneInfo(night.timezone)
    day = night.made_at.astimezone(zone).date()
    for start, quantiles in zip(local_starts_of(night), night.quantiles, strict=True):
        if start.date() > day:
            break
        before = [offered.get(_weeks_back(start, n)) for n in range(1, WEEKS + 1)]
        weeks = [value for value in before if value is not None]
        actual = offered.get(start)
        if actual is None or np.isnan(quantiles[MIDDLE]) or len(weeks) < FEWEST_WEEKS:
            continue
        rows.append((actual, quantiles[LOW], quantiles[MIDDLE], quantiles[HIGH], sum(weeks) / len(weeks)))
    return rows


def _weeks_back(start: datetime, n: int) -> datetime:
    """The same wall-clock time n weeks before."""
    return start - timedelta(weeks=n)


def sentence(found: Accuracy | None) -> str:
    """The comparison in words."""
    if found is None:
        return (
            f"Not enough nights yet: the comparison starts with {FEWEST_NIGHTS} days that were forecast and counted, "
            f"each with {FEWEST_WEEKS} weeks of calls before it."
        )
    better = 1 - found.error / found.usual_error if found.usual_error else 0.0
    word = "less" if better >= 0 else "more"
    return (
        f"Over the last {found.nights} days the forecast made the night before missed by {found.error:.1%} of the "
        f"calls; the mean of the last {WEEKS} weeks by {found.usual_error:.1%}: {abs(better):.0%} {word}. "
        f"{found.within:.0%} of the intervals lay in the band that should hold 80%."
    )
