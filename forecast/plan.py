"""One night's decisions for one series: weights, carry-over and bands, all from rehearsals before the day."""

from dataclasses import dataclass

import numpy as np

from forecast import blend, conformal
from forecast.conformal import Bands
from forecast.models import Model
from forecast.rehearsal import STRIDE_DAYS, Rehearsal
from forecast.wall import Floats, Ints

REHEARSALS = 24
DAILY_REHEARSALS = 48
HALF_LIFE_DAYS = 90.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be said from the start of `day` on.

    Attributes:
        mean: expected values, shape (horizon,).
        bands: of single slots.
        day_bands: of sums of days.
        weights: of the models, in their order.
        slopes: of the carry-over, by day.
        eve: surprise of the day before.
    """

    day: int
    per_day: int
    mean: Floats
    bands: Bands
    day_bands: Bands
    weights: Floats
    slopes: Floats
    eve: float
    rehearsals: int

    def lead_days(self) -> Ints:
        """Whole days ahead of each slot."""
        return np.arange(len(self.mean)) // self.per_day

    def quantiles(self) -> Floats:
        """The ten quantiles of each slot, shape (horizon, 10); zero where nothing is expected."""
        quantiles = self.bands.quantiles(self.mean, self.lead_days())
        quantiles[self.mean <= 0] = 0.0
        return quantiles


def most_rehearsals(per_day: int) -> int:
    """How many past midnights a series of this step rehearses."""
    return DAILY_REHEARSALS if per_day == 1 else REHEARSALS


def make(rehearsal: Rehearsal, models: tuple[Model, ...], day: int, *, fresh: bool = True, carry: bool = True) -> Plan:
    """Decide for the start of `day`, reading nothing at or after it."""
    per_day, history_days = rehearsal.wall.per_day, day - rehearsal.wall.first() // rehearsal.wall.per_day
    days = rehearsal.days_before(day, most_rehearsals(per_day))
    past = blend.rehearse(rehearsal, models, days, day * per_day)
    weights = blend.weights(blend.errors(past), models, history_days)
    said, eves = np.tensordot(past.paths, weights, (1, 0)), np.tensordot(past.eve, weights, (1, 0))
    surprises = blend.surprise(past.came, eves)
    slopes = (
        blend.carry(surprises, first_days(past.actual, said, per_day)) if carry and days else np.zeros(blend.CARRY_DAYS)
    )
    steps = rehearsal.horizon_days * per_day
    said = said * np.array([blend.carried(slopes, s, steps, per_day) for s in surprises]).reshape(said.shape)
    path = np.tensordot(weights, np.array([rehearsal.path(m, day, fresh=fresh) for m in models]), (0, 0))
    eve = float(
        blend.surprise(rehearsal.actual(day - 1, day * per_day)[:per_day], eve_path(rehearsal, models, weights, day))
    )
    return Plan(
        day=day,
        per_day=per_day,
        mean=path * blend.carried(slopes, eve, steps, per_day),
        bands=slot_bands(past.actual, said, per_day),
        day_bands=slot_bands(*by_day(past.actual, said, per_day), 1),
        weights=weights,
        slopes=slopes,
        eve=eve,
        rehearsals=len(days),
    )


def eve_path(rehearsal: Rehearsal, models: tuple[Model, ...], weights: Floats, day: int) -> Floats:
    """What the blend said of the day before, the evening before it."""
    per_day = rehearsal.wall.per_day
    return np.asarray(np.tensordot(weights, np.array([rehearsal.path(m, day - 1)[:per_day] for m in models]), (0, 0)))


def first_days(actual: Floats, said: Floats, per_day: int) -> Floats:
    """Surprise of the first days after each origin, shape (origins, CARRY_DAYS)."""
    spans = [slice(d * per_day, (d + 1) * per_day) for d in range(blend.CARRY_DAYS)]
    return np.stack([blend.surprise(actual[:, s], said[:, s]) for s in spans], axis=1)


def slot_bands(actual: Floats, said: Floats, per_day: int) -> Bands:
    """Bands from rehearsed origins, shapes (origins, horizon); slots that nobody answers are left out."""
    lead = np.broadcast_to(np.arange(said.shape[1]) // per_day, said.shape)
    age = np.arange(len(said))[::-1, None] * STRIDE_DAYS
    weight = np.broadcast_to(0.5 ** (age / HALF_LIFE_DAYS), said.shape)
    came = np.where(said > 0, actual, np.nan)
    bands = conformal.learn(came.ravel(), said.ravel(), lead.ravel(), weight.ravel())
    return conformal.adapt(bands, came, said, lead)


def by_day(actual: Floats, said: Floats, per_day: int) -> tuple[Floats, Floats]:
    """Sums of days; what is unknown of a day is taken to have come as its known part did."""
    a, s = (x.reshape(len(x), -1, per_day) for x in (actual, said))
    known = ~np.isnan(a)
    due_known, due = np.where(known, s, 0.0).sum(axis=2), s.sum(axis=2)
    got = np.where(known, a, 0.0).sum(axis=2)
    enough = due_known > 0.5 * due
    return np.where(enough, got * due / np.maximum(due_known, 1e-9), np.nan), due
