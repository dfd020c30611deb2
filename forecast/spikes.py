"""The chance of a spike: at least `ratio` times the mean of the same slot over the last eight weeks."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from forecast.plan import Plan
from forecast.profile import tile, usual
from forecast.wall import Floats, Wall

USUAL_WEEKS = 8


@dataclass(frozen=True, slots=True)
class DayRisk:
    """One day: what is expected of it in all, and how likely it is to be a spike day."""

    date: str
    usual: float
    expected: float
    low: float
    high: float
    probability: float


def usual_of(plan: Plan, wall: Wall) -> Floats:
    """What is usual in each slot of the plan: the mean of the last eight weeks; zero where nobody answers."""
    profile = np.nan_to_num(tile(usual(wall, USUAL_WEEKS), len(plan.mean)), nan=0.0)
    return np.where(plan.mean > 0, profile, 0.0)


def by_slot(plan: Plan, wall: Wall, ratio: float) -> Floats:
    """The chance of each slot; zero where nobody answers."""
    usual_values = usual_of(plan, wall)
    chance = plan.bands.chance_above(plan.mean, ratio * usual_values, plan.lead_days())
    return np.where((plan.mean > 0) & (usual_values > 0), chance, 0.0)


def by_day(plan: Plan, wall: Wall, ratio: float) -> list[DayRisk]:
    """The chance of each whole day, its own distribution, not a sum over slots."""
    mean = plan.mean.reshape(-1, plan.per_day).sum(axis=1)
    usual_values = usual_of(plan, wall).reshape(-1, plan.per_day).sum(axis=1)
    lead = np.arange(len(mean))
    chance = plan.day_bands.chance_above(mean, ratio * usual_values, lead)
    chance = np.where((mean > 0) & (usual_values > 0), chance, 0.0)
    quantiles = plan.day_bands.quantiles(mean, lead)
    quantiles[mean <= 0] = 0.0
    return [
        DayRisk(
            date=(wall.monday + timedelta(days=plan.day + i)).isoformat(),
            usual=float(usual_values[i]),
            expected=float(quantiles[i, 4]),
            low=float(quantiles[i, 2]),
            high=float(quantiles[i, 7]),
            probability=float(chance[i]),
        )
        for i in range(len(mean))
    ]
