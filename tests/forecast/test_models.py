"""The parts: calendar model, holidays, closures, carry-over, intraday, spikes."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sklearn.linear_model import PoissonRegressor

from core.errors import BadInput
from core.series import Known
from forecast import blend, intraday
from forecast.calendar import calendar_for
from forecast.closures import observe
from forecast.glm import Glm
from forecast.naive import MEAN_8_WEEKS
from forecast.product import Pipeline, Product
from forecast.wall import Wall
from tests.forecast.invented import DAY, HOUR, daily, hourly

MONDAY = date(2025, 1, 6)


def test_the_calendar_model_agrees_with_poisson_regression_of_scikit_learn() -> None:
    """An oracle: the same weekly shape from another solver, on data without season or holidays."""
    rng = np.random.default_rng(1)
    days = 26 * 7
    rate = np.array([200, 180, 170, 160, 150, 60, 40.0])
    values = rng.poisson(rate[np.arange(days) % 7]).astype(float)
    wall = Wall(values, 1, MONDAY)
    calendar = calendar_for(MONDAY, days + 30, Known(country=""))
    ours = Glm().fit(wall, calendar, 7).path(wall, calendar, 7)
    columns = np.eye(7)[np.arange(days) % 7]
    weights = 0.5 ** ((days - 1 - np.arange(days)) / 182)
    theirs = PoissonRegressor(alpha=1e-5).fit(columns, values, sample_weight=weights).predict(np.eye(7))
    assert ours == pytest.approx(theirs, rel=0.03)


def test_a_holiday_without_calls_is_learned_and_its_next_year_is_closed() -> None:
    days = 800
    calendar = calendar_for(MONDAY, days + 40, Known(subdivision="IL"))
    values = np.random.default_rng(2).poisson(100, days).astype(float)
    values[calendar.holiday[:days] > 0] = 0.0
    seen = observe(calendar, Wall(values, 1, MONDAY))
    assert seen.closed[:days].sum() == (calendar.holiday[:days] > 0).sum()
    assert (seen.closed[days:] == (calendar.holiday[days:] > 0)).all()


def test_a_holiday_that_is_worked_stays_open() -> None:
    calendar = calendar_for(MONDAY, 800, Known(subdivision="IL"))
    values = np.random.default_rng(2).poisson(100, 760).astype(float)
    assert not observe(calendar, Wall(values, 1, MONDAY)).closed.any()


def test_a_quieter_holiday_is_forecast_quieter() -> None:
    days = 530
    calendar = calendar_for(MONDAY, days + 40, Known(subdivision=None))
    rate = np.where(calendar.holiday[:days] > 0, 50, 100)
    desk = replace(daily(days), values=np.random.default_rng(3).poisson(rate).astype(float))
    juneteenth = (date(2026, 6, 19) - MONDAY).days
    path = Pipeline("g", (Glm(),), carry=False).forecast(desk, Known(), desk.start + (juneteenth - 3) * DAY, 7)
    assert path.quantiles[3, 4] < 75 < path.quantiles[2, 4]


def test_a_closed_day_and_an_event_the_agency_tells_of() -> None:
    desk = daily(150)
    origin = desk.start + 150 * DAY
    plain = Product().forecast(desk, Known(), origin, 7).quantiles[:, 4]
    told = Known(closed_days=frozenset({"2025-06-06"}), events=(("2025-06-07", "tax letters", 2.0),))
    moved = Product().forecast(desk, told, origin, 7).quantiles[:, 4]
    assert origin.date() == date(2025, 6, 5)
    assert np.isnan(moved[1])
    assert moved[2] > 1.4 * plain[2]
    assert moved[3] == pytest.approx(plain[3], rel=0.05)


def test_an_unknown_country_is_bad_input() -> None:
    with pytest.raises(BadInput, match="no public holidays are known for XX"):
        calendar_for(MONDAY, 10, Known(country="XX"))


def test_weights_follow_past_errors_and_the_calendar_model_leads_in_the_first_year() -> None:
    models = Product().models
    errors = np.tile([2.0, 1.0], (12, 1))
    assert blend.weights(errors, models, 800) == pytest.approx([1 / 17, 16 / 17])
    assert blend.weights(errors, models, 200) == pytest.approx([0.7, 0.3])
    assert blend.weights(errors[:5], models, 800) == pytest.approx([0.5, 0.5])


def test_surprise_is_carried_only_if_it_lasted_before() -> None:
    rng = np.random.default_rng(4)
    eves = rng.normal(0, 0.3, 40)
    lasting = np.stack([0.5 * eves, 0.2 * eves], axis=1)
    assert blend.carry(eves, lasting) == pytest.approx([0.5, 0.2], abs=0.05)
    assert blend.carry(eves, rng.normal(0, 0.05, (40, 2))).max() < 0.1


def busy_days_line() -> tuple[np.ndarray, np.ndarray]:
    line = hourly(16, timezone="UTC")
    mood = np.repeat(np.random.default_rng(6).lognormal(0, 0.4, 16 * 7), 24)
    return np.random.default_rng(7).poisson(line.values * mood).astype(float), mood


def test_a_day_that_starts_high_moves_the_rest_of_it_and_not_tomorrow() -> None:
    values, _ = busy_days_line()
    line = replace(hourly(16, timezone="UTC"), values=values)
    night = line.start + timedelta(weeks=15)
    frozen = Pipeline("m", (MEAN_8_WEEKS,)).forecast(line, Known(), night, 48)
    assert frozen.details is not None
    assert max(frozen.details["intraday"]) > 0.5, "on these days the morning tells of the afternoon"
    busy = values.copy()
    busy[15 * 168 : 15 * 168 + 11] = 2.0 * frozen.quantiles[:11, 4]
    now = night + 11 * HOUR
    moved = intraday.update(frozen, replace(line, values=busy), now)
    assert moved.start == now
    assert len(moved.quantiles) == 37
    assert (moved.quantiles[:13, 4] > 1.3 * frozen.quantiles[11:24, 4]).all()
    assert np.array_equal(moved.quantiles[13:], frozen.quantiles[24:])
    assert "today is running" in moved.notes[-1]
    assert intraday.update(frozen, line, night).quantiles.shape == frozen.quantiles.shape


def test_the_update_reads_nothing_after_now() -> None:
    values, _ = busy_days_line()
    line = replace(hourly(16, timezone="UTC"), values=values)
    night = line.start + timedelta(weeks=15)
    frozen = Pipeline("m", (MEAN_8_WEEKS,)).forecast(line, Known(), night, 48)
    other = values.copy()
    other[15 * 168 + 9 :] = 999.0
    now = night + 9 * HOUR
    first, second = (intraday.update(frozen, replace(line, values=v), now) for v in (values, other))
    assert np.array_equal(first.quantiles, second.quantiles)


def test_spikes_are_as_likely_as_they_were() -> None:
    """A series that jumps on a tenth of its days: the chances said add up to about the jumps that came."""
    rng = np.random.default_rng(8)
    days = 500
    jumps = rng.random(days) < 0.1
    desk = replace(daily(days), values=rng.poisson(np.where(jumps, 200, 100)).astype(float))
    said, came = 0.0, 0
    for day in range(330, 490, 7):
        made = Pipeline("m", (MEAN_8_WEEKS,), spike_ratio=1.5).forecast(
            desk, Known(country=""), desk.start + day * DAY, 7
        )
        said += made.spike_probability.sum()
        came += int(jumps[day : day + 7].sum())
    assert said == pytest.approx(came, rel=0.4)


def test_days_carry_a_risk_of_their_own() -> None:
    line = hourly(12, office_hours=True)
    made = Product().forecast(line, Known(), datetime(2025, 3, 31, tzinfo=ZoneInfo("America/Chicago")), 168)
    assert made.details is not None
    days = made.details["days"]
    assert [d["date"] for d in days[:2]] == ["2025-03-31", "2025-04-01"]
    assert days[5]["expected"] == 0 == days[5]["probability"]
    assert days[0]["low"] < days[0]["expected"] < days[0]["high"]
    assert days[0]["expected"] == pytest.approx(np.nansum(made.quantiles[:24, 4]), rel=0.2)
