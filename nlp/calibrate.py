"""Makes scores mean what they say: temperature, straight-line scaling, calibration error, abstain bands."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq, minimize, minimize_scalar

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]


def softmax(logits: Floats) -> Floats:
    """Logits (n, k) to probabilities."""
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    shares: Floats = powers / powers.sum(-1, keepdims=True)
    return shares


def sigmoid(logits: Floats) -> Floats:
    """Logits to probabilities."""
    chances: Floats = 1 / (1 + np.exp(-np.clip(logits, -40, 40)))
    return chances


def temperature(logits: Floats, labels: Ints, weights: Floats) -> float:
    """The number by which logits (n, k) must be divided for the likelihood of the labels to be greatest."""

    def loss(value: float) -> float:
        chances = softmax(logits / np.exp(value))[np.arange(len(labels)), labels]
        return float(-(weights * np.log(chances + 1e-12)).sum())

    return float(np.exp(minimize_scalar(loss, bounds=(-2, 2), method="bounded").x))


def line(scores: Floats, truth: Floats, weights: Floats | None = None) -> tuple[list[float], float]:
    """Slopes and offset so that sigmoid(scores @ slopes + offset) is calibrated: scores (n, k), truth (n,)."""
    scores = scores.reshape(len(truth), -1).astype(np.float64)
    each = np.ones(len(truth)) if weights is None else weights

    def loss(values: Floats) -> tuple[float, Floats]:
        logits = scores @ values[:-1] + values[-1]
        slope = each * (sigmoid(logits) - truth)
        value = float((each * (np.logaddexp(0, logits) - truth * logits)).sum() + 0.01 * (values[:-1] ** 2).sum())
        return value, np.concatenate([scores.T @ slope + 0.02 * values[:-1], [slope.sum()]])

    start = np.concatenate([np.full(scores.shape[1], 1 / scores.shape[1]), [0.0]])
    bounds = [(0.0, None)] * scores.shape[1] + [(None, None)]
    best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return [float(value) for value in best[:-1]], float(best[-1])


def shift(logits: Floats, truth: Floats) -> float:
    """What must be added to logits (n,) for their mean chance to be the share that holds."""
    return float(brentq(lambda value: float(sigmoid(logits + value).mean() - truth.mean()), -10, 10))


def calibration_error(chances: Floats, right: Floats, bins: int = 15) -> float:
    """Mean gap between what was promised and what held, over equal bins of the promise (ECE)."""
    place = np.minimum((chances * bins).astype(int), bins - 1)
    gaps = (abs(chances[place == b].sum() - right[place == b].sum()) for b in range(bins) if (place == b).any())
    return float(sum(gaps) / max(len(chances), 1))


def coverage_curve(chances: Floats, right: Floats) -> list[tuple[float, float, float]]:
    """For shares 1.0, 0.9 ... 0.3 of the surest texts: (share, lowest chance among them, share right)."""
    order = np.argsort(-chances, kind="stable")
    curve = []
    for percent in range(100, 20, -10):
        kept = order[: max(1, len(order) * percent // 100)]
        curve.append((percent / 100, float(chances[kept[-1]]), float(right[kept].mean())))
    return curve


def abstain_below(chances: Floats, right: Floats, *, accuracy: float, least_coverage: float) -> float:
    """The lowest chance to rely on: those above are right at least `accuracy` of the time.

    Where that would leave less than `least_coverage` of the texts, coverage wins.
    """
    order = np.argsort(-chances, kind="stable")
    running = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(running >= accuracy)
    count = max(int(good[-1]) + 1 if len(good) else 0, int(np.ceil(least_coverage * len(order))))
    return 0.0 if count >= len(order) else float(chances[order[count - 1]])


def threshold_for(chances: Floats, truth: Floats, *, precision: float, lowest: float = 0.2) -> float:
    """The lowest threshold from `lowest` on at which the precision is reached; 0.5 if it never is."""
    for threshold in np.arange(lowest, 0.96, 0.01):
        named = chances >= threshold
        if named.any() and truth[named].mean() >= precision:
            return round(float(threshold), 2)
    return 0.5
