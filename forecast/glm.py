"""Calendar model: Poisson regression on slot of the week, season, holidays and their neighbours.

    log rate(day, slot) = a[weekday, slot] + x[day, part of day] . b + the agency's own events

Old days count less (half-life 26 weeks). Everything but `a` changes only by day and part of day, so `b` is fitted on
sums of parts of days: exact for a Poisson model, and fast at any step. Effects are held to zero by priors weighed by
the dispersion that the days show, so that one odd Christmas does not become a law.
"""

from dataclasses import dataclass

import numpy as np

from forecast.calendar import NO_HOLIDAY, Calendar
from forecast.closures import training_table
from forecast.wall import Bools, Floats, Ints, Wall

HALF_LIFE_DAYS = 182.0
LONGEST_DAYS = 156 * 7
SEASON_DAYS = 70 * 7
PARTS = 4
ROUNDS = 8
LEVEL_DAYS, LEVEL_SHARE, LEVEL_FADE = 14, 0.8, 28.0
LATEST_DAYS, LATEST_SHARE, LATEST_FADE = 2, 0.4, 2.0
SHAPE_PRIOR = 0.15
EFFECT_PRIOR, SEASON_PRIOR = 0.3, 0.3
SEASON_CAUTION = 20.0
STEEPEST = 3.0


@dataclass(frozen=True, slots=True)
class Design:
    """The columns of the day effects, and how firmly each is held to zero (prior variance)."""

    columns: Floats  # (days, parts, k)
    prior: Floats  # (k,)


def part_of(per_day: int) -> Ints:
    """Which part of the day each slot is in."""
    parts = PARTS if per_day >= 2 * PARTS else 1
    return np.arange(per_day) * parts // per_day


def design(calendar: Calendar, season: bool, names: Ints, parts: int) -> Design:
    """The day effects of every day of the calendar."""
    is_holiday = (calendar.holiday != NO_HOLIDAY).astype(float)
    day_columns = [is_holiday, calendar.near(1), calendar.near(-1), calendar.year_end.astype(float)]
    day_columns += [(calendar.holiday == name).astype(float) for name in names]
    prior = [EFFECT_PRIOR**2] * len(day_columns)
    angle, month = calendar.year_angle(), calendar.month_angle()
    waves = [f(k * angle) for k in (1, 2, 3) for f in (np.sin, np.cos)] if season else []
    waves += [f(month) for f in (np.sin, np.cos)]
    prior += [SEASON_PRIOR**2 / SEASON_CAUTION] * len(waves)
    flat = np.repeat(np.array([*day_columns, *waves]).T[:, None, :], parts, axis=1)
    if parts == 1:
        return Design(flat, np.array(prior))
    by_part = is_holiday[:, None, None] * np.eye(parts)[None, :, 1:]
    return Design(np.concatenate([flat, by_part], axis=2), np.array([*prior, *[EFFECT_PRIOR**2] * (parts - 1)]))


@dataclass(frozen=True, slots=True)
class FittedGlm:
    """The calendar model with its numbers."""

    shape: Floats  # (7, per_day), log rate
    effects: Floats  # (k,)
    season: bool
    names: Ints

    def rate(self, calendar: Calendar, first: int, last: int) -> Floats:
        """Expected values of the days first to last, shape (days, per_day); no level correction."""
        per_day = self.shape.shape[1]
        parts = part_of(per_day)
        columns = design(calendar, self.season, self.names, int(parts[-1]) + 1).columns[first:last]
        day = np.clip(columns @ self.effects, -STEEPEST, STEEPEST) + calendar.uplift[first:last, None]
        return np.asarray(np.exp(self.shape[np.arange(first, last) % 7] + day[:, parts]))

    def path(self, wall: Wall, calendar: Calendar, steps: int) -> Floats:
        """Expected values of the `steps` slots after the end of the wall."""
        origin, per_day = len(wall.values), wall.per_day
        first, last = origin // per_day, (origin + steps - 1) // per_day + 1
        before = max(first - LEVEL_DAYS - 1, 0)
        rate = self.rate(calendar, before, last)
        rate[calendar.closed[before:last]] = 0.0
        flat = rate.ravel()[origin - before * per_day :][:steps]
        return np.asarray(flat * self._level(wall, calendar, rate.ravel(), before * per_day, steps))

    def _level(self, wall: Wall, calendar: Calendar, rate: Floats, start: int, steps: int) -> Floats:
        """The factor by which recent days ran above or below, fading with the lead."""
        seen = training_table(wall, calendar).ravel()[: len(wall.values)]
        long = log_ratio(seen, rate, start, LEVEL_DAYS * wall.per_day)
        latest = log_ratio(seen, rate, start, LATEST_DAYS * wall.per_day) - LEVEL_SHARE * long
        lead = (np.arange(steps) + 0.5) / wall.per_day
        slow = LEVEL_SHARE * long * np.exp(-lead / LEVEL_FADE)
        return np.asarray(np.exp(slow + LATEST_SHARE * latest * np.exp(-lead / LATEST_FADE)))


