"""What every model would have said, judged by what came: rolling origins over the last part of a series."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from core.errors import BadInput
from core.series import Known, Series
from forecast.boosted import Trees
from forecast.calendar import calendar_for
from forecast.glm import Glm
from forecast.measures import Tally, naive_scale, poisson_floor, tally
from forecast.naive import MEAN_8_WEEKS, NAIVE
from forecast.product import LEAST_HORIZON, Pipeline, Product, attempt
from forecast.rehearsal import STRIDE_DAYS, Rehearsal
from forecast.wall import lay, local_starts

ORIGINS = 12
LAST_PART = 0.2
LEAST_HISTORY = 70

PIPELINES: tuple[Pipeline, ...] = (
    Product(),
    Pipeline("GLM", (Glm(),), carry=False),
    Pipeline("boosted", (Trees(),), carry=False),
    Pipeline("blend", (Glm(), Trees()), carry=False),
    Pipeline(MEAN_8_WEEKS.name, (MEAN_8_WEEKS,), carry=False),
    Pipeline(NAIVE.name, (NAIVE,), carry=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One model on one series. Shares are 0..1."""

    series: str
    model: str
    horizon_days: int
    origins: int
    wape: float
    mase: float
    wql: float
    cover80: float
    cover95: float
    relative: float


@dataclass(frozen=True, slots=True)
class Report:
    """One series: a row for each model, the achievable floor, and where the origins lay."""

    rows: tuple[Row, ...]
    floor: float
    first: str
    last: str


def backtest(
    series: Series,
    known: Known,
    *,
    horizon: timedelta = timedelta(days=7),
    origins: int = ORIGINS,
    pipelines: tuple[Pipeline, ...] = PIPELINES,
    said: Callable[[str], None] = lambda _: None,
    part: tuple[float, float] = (1 - LAST_PART, 1.0),
) -> Report:
    """Judge models on up to `origins` midnights; what they forecast lies in the given part of the series.

    `said` is told of progress.

    Raises:
        BadInput: the series is too short to hold a history and a horizon.
    """
    end = local_starts(series, len(series), 1)[0].to_pydatetime()
    wall, _ = lay(series, end)
    days = max(-(-horizon // timedelta(days=1)), 1)
    span = max(days, LEAST_HORIZON)
    rehearsal = Rehearsal(wall, calendar_for(wall.monday, len(wall.values) // wall.per_day + span + 8, known), (), span)
    chosen = choose(series.name, wall.first() // wall.per_day, len(wall.values) // wall.per_day, days, origins, part)
    tallies: dict[str, Tally] = {p.name: Tally() for p in pipelines}
    means = []
    for i, day in enumerate(chosen):
        said(f"{series.name}: origin {i + 1} of {len(chosen)}")
        came = rehearsal.actual(day, len(wall.values))[: days * wall.per_day]
        for pipeline in pipelines:
            made, _, _ = attempt(rehearsal, pipeline.models, day, pipeline.carry)
            tallies[pipeline.name] += tally(came, made.quantiles()[: len(came)])
            if pipeline is pipelines[0]:
                means.append(np.where(np.isnan(came), np.nan, made.mean[: len(came)]))
    scale = naive_scale(wall.until(chosen[0] * wall.per_day))
    naive = tallies.get(NAIVE.name)
    rows = tuple(row(series.name, p.name, days, len(chosen), tallies[p.name], scale, naive) for p in pipelines)
    first, last = (str(wall.monday + timedelta(days=day)) for day in (chosen[0], chosen[-1]))
    return Report(rows, poisson_floor(np.concatenate(means)), first, last)


def choose(name: str, first: int, end: int, days: int, origins: int, part: tuple[float, float]) -> list[int]:
    """Evenly spread midnights on the grid of rehearsals, so that they share each other's work."""
    low = max(first + int((end - first) * part[0]), first + LEAST_HISTORY)
    high = first + int((end - first) * part[1]) - days
    grid = np.arange(high, low - 1, -STRIDE_DAYS)[::-1]
    if not len(grid):
        raise BadInput(
            f"{name}: {end - first} days are too short for a backtest of {days} days; "
            f"at least {LEAST_HISTORY + days} are needed"
        )
    picked = np.unique(np.linspace(0, len(grid) - 1, min(origins, len(grid))).round().astype(int))
    return [int(grid[i]) for i in picked]


def row(series: str, model: str, days: int, origins: int, total: Tally, scale: float, naive: Tally | None) -> Row:
    """The measures of one model."""
    return Row(
        series=series,
        model=model,
        horizon_days=days,
        origins=origins,
        wape=total.wape(),
        mase=total.mase(scale),
        wql=total.wql(),
        cover80=total.cover80(),
        cover95=total.cover95(),
        relative=total.wape() / naive.wape() if naive and naive.wape() else float("nan"),
    )


def geometric_means(reports: list[Report]) -> dict[str, float]:
    """For each model the geometric mean over series of its WAPE relative to seasonal naive."""
    found: dict[str, list[float]] = {}
    for report in reports:
        for one in report.rows:
            found.setdefault(one.model, []).append(one.relative)
    return {m: float(np.exp(np.mean(np.log(v)))) for m, v in found.items() if np.isfinite(v).all() and min(v) > 0}
