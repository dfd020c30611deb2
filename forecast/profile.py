"""The usual: means of the same slot over the last weeks, and which slots are ever open."""

import numpy as np

from forecast.wall import Bools, Floats, Wall

RECENT_WEEKS = 12
OPEN_SHARE = 0.25


def last_weeks(wall: Wall, weeks: int, end: int | None = None) -> Floats:
    """The last weeks before slot `end` as (weeks, per_week), columns in order from the slot at `end` on."""
    end = len(wall.values) if end is None else end
    size = weeks * wall.per_week
    known = wall.values[max(end - size, 0) : end]
    return np.concatenate([np.full(size - len(known), np.nan), known]).reshape(weeks, wall.per_week)


def mean_known(block: Floats, axis: int = 0) -> Floats:
    """The mean of what is known along an axis; NaN where nothing is."""
    known = ~np.isnan(block)
    count = known.sum(axis=axis)
    total = np.where(known, block, 0.0).sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def tile(profile: Floats, steps: int) -> Floats:
    """A week's profile repeated over `steps` slots."""
    return np.resize(profile, steps)


def usual(wall: Wall, weeks: int, end: int | None = None) -> Floats:
    """Mean of the same slot over the last weeks; gaps from longer windows. Shape (per_week,), from `end` on."""
    profile = mean_known(last_weeks(wall, weeks, end))
    for longer in (2 * weeks, 52, 156):
        if not np.isnan(profile).any():
            break
        profile = np.where(np.isnan(profile), mean_known(last_weeks(wall, longer, end)), profile)
    return profile


def opening(wall: Wall) -> Bools:
    """Which slots of the week are open, from the slot after the end of the wall on. Shape (per_week,).

    A slot is open if it has a record in a quarter as many of the recent weeks as the best kept slot has.
    """
    block = last_weeks(wall, 2 * RECENT_WEEKS)
    block = block[(~np.isnan(block)).any(axis=1)][-RECENT_WEEKS:]
    share = (~np.isnan(block)).sum(axis=0)
    return np.asarray(share >= max(OPEN_SHARE * share.max(initial=0), 1))


def dead(wall: Wall) -> Bools:
    """Which slots of the week have had nothing but zeros in the recent weeks of an otherwise busy series."""
    block = last_weeks(wall, RECENT_WEEKS)
    count = (~np.isnan(block)).sum(axis=0)
    mean = mean_known(block.ravel())
    silent = (count >= 8) & (np.nansum(block, axis=0) == 0)
    return np.asarray(silent & (mean >= 1.0))
