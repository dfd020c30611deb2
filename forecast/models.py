"""What a model of the wall is. Each fits on what a wall knows and then tells the slots after its end."""

from typing import Protocol

from forecast.calendar import Calendar
from forecast.wall import Floats, Wall


class Fitted(Protocol):
    """A model with its numbers; stays usable for later walls of the same series."""

    def path(self, wall: Wall, calendar: Calendar, steps: int) -> Floats:
        """Expected values of the `steps` slots after the end of the wall, never negative, shape (steps,)."""


class Model(Protocol):
    """A way to forecast."""

    @property
    def name(self) -> str:
        """What tables and pages call it."""

    def fit(self, wall: Wall, calendar: Calendar, horizon_days: int) -> Fitted:
        """Fit on everything the wall knows, for paths of up to `horizon_days`."""
