"""How good a forecast was. Pure functions of what came and what was said."""

from dataclasses import dataclass

import numpy as np

from core.series import QUANTILES
from forecast.wall import Floats, Wall


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over slots that can be added up and then divided."""

    error: float = 0.0
    came: float = 0.0
    pinball: float = 0.0
    inside80: int = 0
    inside95: int = 0
    banded: int = 0
    slots: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, name) + getattr(other, name) for name in Tally.__slots__))

    def wape(self) -> float:
        """Sum of absolute errors over sum of what came."""
        return self.error / self.came if self.came else float("nan")

    def wql(self) -> float:
        """Weighted quantile loss: twice the mean pinball loss over the mean."""
        return 2 * self.pinball / self.came if self.came else float("nan")

    def cover80(self) -> float:
        """Share of slots inside q10..q90."""
        return self.inside80 / self.banded if self.banded else float("nan")

    def cover95(self) -> float:
        """Share of slots inside q025..q975."""
        return self.inside95 / self.banded if self.banded else float("nan")

    def mase(self, scale: float) -> float:
        """Mean absolute error over that of last week's values within the history."""
        return self.error / self.slots / scale if self.slots and scale else float("nan")


def tally(came: Floats, quantiles: Floats) -> Tally:
    """Judge quantiles, shape (n, 10), by what came, shape (n,), NaN where unknown.

    Slots for which nothing at all was expected count for the error, not for the coverage.
    """
    known = ~np.isnan(came) & ~np.isnan(quantiles[:, 4])
    came, quantiles = came[known], quantiles[known]
    levels = np.array(QUANTILES)
    gap = came[:, None] - quantiles
    banded = quantiles[:, -1] > 0
    inside80 = (came >= quantiles[:, 2]) & (came <= quantiles[:, 7])
    inside95 = (came >= quantiles[:, 0]) & (came <= quantiles[:, 9])
    return Tally(
        error=float(np.abs(gap[:, 4]).sum()),
        came=float(came.sum()),
        pinball=float(np.maximum(levels * gap, (levels - 1) * gap).mean(axis=1).sum()),
        inside80=int((inside80 & banded).sum()),
        inside95=int((inside95 & banded).sum()),
        banded=int(banded.sum()),
        slots=len(came),
    )


def naive_scale(wall: Wall) -> float:
    """Mean absolute difference from a week before, within the history; NaN if there is none."""
    gap = np.abs(wall.values[wall.per_week :] - wall.values[: -wall.per_week])
    gap = gap[~np.isnan(gap)]
    return float(gap.mean()) if len(gap) else float("nan")


def poisson_floor(mean: Floats) -> float:
    """The WAPE left if every rate were known and calls came by chance alone; rough for means under 2."""
    mean = mean[np.isfinite(mean) & (mean > 0)]
    return float(np.sqrt(2 * mean / np.pi).sum() / mean.sum()) if len(mean) else float("nan")
