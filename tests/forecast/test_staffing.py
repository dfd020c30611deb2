from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput
from core.series import Known
from forecast.erlang import erlang_a, erlang_c
from forecast.registry import build
from forecast.staffing import Target, agents, staff_forecast
from tests.forecast.invented import hourly

HALF_HOUR = timedelta(minutes=30)
USUAL = Target(handle_time=timedelta(seconds=180))


def test_the_known_example() -> None:
    found = agents(100, HALF_HOUR, USUAL)
    assert (found.agents, found.scheduled) == (14, 20)
    assert found.queue.service_level == pytest.approx(0.888, abs=5e-4)
    assert found.queue.waiting == pytest.approx(0.174, abs=5e-4)
    assert found.queue.mean_wait == pytest.approx(7.8, abs=0.05)


@pytest.mark.parametrize(("n", "abandoned"), [(11, 0.094), (12, 0.06), (14, 0.023)])
def test_the_known_example_with_patience(n: int, abandoned: float) -> None:
    assert erlang_a(10, n, 180, 20, 120).abandoned == pytest.approx(abandoned, abs=2e-3)


@pytest.mark.parametrize(
    ("calls", "phones", "rostered", "levels"),
    [(10, 4, 6, (0.91, 0.88, 0.83)), (30, 8, 12, (0.86, 0.79, 0.63)), (100, 21, 30, (0.83, 0.63, 0.05))],
)
def test_sensitivity_as_measured_before(
    calls: float, phones: int, rostered: int, levels: tuple[float, float, float]
) -> None:
    target = Target(handle_time=timedelta(seconds=300), max_occupancy=0.85)
    found = agents(calls, HALF_HOUR, target)
    assert (found.agents, found.scheduled) == (phones, rostered)
    for more, level in zip((1.0, 1.1, 1.25), levels, strict=True):
        assert erlang_c(calls * more / 6, phones, 300, 20).service_level == pytest.approx(level, abs=0.006)


def test_erlang_a_against_a_simulated_queue() -> None:
    """An oracle that shares nothing with the formula: events drawn one by one."""
    rng = np.random.default_rng(3)
    free = np.zeros(4)
    clock, waits, gone, n = 0.0, 0, 0, 60_000
    for gap, work, patience in zip(
        rng.exponential(60.0, n), rng.exponential(200.0, n), rng.exponential(90.0, n), strict=True
    ):
        clock += gap
        first = int(np.argmin(free))
        wait = max(free[first] - clock, 0.0)
        if wait > patience:
            gone += 1
            continue
        waits += wait <= 20
        free[first] = clock + wait + work
    found = erlang_a(200 / 60, 4, 200, 20, 90)
    assert found.abandoned == pytest.approx(gone / n, abs=0.01)
    assert found.service_level == pytest.approx(waits / n, abs=0.01)


loads = st.floats(0.05, 400)


@settings(deadline=None)
@given(load=loads, spare=st.integers(1, 60), handle=st.floats(30, 900), wait=st.floats(0, 120))
def test_one_agent_more_never_hurts(load: float, spare: int, handle: float, wait: float) -> None:
    n = int(load) + spare
    for before, after in (
        (erlang_c(load, n, handle, wait), erlang_c(load, n + 1, handle, wait)),
        (erlang_a(load, n, handle, wait, 120), erlang_a(load, n + 1, handle, wait, 120)),
    ):
        assert after.service_level >= before.service_level - 1e-9
        assert after.waiting <= before.waiting + 1e-9
        assert after.mean_wait <= before.mean_wait + 1e-9
        assert after.occupancy <= before.occupancy + 1e-9
        assert after.abandoned <= before.abandoned + 1e-9
        assert 0 <= before.service_level <= 1
        assert 0 <= before.waiting <= 1


@settings(deadline=None)
@given(load=loads, spare=st.integers(1, 30))
def test_endless_patience_is_erlang_c(load: float, spare: int) -> None:
    n = int(load) + spare
    c, a = erlang_c(load, n, 180, 20), erlang_a(load, n, 180, 20, 1e9)
    if c.occupancy < 0.98:
        assert a.service_level == pytest.approx(c.service_level, abs=1e-3)
        assert a.waiting == pytest.approx(c.waiting, abs=1e-3)


@given(calls=st.floats(0, 3000), share=st.floats(0.5, 0.95), cap=st.floats(0.5, 1.0), shrink=st.floats(0, 0.6))
@settings(max_examples=60, deadline=None)
def test_the_fewest_agents_that_reach_the_target(calls: float, share: float, cap: float, shrink: float) -> None:
    target = Target(
        handle_time=timedelta(seconds=240),
        share=share,
        max_occupancy=cap,
        shrinkage=shrink,
        patience=timedelta(minutes=3),
    )
    found = agents(calls, HALF_HOUR, target)
    load = calls * 240 / 1800
    if calls == 0:
        assert found.agents == 0
        return
    assert found.queue.service_level >= share
    assert found.queue.occupancy <= cap + 1e-9
    fewer = erlang_c(load, found.agents - 1, 240, 20) if found.agents > 1 else None
    assert fewer is None or fewer.service_level < share or fewer.occupancy > cap - 1e-9
    assert found.scheduled * (1 - shrink) >= found.agents - 1e-6
    assert found.agents_giving_up is not None
    assert found.agents_giving_up <= found.agents


def test_ten_thousand_agents_are_counted_without_overflow() -> None:
    found = agents(99_000, HALF_HOUR, USUAL)
    assert 9_900 < found.agents < 10_100
    assert 0.8 <= found.queue.service_level < 0.9
    crowded = erlang_a(12_000, 10_000, 180, 20, 3600)
    assert crowded.abandoned == pytest.approx(1 / 6, abs=1e-3)


@pytest.mark.parametrize("calls", [-1.0, float("nan"), float("inf")])
def test_calls_that_are_no_count_are_refused(calls: float) -> None:
    with pytest.raises(BadInput, match="calls must be"):
        agents(calls, HALF_HOUR, USUAL)


def test_a_whole_forecast_is_staffed_at_median_and_cautious() -> None:
    line = hourly(12, office_hours=True)
    made = build("mean of 8 weeks").forecast(line, Known(), line.start + timedelta(weeks=12), 168)
    plan = staff_forecast(made, USUAL, cautious="q90")
    assert len(plan) == 45, "closed hours need nobody"
    assert all(p.cautious_agents >= p.agents and p.cautious_calls >= p.calls for p in plan)
    assert all(p.service_level >= 0.8 and p.service_level_if_cautious <= p.service_level + 1e-9 for p in plan)
    assert {p.start.hour for p in plan} == set(range(8, 17))
