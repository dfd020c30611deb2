"""Bands from past errors: split-conformal on log residuals by lead time, scaled by the noise of a slot of that size."""

from dataclasses import dataclass

import numpy as np

from core.series import QUANTILES
from forecast.wall import Floats, Ints

#: Lead times in days that share a band: the first day, the first week, all later.
EDGES = (1, 7)
HALF = 0.5
ENOUGH = 30
WIDEST = 6.0
PACE = 0.15
NARROWEST, WIDER = -0.2, 0.7


@dataclass(frozen=True, slots=True)
class Bands:
    """What past errors looked like.

    Attributes:
        shape: sorted scaled residuals, shape (n,); their 10-to-90 % width is about 2.56.
        scale: factor for each lead band, shape (3,).
        scatter: variance of log values beyond counting noise.
    """

    shape: Floats
    scale: Floats
    scatter: float

    def spread(self, mean: Floats, lead_days: Ints) -> Floats:
        """One unit of `shape` on the log scale."""
        return np.asarray(noise(mean, self.scatter) * self.scale[band_of(lead_days)])

    def quantiles(self, mean: Floats, lead_days: Ints) -> Floats:
        """The ten quantiles, shape (n, 10), never crossing, never negative."""
        levels = sample_quantiles(self.shape, np.array(QUANTILES))
        log = np.log(mean + HALF)[:, None] + self.spread(mean, lead_days)[:, None] * levels[None, :]
        return np.maximum.accumulate(np.maximum(np.exp(log) - HALF, 0.0), axis=1)

    def chance_above(self, mean: Floats, threshold: Floats, lead_days: Ints) -> Floats:
        """Chance that a slot exceeds its threshold, shape (n,)."""
        z = (np.log(threshold + HALF) - np.log(mean + HALF)) / self.spread(mean, lead_days)
        n = len(self.shape)
        below = np.interp(z, self.shape, (np.arange(n) + 1) / (n + 1), left=0.0, right=1.0)
        tail = 0.5 / (n + 1)
        return np.asarray(np.clip(1 - below, tail, 1 - tail))


def band_of(lead_days: Ints) -> Ints:
    """Which band a lead of so many whole days has."""
    return np.searchsorted(np.array(EDGES), lead_days, side="right")


def noise(mean: Floats, scatter: float) -> Floats:
    """Standard deviation of a log value: counting noise and what goes beyond it."""
    return np.sqrt(1.0 / (mean + HALF) + scatter)


def sample_quantiles(ordered: Floats, levels: Floats) -> Floats:
    """Conformal quantiles: the level's rank among n + 1; beyond the sample the tail goes on straight."""
    n = len(ordered)
    rank = levels * (n + 1) - 1
    inside = np.interp(rank, np.arange(n), ordered)
    return np.asarray(inside)


def learn(actual: Floats, mean: Floats, lead_days: Ints, weight: Floats | None = None) -> Bands:
    """Bands from what came, what was said, and how many whole days ahead it was said. All flat, of one length."""
    known = ~np.isnan(actual) & ~np.isnan(mean)
    actual, mean, lead_days = actual[known], mean[known], lead_days[known]
    weight = np.ones(len(actual)) if weight is None else weight[known]
    if len(actual) < ENOUGH:
        return guess(actual, mean)
    log = np.log(actual + HALF) - np.log(mean + HALF)
    scatter = float(np.clip(np.mean(np.minimum(log**2, 4.0) - 1.0 / (mean + HALF)), 0.0004, 1.0))
    scaled = np.clip(log / noise(mean, scatter), -WIDEST, WIDEST)
    band = band_of(lead_days)
    overall = width(scaled, weight)
    scale = np.array(
        [
            width(scaled[band == b], weight[band == b]) if (band == b).sum() >= ENOUGH else overall
            for b in range(len(EDGES) + 1)
        ]
    )
    scale = np.maximum(scale, 0.05)
    return Bands(np.sort(scaled / scale[band]), scale, scatter)


def adapt(bands: Bands, came: Floats, said: Floats, lead_days: Ints) -> Bands:
    """Widen the bands if the latest origins missed more than their share, narrow them if fewer.

    Adaptive conformal inference (Gibbs and Candes, 2021) over rehearsed origins, oldest first, on the log scale. All
    have the shape (origins, horizon); what is unknown of an origin does not count.
    """
    moved = 0.0
    for actual, mean, lead in zip(came, said, lead_days, strict=True):
        known = ~np.isnan(actual)
        if not known.any():
            continue
        z = (np.log(actual[known] + HALF) - np.log(mean[known] + HALF)) / bands.spread(mean[known], lead[known])
        low, high = sample_quantiles(bands.shape, np.array([0.1, 0.9])) * np.exp(moved)
        missed = 1.0 - float(np.mean((z >= low) & (z <= high)))
        moved = float(np.clip(moved + PACE * (missed - 0.2), NARROWEST, WIDER))
    return Bands(bands.shape, bands.scale * np.exp(moved), bands.scatter)


def width(scaled: Floats, weight: Floats) -> float:
    """Half the weighted 10-to-90 % width, 1 for a normal sample."""
    order = np.argsort(scaled, kind="stable")
    share = np.cumsum(weight[order]) / weight.sum()
    low, high = np.interp([0.1, 0.9], share, scaled[order])
    return float((high - low) / 2.563)


def guess(actual: Floats, mean: Floats) -> Bands:
    """Bands where too few errors are known: counting noise and a scatter of 30 %, or of what little is known."""
    scatter = 0.09
    if len(actual) >= 5:
        log = np.log(actual + HALF) - np.log(mean + HALF)
        scatter = float(np.clip(np.mean(log**2 - 1.0 / (mean + HALF)), 0.01, 1.0))
    normal = np.array([-2.24, -1.96, -1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645, 1.96, 2.24])
    fine = np.interp(np.linspace(0, 10, 201), np.arange(11), normal)
    return Bands(fine, np.array([1.0, 1.1, 1.3]), scatter)
