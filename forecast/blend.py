"""Putting models together: weights from their past errors, and what yesterday still says about tomorrow."""

from dataclasses import dataclass

import numpy as np

from forecast.models import Model
from forecast.rehearsal import Rehearsal
from forecast.wall import Floats

POWER = 4.0
ENOUGH = 10
YEAR_DAYS = 364
LEADS = 0.7
CARRY_DAYS = 2
CARRY_CAUTION = 0.05
CARRY_MOST = 0.8


@dataclass(frozen=True, slots=True)
class Past:
    """Rehearsed paths and what came, aligned.

    Attributes:
        days: the midnights, oldest first.
        paths: shape (origins, models, horizon).
        actual: shape (origins, horizon); NaN where unknown at the time of asking.
        eve: paths of the first day said a day earlier, shape (origins, models, per_day).
        came: what came on that eve, shape (origins, per_day).
    """

    days: tuple[int, ...]
    paths: Floats
    actual: Floats
    eve: Floats
    came: Floats


def rehearse(rehearsal: Rehearsal, models: tuple[Model, ...], days: list[int], until: int) -> Past:
    """Collect the rehearsals of `days`, knowing what came before slot `until`."""
    size, per_day = rehearsal.horizon_days * rehearsal.wall.per_day, rehearsal.wall.per_day
    paths = np.array([[rehearsal.path(m, d) for m in models] for d in days]).reshape(len(days), len(models), size)
    eve = np.array([[rehearsal.path(m, d - 1)[:per_day] for m in models] for d in days])
    actual = np.array([np.where(rehearsal.answered(d), rehearsal.actual(d, until), np.nan) for d in days])
    came = np.array([rehearsal.actual(d - 1, d * per_day)[:per_day] for d in days])
    return Past(
        tuple(days),
        paths,
        actual.reshape(len(days), size),
        eve.reshape(len(days), len(models), per_day),
        came.reshape(len(days), per_day),
    )


def errors(past: Past) -> Floats:
    """Mean absolute error of each model at each origin, shape (origins, models); NaN where nothing is known."""
    gap = np.abs(past.paths - past.actual[:, None, :])
    known = ~np.isnan(gap)
    count = known.sum(axis=2)
    return np.where(count > 0, np.where(known, gap, 0.0).sum(axis=2) / np.maximum(count, 1), np.nan)


def weights(errors: Floats, models: tuple[Model, ...], history_days: int) -> Floats:
    """Weights ~ MAE^-4; equal until ten origins are known; under a year of history the calendar model leads."""
    n = len(models)
    known = errors[~np.isnan(errors).any(axis=1)]
    weight = np.full(n, 1.0 / n)
    if len(known) >= ENOUGH:
        power = np.maximum(known.mean(axis=0), 1e-9) ** -POWER
        weight = power / power.sum()
    if history_days < YEAR_DAYS and n > 1:
        leader = next((i for i, m in enumerate(models) if m.name == "GLM"), 0)
        share = max(LEADS, weight[leader])
        others = np.delete(np.arange(n), leader)
        weight[others] *= (1 - share) / max(weight[others].sum(), 1e-12)
        weight[leader] = share
    return np.asarray(weight)


def surprise(came: Floats, said: Floats) -> Floats:
    """Log of a day's sum over what was said, along the last axis; 0 where nothing is known."""
    known = ~np.isnan(came)
    got = np.where(known, came, 0.0).sum(axis=-1)
    due = np.where(known, said, 0.0).sum(axis=-1)
    caution = 1.0 + 0.02 * due
    return np.asarray(np.clip(np.log((got + caution) / (due + caution)), -1.5, 1.5))


def carry(eves: Floats, first_days: Floats) -> Floats:
    """How much of the eve's surprise stays on each of the next days: slopes in [0, 0.8], shape (CARRY_DAYS,).

    Args:
        eves: surprise of the day before each origin, shape (origins,).
        first_days: surprise of the days after it, shape (origins, CARRY_DAYS).
    """
    strength = (eves**2).sum() + CARRY_CAUTION
    slope = (eves[:, None] * first_days).sum(axis=0) / strength
    return np.asarray(np.clip(slope, 0.0, CARRY_MOST))


def carried(slopes: Floats, eve: float, steps: int, per_day: int) -> Floats:
    """The factors on a path, shape (steps,)."""
    factor = np.ones(steps)
    for day, slope in enumerate(slopes):
        factor[day * per_day : (day + 1) * per_day] = np.exp(slope * eve)
    return factor
