"""Figures with their uncertainty, from roll-ups. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from math import nan, sqrt

import pandas as pd

Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class Share:
    """A share of n with its 95 % interval; NaN if n is 0.

    Attributes:
        n: read mentions the share is of.
        unread: mentions nobody could read: in no share.
    """

    n: int
    negative: int
    positive: int
    unread: int
    share: float
    low: float
    high: float


def wilson(k: int, n: int) -> tuple[float, float, float]:
    """K of n as a share with its 95 % Wilson score interval; NaN for n = 0.

    Source: Wilson, JASA 22 (1927) 209-212.

    >>> [round(x, 3) for x in wilson(5, 10)]
    [0.5, 0.237, 0.763]
    """
    if n == 0:
        return nan, nan, nan
    p, z2 = k / n, Z95**2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return p, max(0.0, centre - half), min(1.0, centre + half)


def share_of(counts: dict[str, int]) -> Share:
    """The share of negative ones among those that were read."""
    n = sum(counts.get(label, 0) for label in ("negative", "neutral", "positive"))
    negative = counts.get("negative", 0)
    return Share(n, negative, counts.get("positive", 0), counts.get("unread", 0), *wilson(negative, n))


def by_day(rows: Iterable[tuple[date, str, int]], since: date, until: date) -> dict[date, Share]:
    """A share for each day of [since, until), also for those without a mention: a gap, not a zero."""
    found: dict[date, dict[str, int]] = defaultdict(dict)
    for day, label, n in rows:
        found[day][label] = found[day].get(label, 0) + n
    n_days = (until - since).days
    return {since + timedelta(days=i): share_of(found.get(since + timedelta(days=i), {})) for i in range(n_days)}


def total(rows: Iterable[tuple[str, int]]) -> Share:
    """One share over (label, n) pairs."""
    counts: dict[str, int] = defaultdict(int)
    for label, n in rows:
        counts[label] += n
    return share_of(counts)


def by_topic(rows: Iterable[tuple[str, str, int]]) -> pd.DataFrame:
    """Mentions by topic, most first: columns topic, n, negative."""
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for topic, label, n in rows:
        found[topic][0] += n
        found[topic][1] += n if label == "negative" else 0
    frame = pd.DataFrame([(t, n, negative) for t, (n, negative) in found.items()], columns=["topic", "n", "negative"])
    return frame.sort_values(["n", "topic"], ascending=[False, True], ignore_index=True)


def readable(trend: pd.DataFrame) -> pd.DataFrame:
    """Shares as whole percents, gaps as a dash."""
    percents = {
        name: trend[name].map(lambda x: "-" if pd.isna(x) else f"{round(100 * x)} %")
        for name in ("share", "low", "high")
    }
    return trend.assign(**percents)
