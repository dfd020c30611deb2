"""Bursts of mentions: an hour far above its own last week, told apart from chance even where mentions are few.

Of the detectors measured on real tweets (docs/forecast.md) the plain windowed z found the most at equal false alarms.
It fails on counts of a few an hour; there the tail of a negative binomial asks for more. An hour must pass both, and
enough different people must speak.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import nbinom, poisson

from forecast.wall import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When a burst is reported.

    Attributes:
        z: how many standard deviations above the mean of the window.
        tail: the chance that an hour is so high in quiet times, at most.
        least_authors: different people in the hour.
        cool_down: hours after a report without another, unless it doubles.
        window: hours before, from which usual is learned.
    """

    z: float = 3.3
    tail: float = 1e-5
    least_authors: int = 5
    cool_down: int = 6
    window: int = 168


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """One reported hour.

    Attributes:
        hour: index into the counts.
        severity: 1 (just above the rule) to 10.
    """

    hour: int
    count: float
    usual: float
    z: float
    tail: float
    authors: int
    severity: int

    def sentence(self) -> str:
        """Plain words, for the page and the alert."""
        times = self.count / max(self.usual, 0.5)
        who = f"{self.count:.0f} mentions by {self.authors} people in an hour"
        return f"{who}, {times:.1f} times the usual {self.usual:.1f}"


def detect(counts: Floats, authors: NDArray[np.int64], rule: Rule | None = None) -> list[Burst]:
    """Bursts among hourly counts, each judged only by the hours before it.

    `counts` are NaN where nothing was fetched; `authors` are different people by hour. Both have shape (n,).
    """
    rule = rule or Rule()
    found: list[Burst] = []
    for hour in range(len(counts)):
        before = counts[max(hour - rule.window, 0) : hour]
        before = before[~np.isnan(before)]
        if np.isnan(counts[hour]) or len(before) < rule.window // 2:
            continue
        burst = weigh(hour, float(counts[hour]), int(authors[hour]), before, rule)
        if burst is not None and not quiet(found, burst, rule):
            found.append(burst)
    return found


def weigh(hour: int, count: float, authors: int, before: Floats, rule: Rule) -> Burst | None:
    """The burst, if this hour passes the rule."""
    mean, variance = float(before.mean()), float(before.var())
    z = (count - mean) / max(np.sqrt(variance), 0.5)
    if z < rule.z or authors < rule.least_authors:
        return None
    tail = chance_of(count, mean, variance)
    if tail > rule.tail:
        return None
    severity = int(np.clip(np.log2(max(z / rule.z, 1.0)) * 2 + np.log10(max(count / 10, 1.0)) * 2 + 1, 1, 10))
    return Burst(hour=hour, count=count, usual=mean, z=float(z), tail=tail, authors=authors, severity=severity)


def chance_of(count: float, mean: float, variance: float) -> float:
    """Chance of at least this count in quiet times: negative binomial, or Poisson if counts scatter no more."""
    mean = max(mean, 0.05)
    if variance <= mean * 1.01:
        return float(poisson.sf(count - 1, mean))
    size = mean**2 / (variance - mean)
    return float(nbinom.sf(count - 1, size, size / (size + mean)))


def quiet(found: Sequence[Burst], burst: Burst, rule: Rule) -> bool:
    """Whether an earlier report still covers this hour."""
    return bool(found) and burst.hour - found[-1].hour <= rule.cool_down and burst.count < 2 * found[-1].count
