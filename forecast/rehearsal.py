"""What each model would have said at past midnights, knowing only what was known then.

Everything a forecast learns about itself - weights, bands, carry-over - it learns from its rehearsals.
"""

from dataclasses import dataclass, field

import numpy as np

from forecast.calendar import Calendar
from forecast.closures import observe
from forecast.models import Fitted, Model
from forecast.profile import dead, opening
from forecast.wall import Bools, Floats, Wall

STRIDE_DAYS = 6
REFIT_DAYS = {"boosted": 21}
FIRST_DAYS = 56
SHORTEST_DAYS = 14


@dataclass
class Rehearsal:
    """Paths of all models from past midnights, each computed once."""

    wall: Wall
    calendar: Calendar
    models: tuple[Model, ...]
    horizon_days: int
    _fits: dict[tuple[str, int], Fitted] = field(default_factory=dict)
    _paths: dict[tuple[str, int, bool], Floats] = field(default_factory=dict)
    _views: dict[int, tuple[Wall, Calendar]] = field(default_factory=dict)

    def view(self, day: int) -> tuple[Wall, Calendar]:
        """The wall and the calendar as they were known at the start of a day."""
        if day not in self._views:
            wall = self.wall.until(day * self.wall.per_day)
            self._views[day] = wall, observe(self.calendar, wall)
        return self._views[day]

    def first_day(self) -> int:
        """The first midnight worth rehearsing: eight weeks are known, or half of a short history."""
        first = -(-self.wall.first() // self.wall.per_day)
        half = (len(self.wall.values) // self.wall.per_day - first) // 2
        return first + min(FIRST_DAYS, max(half, SHORTEST_DAYS))

    def days_before(self, day: int, most: int) -> list[int]:
        """Midnights to rehearse before `day`, oldest first."""
        days = [day - STRIDE_DAYS * (i + 1) for i in range(most)]
        return [d for d in reversed(days) if d >= self.first_day()]

    def path(self, model: Model, day: int, *, fresh: bool = False) -> Floats:
        """What the model said at the start of `day`, shape (horizon_days * per_day,).

        With `fresh` it was fitted on all that was known then; else a slow model may be up to three weeks old.
        """
        key = (model.name, day, fresh)
        if key not in self._paths:
            wall, calendar = self.view(day)
            fitted = self.fitted(model, day, fresh=fresh)
            path = fitted.path(wall, calendar, self.horizon_days * wall.per_day)
            if not np.isfinite(path).all():
                raise ArithmeticError(f"the {model.name} model gave no number")
            self._paths[key] = np.where(self.answered(day), path, 0.0)
        return self._paths[key]

    def fitted(self, model: Model, day: int, *, fresh: bool) -> Fitted:
        """The model as it was fitted at or before `day`."""
        every = 1 if fresh else REFIT_DAYS.get(model.name, 1)
        at = max(day - day % every, min(self.first_day(), day))
        key = (model.name, at)
        if key not in self._fits:
            wall, calendar = self.view(at)
            self._fits[key] = model.fit(wall, calendar, self.horizon_days)
        return self._fits[key]

    def answered(self, day: int) -> Bools:
        """Which slots of the horizon were expected to have any calls when looked at from `day`."""
        wall, calendar = self.view(day)
        size = self.horizon_days * wall.per_day
        shut = np.repeat(calendar.closed[day : day + self.horizon_days], wall.per_day)
        return np.asarray(~shut & ~np.resize(dead(wall), size) & np.resize(opening(wall), size))

    def actual(self, day: int, until: int) -> Floats:
        """What came from `day` on, NaN where it was not known before slot `until`."""
        per_day = self.wall.per_day
        start, size = day * per_day, self.horizon_days * per_day
        out = np.full(size, np.nan)
        known = self.wall.values[start : max(min(until, start + size), start)]
        out[: len(known)] = known
        return out
