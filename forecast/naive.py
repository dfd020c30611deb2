"""The two yardsticks: last week again, and the mean of the last eight weeks a spreadsheet would take."""

from dataclasses import dataclass

import numpy as np

from forecast.calendar import Calendar
from forecast.profile import mean_known, tile, usual
from forecast.wall import Floats, Wall


@dataclass(frozen=True, slots=True)
class RecentWeeks:
    """The mean of the same slot over the last `weeks` weeks; it is its own fitted state."""

    name: str
    weeks: int

    def fit(self, wall: Wall, calendar: Calendar, horizon_days: int) -> "RecentWeeks":
        """Nothing to learn."""
        return self

    def path(self, wall: Wall, calendar: Calendar, steps: int) -> Floats:
        """The profile of the last weeks, repeated; slots never seen take the mean of all."""
        profile = usual(wall, self.weeks)
        overall = mean_known(wall.values[-52 * wall.per_week :])
        return np.nan_to_num(tile(np.where(np.isnan(profile), overall, profile), steps), nan=0.0)


NAIVE = RecentWeeks("seasonal naive", 1)
MEAN_8_WEEKS = RecentWeeks("mean of 8 weeks", 8)