def log_ratio(seen: Floats, rate: Floats, start: int, slots: int) -> float:
    """Log of what came over what was expected in the last slots; drawn to 0 where little was expected."""
    recent = seen[max(len(seen) - slots, start) :]
    expected = rate[max(len(seen) - slots, start) - start : len(seen) - start]
    known = ~np.isnan(recent)
    caution = 5.0
    return float(np.log((recent[known].sum() + caution) / (expected[known].sum() + caution)))


class Glm:
    """The calendar model. See the module."""

    name = "GLM"

    def fit(self, wall: Wall, calendar: Calendar, horizon_days: int) -> FittedGlm:
        """Fit on everything the wall knows."""
        table = training_table(wall, calendar)
        first = max(len(table) - LONGEST_DAYS, wall.first() // wall.per_day)
        first -= first % 7
        days = np.arange(first, len(table))
        season = len(days) > SEASON_DAYS
        seen = ~np.isnan(table).all(axis=1)
        names = np.array(
            [n for n in range(1, len(calendar.names)) if (seen & (calendar.holiday[: len(table)] == n)).any()]
        )
        names = names.astype(np.int64)
        parts = part_of(wall.per_day)
        whole = design(calendar, season, names, int(parts[-1]) + 1)
        weight = 0.5 ** ((len(table) - 1 - days) / HALF_LIFE_DAYS)
        shape, effects = solve(table[days], whole.columns[days], whole.prior, weight, parts, calendar.uplift[days])
        return FittedGlm(shape, effects, season, names)


def solve(
    table: Floats, columns: Floats, prior: Floats, weight: Floats, parts: Ints, uplift: Floats
) -> tuple[Floats, Floats]:
    """Alternate between the weekly shape (closed form) and the day effects (Newton). Row 0 is a Monday."""
    n_parts = int(parts[-1]) + 1
    known = ~np.isnan(table)
    values = np.where(known, table, 0.0)
    sums = np.stack([values[:, parts == p].sum(axis=1) for p in range(n_parts)], axis=1)
    weekday = np.arange(len(table)) % 7
    effects = np.zeros(columns.shape[2])
    dispersion, scatter = 1.0, 1.0
    shape = np.zeros((7, table.shape[1]))
    for _ in range(ROUNDS):
        day = np.exp(np.clip(columns @ effects, -STEEPEST, STEEPEST) + uplift[:, None])
        shape = weekly_shape(values, known, day[:, parts] * weight[:, None], weight, weekday, scatter)
        rate = np.where(known, np.exp(shape[weekday]), 0.0)
        mass = np.stack([rate[:, parts == p].sum(axis=1) for p in range(n_parts)], axis=1)
        mass = mass * np.exp(uplift)[:, None]
        effects = newton(sums, mass, columns, prior / dispersion, weight, effects)
        fitted = mass * np.exp(np.clip(columns @ effects, -STEEPEST, STEEPEST))
        dispersion = spread(sums.sum(axis=1), fitted.sum(axis=1), weight)
        scatter = spread(values.ravel(), (rate * day[:, parts]).ravel(), np.repeat(weight, table.shape[1]))
    return shape, effects


def weekly_shape(values: Floats, known: Bools, mass: Floats, weight: Floats, weekday: Ints, scatter: float) -> Floats:
    """Log rate by weekday and slot; thin slots are drawn to (weekday level) x (slot level)."""
    got = np.zeros((7, values.shape[1]))
    due = np.zeros((7, values.shape[1]))
    np.add.at(got, weekday, values * weight[:, None])
    np.add.at(due, weekday, np.where(known, mass, 0.0))
    tiny = 1e-9
    overall = (got.sum() + tiny) / (due.sum() + tiny)
    by_slot = (got.sum(axis=0) + tiny) / (due.sum(axis=0) * overall + tiny)
    by_day = (got.sum(axis=1) + overall * 0.1) / ((due * by_slot).sum(axis=1) + 0.1)
    expected = np.maximum(by_day[:, None] * by_slot[None, :], 1e-4)
    strength = scatter / SHAPE_PRIOR**2
    return np.asarray(np.log((got + strength) / (due + strength / expected)))


def newton(sums: Floats, mass: Floats, columns: Floats, prior: Floats, weight: Floats, start: Floats) -> Floats:
    """Day effects for given masses; a few damped Newton steps."""
    x = columns.reshape(-1, columns.shape[2])
    y, m = sums.ravel(), mass.ravel()
    w = np.repeat(weight, sums.shape[1]) * (m > 0)
    effects = start
    for _ in range(3):
        mu = m * np.exp(np.clip(x @ effects, -STEEPEST, STEEPEST))
        slope = x.T @ (w * (y - mu)) - effects / prior
        curve = (x * (w * mu)[:, None]).T @ x + np.diag(1 / prior)
        step = np.linalg.solve(curve, slope)
        effects = effects + np.clip(step, -1.0, 1.0)
    return np.asarray(effects)


def spread(got: Floats, due: Floats, weight: Floats) -> float:
    """Variance over mean, at least 1, not moved by the few wildest values."""
    use = due > 0
    if not use.any():
        return 1.0
    ratio = (got[use] - due[use]) ** 2 / np.maximum(due[use], 0.05)
    capped = np.minimum(ratio, np.quantile(ratio, 0.98))
    return float(max(np.average(capped, weights=weight[use]), 1.0))
