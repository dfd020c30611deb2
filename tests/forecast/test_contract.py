"""What every forecaster must keep, just by being registered."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import BadInput
from core.series import Forecast, Known, Series, Slot
from forecast.registry import FORECASTERS, build
from forecast.wall import local_starts
from tests.forecast.invented import DAY, daily, hourly

ALL = sorted(FORECASTERS)
KNOWN = Known(country="US", subdivision="IL")


def same(a: Forecast, b: Forecast) -> bool:
    return (
        np.array_equal(a.quantiles, b.quantiles, equal_nan=True)
        and np.array_equal(a.spike_probability, b.spike_probability, equal_nan=True)
        and (a.notes, a.details, a.start, a.model) == (b.notes, b.details, b.start, b.model)
    )


@pytest.fixture(scope="module")
def desk() -> Series:
    return daily(170)


@pytest.fixture(scope="module")
def office() -> Series:
    return hourly(17, office_hours=True)


@pytest.mark.parametrize("name", ALL)
def test_bands_never_cross_and_are_never_negative(name: str, desk: Series) -> None:
    origin = desk.start + 165 * DAY
    made = build(name).forecast(desk, KNOWN, origin, 10)
    assert made.quantiles.shape == (10, 10)
    assert made.spike_probability.shape == (10,)
    assert (np.diff(made.quantiles, axis=1) >= 0).all()
    assert (made.quantiles >= 0).all()
    assert ((made.spike_probability >= 0) & (made.spike_probability <= 1)).all()
    assert (made.series, made.start, made.step, made.made_at) == ("desk", origin, DAY, origin)


@pytest.mark.parametrize("name", ALL)
def test_the_same_question_has_the_same_answer_and_it_is_plain_json(name: str, desk: Series) -> None:
    origin = desk.start + 160 * DAY
    first, second = (build(name).forecast(desk, KNOWN, origin, 7) for _ in range(2))
    assert same(first, second)
    assert json.loads(json.dumps(first.details, allow_nan=False)) == first.details


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(day=st.integers(130, 165), seed=st.integers(0, 1000))
def test_nothing_at_or_after_the_origin_changes_a_daily_forecast(name: str, desk: Series, day: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, state = desk.values.copy(), desk.state.copy()
    values[day:] = rng.choice([np.nan, 0.0, 1e6], len(values) - day)
    state[day:] = rng.choice([0, 1, 2], len(values) - day)
    other = replace(desk, values=values, state=state)
    origin = desk.start + day * DAY
    assert same(build(name).forecast(desk, KNOWN, origin, 7), build(name).forecast(other, KNOWN, origin, 7))


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hours=st.integers(16 * 168 + 1, 16 * 168 + 70), seed=st.integers(0, 1000))
def test_nothing_at_or_after_the_origin_changes_an_hourly_forecast(
    name: str, office: Series, hours: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    values, state = office.values.copy(), office.state.copy()
    values[hours:] = rng.integers(0, 500, len(values) - hours)
    state[hours:] = Slot.OPEN
    other = replace(office, values=values, state=state)
    signal = rng.random(len(office))
    loud = np.where(np.arange(len(office)) < hours, signal, 1e3)
    origin = local_starts(office, hours, 1)[0].to_pydatetime()
    first = build(name).forecast(office, replace(KNOWN, signals=(("talk", signal),)), origin, 30)
    second = build(name).forecast(other, replace(KNOWN, signals=(("talk", loud),)), origin, 30)
    assert same(first, second)


@pytest.mark.parametrize("name", ALL)
def test_closed_hours_have_no_forecast_and_open_ones_do(name: str, office: Series) -> None:
    origin = local_starts(office, 16 * 168, 1)[0].to_pydatetime()
    made = build(name).forecast(office, KNOWN, origin, 168)
    starts = local_starts(office, 16 * 168, 168)
    inside = (starts.hour >= 8) & (starts.hour <= 16) & (starts.dayofweek < 5)
    assert np.array_equal(~np.isnan(made.quantiles[:, 4]), inside)
    assert np.array_equal(np.isnan(made.spike_probability), ~inside)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(("month", "day", "slots"), [(3, 9, 23), (11, 2, 25)])
def test_days_on_which_the_clock_changes(name: str, month: int, day: int, slots: int) -> None:
    start = datetime(2025, month, day, tzinfo=hourly(1).start.tzinfo) - timedelta(weeks=9)
    line = hourly(10, start=start)
    origin = datetime(2025, month, day, tzinfo=start.tzinfo)
    made = build(name).forecast(line, KNOWN, origin, 48)
    assert np.isfinite(made.quantiles).all()
    noon = [i for i, t in enumerate(local_starts(line, 0, 9 * 168 + 120)) if t.hour == 12 and t.date() == origin.date()]
    begin = [i for i, t in enumerate(local_starts(line, 0, 9 * 168 + 120)) if t.date() == origin.date()]
    assert len(begin) == slots
    busiest = int(np.argmax(made.quantiles[:slots, 4])) + begin[0]
    assert abs(busiest - noon[0]) <= 3, "the rhythm follows the local clock"


@pytest.mark.parametrize("name", ALL)
def test_gaps_are_not_taken_for_silence(name: str, desk: Series) -> None:
    values, state = desk.values.copy(), desk.state.copy()
    gap = np.random.default_rng(5).choice(160, 40, replace=False)
    values[gap], state[gap] = np.nan, Slot.MISSING
    origin = desk.start + 163 * DAY
    full = build(name).forecast(desk, KNOWN, origin, 7).quantiles[:, 4].sum()
    holes = build(name).forecast(replace(desk, values=values, state=state), KNOWN, origin, 7).quantiles[:, 4].sum()
    assert holes == pytest.approx(full, rel=0.2)


@pytest.mark.parametrize("name", ALL)
def test_too_short_a_history_is_an_error_that_names_the_series(name: str) -> None:
    with pytest.raises(BadInput, match=r"desk: 9 days .* too short"):
        build(name).forecast(daily(9), KNOWN, daily(9).start + 9 * DAY, 7)


@pytest.mark.parametrize("name", ALL)
def test_a_short_history_still_gets_a_forecast(name: str) -> None:
    short = daily(30)
    made = build(name).forecast(short, KNOWN, short.start + 30 * DAY, 7)
    assert np.isfinite(made.quantiles).all()
    if name in ("openear", "GLM", "boosted", "blend"):
        assert any("only 30 days" in note for note in made.notes)


@pytest.mark.parametrize("name", ALL)
def test_a_series_of_zeros_is_forecast_as_zero(name: str) -> None:
    quiet = replace(daily(120), values=np.zeros(120))
    made = build(name).forecast(quiet, KNOWN, quiet.start + 120 * DAY, 7)
    assert made.quantiles[:, 4] == pytest.approx(np.zeros(7), abs=0.3)
