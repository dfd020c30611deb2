"""Boosted trees, direct: LightGBM on pseudo-origins of the past, on top of a profile of the recent weeks.

Each row is one slot as seen from one past moment: what was usual then, how the last hours, days and weeks ran against
it, the calendar, and how far ahead the slot lies. So nothing is forecast from forecasts. Steps under half an hour are
modelled by half hours and spread out by the recent profile.
"""

from dataclasses import dataclass

import lightgbm as lgb
import numpy as np

from forecast.calendar import NO_HOLIDAY, Calendar
from forecast.closures import training_wall
from forecast.profile import last_weeks, mean_known, tile, usual
from forecast.wall import Floats, Ints, Wall

MOST_ORIGINS = 180
MOST_ROWS = 120_000
FINEST_PER_DAY = 48
WARM_WEEKS = 6
LONGEST_DAYS = 156 * 7
ROUNDS = 200
SEED = 1


def coarse(wall: Wall) -> tuple[Wall, int]:
    """The wall by slots of at least half an hour, and how many of its slots make one of them."""
    factor = max(wall.per_day // FINEST_PER_DAY, 1)
    while wall.per_day % factor:
        factor += 1
    return (wall.coarsen(factor) if factor > 1 else wall), factor


def base_of(wall: Wall, end: int) -> Floats:
    """What the trees start from: the mean of the profiles of 4 and 12 weeks, a little above zero."""
    base = (usual(wall, 4, end) + usual(wall, 12, end)) / 2
    filler = mean_known(base)
    return (
        np.where(np.isnan(base), filler if np.isfinite(filler) else 1.0, base)
        + 0.02 * float(np.nan_to_num(filler))
        + 0.01
    )


def level(values: Floats, usual_values: Floats) -> float:
    """Log of what came over the usual; 0 if nothing is known."""
    known = ~np.isnan(values)
    caution = 0.5 + 0.02 * usual_values[known].sum()
    return float(np.log((values[known].sum() + caution) / (usual_values[known].sum() + caution)))


def rows(wall: Wall, calendar: Calendar, end: int, leads: Ints) -> tuple[Floats, Floats]:
    """Features of the slots `leads` after slot `end`, and the base; reads nothing at or after `end`."""
    per_day, per_week = wall.per_day, wall.per_week
    base = base_of(wall, end)
    week = last_weeks(wall, 5, end)
    four = mean_known(week[-4:])
    lately = week[-1]
    levels = [level(lately[-k:], base[-k:]) for k in (max(per_day // 8, 1), per_day, 2 * per_day, per_week)]
    slots = end + leads
    phase = leads % per_week
    log_base = np.log(base[phase])
    day = slots // per_day
    last_day = np.log((lately[-per_day:] + 0.5) / (base[-per_day:] + 0.5))[leads % per_day]
    angle = calendar.year_angle()[day]
    columns = [
        slots % per_day,
        day % 7,
        calendar.holiday[day] != NO_HOLIDAY,
        calendar.near(1)[day],
        calendar.near(-1)[day],
        calendar.year_end[day],
        np.sin(angle),
        np.cos(angle),
        np.cos(calendar.month_angle()[day]),
        np.sin(calendar.month_angle()[day]),
        leads / per_day,
        np.log((np.nan_to_num(four[phase], nan=0.0) + 0.5) / (base[phase] + 0.5)),
        np.log((lately[phase] + 0.5) / (base[phase] + 0.5)),
        last_day,
        log_base,
        *[np.full(len(leads), value) for value in levels],
        last_year(wall, end, day),
        calendar.uplift[day],
    ]
    return np.stack([np.asarray(c, dtype=np.float64) for c in columns], axis=1), base[phase]


def last_year(wall: Wall, end: int, day: Ints) -> Floats:
    """Log of the days around the same date a year before over the four weeks before that date's origin."""
    per_day = wall.per_day
    origin_day = end // per_day
    start = origin_day - 364 - 28
    if start < 0:
        return np.full(len(day), np.nan)
    table = wall.values[: origin_day * per_day].reshape(-1, per_day)
    per = np.nan_to_num(mean_known(table, axis=1), nan=0.0)
    known = (~np.isnan(table)).any(axis=1).astype(float)
    before = per[start : start + 28].sum() / max(known[start : start + 28].sum(), 1.0)
    total, count = np.concatenate([[0.0], np.cumsum(per)]), np.concatenate([[0.0], np.cumsum(known)])
    low = np.clip(day - 364 - 3, 0, origin_day)
    high = np.clip(day - 364 + 4, 0, origin_day)
    around = (total[high] - total[low]) / np.maximum(count[high] - count[low], 1.0)
    return np.asarray(np.log((around + 0.1) / (before + 0.1)))


def pseudo_origins(wall: Wall, horizon_days: int) -> list[int]:
    """Past moments to learn from, evenly spread, at midnight."""
    whole = len(wall.values) // wall.per_day
    first = max(wall.first() // wall.per_day + 7 * WARM_WEEKS, whole - LONGEST_DAYS)
    last = whole - 1
    if last <= first:
        return []
    n = min(MOST_ORIGINS, last - first)
    return [int(day) * wall.per_day for day in np.unique(np.linspace(first, last, n).round())]


@dataclass(frozen=True, slots=True)
class FittedTrees:
    """The trees; None if there was too little to learn from, then the recent profile is the forecast."""

    booster: lgb.Booster | None

    def path(self, wall: Wall, calendar: Calendar, steps: int) -> Floats:
        """Expected values of the `steps` slots after the end of the wall."""
        fine = training_wall(wall, calendar)
        seen, factor = coarse(fine)
        end = len(seen.values)
        n = -(-(len(wall.values) + steps) // factor) - end
        features, base = rows(seen, calendar, end, np.arange(n))
        rate = base if self.booster is None else base * np.exp(raw(self.booster, features))
        shut = calendar.closed[(end + np.arange(n)) // seen.per_day]
        rate = np.where(shut, 0.0, rate)
        if factor == 1:
            return rate
        return spread_out(fine, rate, end * factor, factor, steps)


def raw(booster: lgb.Booster, features: Floats) -> Floats:
    """Log of the factor on the base."""
    return np.asarray(booster.predict(features, raw_score=True, num_threads=1), dtype=np.float64)


def spread_out(fine: Wall, rate: Floats, start: int, factor: int, steps: int) -> Floats:
    """Coarse values laid on fine slots as the last 12 weeks were, the slots before the end of the wall cut off."""
    profile = np.nan_to_num(usual(fine, 12, start), nan=0.0)
    share = tile(profile, len(rate) * factor).reshape(-1, factor) + 1e-6
    out = (rate[:, None] * share / share.sum(axis=1, keepdims=True)).ravel()
    return np.asarray(out[len(fine.values) - start :][:steps])


class Trees:
    """Boosted trees. See the module."""

    name = "boosted"

    def fit(self, wall: Wall, calendar: Calendar, horizon_days: int) -> FittedTrees:
        """Fit on everything the wall knows."""
        seen, _ = coarse(training_wall(wall, calendar))
        origins = pseudo_origins(seen, horizon_days)
        whole = horizon_days * seen.per_day
        rng = np.random.default_rng(SEED)
        per_origin = min(whole, max(MOST_ROWS // max(len(origins), 1), 1))
        blocks = []
        for end in origins:
            leads = np.arange(whole) if per_origin == whole else np.sort(rng.choice(whole, per_origin, replace=False))
            leads = leads[end + leads < len(seen.values)]
            leads = leads[~np.isnan(seen.values[end + leads])]
            if len(leads):
                blocks.append((*rows(seen, calendar, end, leads), seen.values[end + leads]))
        if len(blocks) < 10:
            return FittedTrees(None)
        features, base, target = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
        return FittedTrees(train(features, base, target))


def train(features: Floats, base: Floats, target: Floats) -> lgb.Booster:
    """Poisson trees on top of the base."""
    settings = {
        "objective": "poisson",
        "learning_rate": 0.04,
        "num_leaves": 15,
        "min_data_in_leaf": max(20, len(target) // 200),
        "lambda_l2": 5.0,
        "feature_fraction": 0.8,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "seed": SEED,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    data = lgb.Dataset(features, label=target, init_score=np.log(base), free_raw_data=True)
    return lgb.train(settings, data, num_boost_round=ROUNDS)
