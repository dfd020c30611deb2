"""How many agents a number of calls needs, for one interval or a whole forecast."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from core.errors import BadInput
from core.series import QUANTILE_NAMES, Forecast
from forecast.erlang import Queue, erlang_a, erlang_c
from forecast.wall import local_starts

MOST_AGENTS = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What good service is, and what people cost in time.

    Attributes:
        handle_time: mean of talk and after-call work.
        share: of calls to be answered within `wait`, 0..1.
        shrinkage: share of paid time away from the phones, 0..1.
        max_occupancy: most of their time agents shall spend on calls, 0..1.
        patience: mean time callers wait before they give up; None: they never do.
    """

    handle_time: timedelta
    share: float = 0.8
    wait: timedelta = timedelta(seconds=20)
    shrinkage: float = 0.3
    max_occupancy: float = 1.0
    patience: timedelta | None = None

    def __post_init__(self) -> None:
        """Raise BadInput for what cannot be staffed to."""
        checks = (
            (self.handle_time > timedelta(0), "handle time must be above zero"),
            (0 < self.share < 1, "the share of the target lies between 0 and 1, such as 80/20s"),
            (self.wait >= timedelta(0), "the wait of the target must not be negative"),
            (0 <= self.shrinkage < 1, "shrinkage lies between 0 and 1, 0.3 is thirty percent"),
            (0 < self.max_occupancy <= 1, "the occupancy cap lies between 0 and 1"),
            (self.patience is None or self.patience > timedelta(0), "patience must be above zero"),
        )
        for good, why in checks:
            if not good:
                raise BadInput(why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Staffing:
    """Agents for one interval.

    Attributes:
        agents: on the phones, by Erlang C and the occupancy cap.
        scheduled: with shrinkage, rounded up.
        queue: how callers fare if all wait.
        giving_up: how they fare with the same agents if some give up; None without patience.
        agents_giving_up: agents that would do then; None without patience.
    """

    calls: float
    agents: int
    scheduled: int
    queue: Queue
    giving_up: Queue | None = None
    agents_giving_up: int | None = None


def agents(calls: float, interval: timedelta, target: Target) -> Staffing:
    """Fewest agents that reach the target for `calls` in one interval.

    Raises:
        BadInput: the calls are negative or no number, or more agents would be needed than we count.
    """
    if not (math.isfinite(calls) and calls >= 0):
        raise BadInput(f"calls must be a number of 0 or more, got {calls}")
    if interval <= timedelta(0):
        raise BadInput("the interval must be above zero")
    handle, wait = target.handle_time.total_seconds(), target.wait.total_seconds()
    load = calls * handle / interval.total_seconds()
    n, lost = fewest(load, handle, wait, target)
    queue = erlang_c(load, n, handle, wait, lost)
    if target.patience is None:
        return Staffing(calls=calls, agents=n, scheduled=scheduled(n, target.shrinkage), queue=queue)
    patience = target.patience.total_seconds()
    return Staffing(
        calls=calls,
        agents=n,
        scheduled=scheduled(n, target.shrinkage),
        queue=queue,
        giving_up=erlang_a(load, n, handle, wait, patience),
        agents_giving_up=fewest_giving_up(load, n, target),
    )


def fewest(load: float, handle: float, wait: float, target: Target) -> tuple[int, float]:
    """Fewest agents by Erlang C, and Erlang B at that number."""
    if load == 0:
        return 0, 0.0
    least = math.ceil(load / target.max_occupancy - 1e-9)
    lost = 1.0
    for n in range(1, MOST_AGENTS):
        lost = load * lost / (n + load * lost)
        if n >= least and n > load and erlang_c(load, n, handle, wait, lost).service_level >= target.share:
            return n, lost
    raise BadInput(f"{load:.0f} erlangs need more than {MOST_AGENTS} agents")


def fewest_giving_up(load: float, enough: int, target: Target) -> int:
    """Fewest agents by Erlang A; `enough` by Erlang C are always enough."""
    if load == 0 or target.patience is None:
        return enough
    handle, wait, patience = (t.total_seconds() for t in (target.handle_time, target.wait, target.patience))

    def good(n: int) -> bool:
        queue = erlang_a(load, n, handle, wait, patience)
        return queue.service_level >= target.share and queue.occupancy <= target.max_occupancy + 1e-9

    low, high = 1, enough
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if good(middle) else (middle + 1, high)
    return high


def scheduled(on_phones: int, shrinkage: float) -> int:
    """How many must be scheduled so that that many are on the phones."""
    return math.ceil(on_phones / (1 - shrinkage) - 1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Need of one slot of a forecast; `cautious` covers the calls of a higher quantile."""

    start: datetime
    calls: float
    cautious_calls: float
    agents: int
    scheduled: int
    cautious_agents: int
    cautious_scheduled: int
    service_level: float
    service_level_if_cautious: float


def staff_forecast(forecast: Forecast, target: Target, *, cautious: str = "q80") -> list[Interval]:
    """Agents for each open slot of a forecast at the median and at a cautious quantile (q75, q80, q90 ...).

    `service_level_if_cautious` is what callers would meet with the median's agents if the cautious calls came.

    Raises:
        BadInput: the forecast's step is over an hour: agents are not counted for days.
    """
    if forecast.step > timedelta(hours=1):
        raise BadInput(f"agents are counted for steps of an hour or less, not for {forecast.step}")
    column = QUANTILE_NAMES.index(cautious)
    handle, wait = target.handle_time.total_seconds(), target.wait.total_seconds()
    out = []
    starts = local_starts_of(forecast)
    for start, quantiles in zip(starts, forecast.quantiles, strict=True):
        if np.isnan(quantiles[4]):
            continue
        calls, more = float(quantiles[4]), float(quantiles[column])
        need, needed = agents(calls, forecast.step, target), agents(more, forecast.step, target)
        load = more * handle / forecast.step.total_seconds()
        out.append(
            Interval(
                start=start,
                calls=calls,
                cautious_calls=more,
                agents=need.agents,
                scheduled=need.scheduled,
                cautious_agents=needed.agents,
                cautious_scheduled=needed.scheduled,
                service_level=need.queue.service_level,
                service_level_if_cautious=erlang_c(load, need.agents, handle, wait).service_level,
            )
        )
    return out


def local_starts_of(forecast: Forecast) -> list[datetime]:
    """Local starts of the forecast's slots."""
    from forecast.intraday import empty_like

    return [t.to_pydatetime() for t in local_starts(empty_like(forecast), 0, len(forecast.quantiles))]
