"""Queues with Poisson arrivals and exponential handle times: Erlang C (everyone waits) and Erlang A (some give up).

Erlang C by the stable recursion of Erlang B, Erlang A by its state probabilities on the log scale: both hold to ten
thousand agents and more. Times are in seconds; load is calls in progress if nobody waited (erlangs).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, gammaln

NEGLIGIBLE = 45.0
LONGEST_QUEUE = 2_000_000


@dataclass(frozen=True, slots=True)
class Queue:
    """How a number of agents fares.

    Attributes:
        service_level: share of calls answered within the target wait.
        waiting: chance that a call has to wait.
        mean_wait: average speed of answer, seconds; infinite if agents cannot keep up and nobody gives up.
        occupancy: share of their time agents spend on calls.
        abandoned: share of callers who give up; 0 in Erlang C.
    """

    service_level: float
    waiting: float
    mean_wait: float
    occupancy: float
    abandoned: float = 0.0


def blocking(load: float, agents: int) -> float:
    """Erlang B: chance that all agents are busy if nobody may wait."""
    chance = 1.0
    for n in range(1, agents + 1):
        chance = load * chance / (n + load * chance)
    return chance


def waiting_chance(load: float, agents: int, lost: float) -> float:
    """Erlang C from Erlang B (`lost`): chance that a caller waits."""
    if load >= agents:
        return 1.0
    return agents * lost / (agents - load * (1 - lost))


def erlang_c(load: float, agents: int, handle_time: float, target_wait: float, lost: float | None = None) -> Queue:
    """Every caller waits until answered."""
    if load == 0:
        return Queue(1.0, 0.0, 0.0, 0.0)
    if load >= agents:
        return Queue(0.0, 1.0, float("inf"), 1.0)
    waiting = waiting_chance(load, agents, blocking(load, agents) if lost is None else lost)
    spare = agents - load
    return Queue(
        service_level=1 - waiting * float(np.exp(-spare * target_wait / handle_time)),
        waiting=waiting,
        mean_wait=waiting * handle_time / spare,
        occupancy=load / agents,
    )


def erlang_a(load: float, agents: int, handle_time: float, target_wait: float, patience: float) -> Queue:
    """Callers give up after an exponential patience of that mean.

    With j callers before one, the wait offered to him is -ln(B) * patience, B ~ Beta(c, j + 1), c = agents * patience /
    handle_time: so service level and abandonment are sums over the queue's states, without approximation.
    """
    if load == 0:
        return Queue(1.0, 0.0, 0.0, 0.0)
    log, queued = states(load, agents, handle_time, patience)
    chance = np.exp(log - log.max())
    chance /= chance.sum()
    at_queue = chance[agents:]
    if agents == 0:
        return Queue(0.0, 1.0, patience, 0.0, 1.0)
    served_share = agents * patience / handle_time
    stays = served_share / (served_share + queued + 1)
    late = betainc(served_share + 1, queued + 1, np.exp(-target_wait / patience))
    abandoned = float((at_queue * (1 - stays)).sum())
    return Queue(
        service_level=min(float(chance[:agents].sum() + (at_queue * stays * (1 - late)).sum()), 1.0),
        waiting=float(at_queue.sum()),
        mean_wait=abandoned * patience,
        occupancy=min(load * (1 - abandoned) / agents, 1.0),
        abandoned=abandoned,
    )


def states(
    load: float, agents: int, handle_time: float, patience: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Log weights of 0, 1, ... calls present, and how many wait in the states from `agents` on."""
    give_up = handle_time / patience
    middle = max(load - agents, 0.0) / give_up
    longest = middle + NEGLIGIBLE * np.sqrt(load / give_up + 1) + 60
    if agents > load:
        longest = min(longest, NEGLIGIBLE / np.log(agents / load) + 1)
    longest = int(min(longest, LONGEST_QUEUE))
    busy = np.arange(agents + 1)
    log = busy * np.log(load) - gammaln(busy + 1)
    queued = np.arange(longest + 1, dtype=np.float64)
    steps = np.log(load) - np.log(agents + queued[1:] * give_up)
    return np.concatenate([log, log[-1] + np.cumsum(steps)]), queued
