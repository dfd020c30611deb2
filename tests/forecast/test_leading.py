"""The gate on SIMULATED calls and mentions: no real pair with a lead is known."""

from datetime import timedelta

import numpy as np
import pytest

from core.series import Known
from forecast.leading import align, judge
from forecast.naive import MEAN_8_WEEKS
from forecast.product import Pipeline
from forecast.wall import Wall, lay
from tests.forecast.invented import end_of, hourly

WEEKS = 26


def simulated(seed: int, lead: int) -> tuple[np.ndarray, np.ndarray]:
    """Hourly calls and mentions with an event a week; mentions come `lead` hours before, or unrelated if lead is 0."""
    rng = np.random.default_rng(seed)
    n = WEEKS * 168
    rate = 20 * (0.5 + 0.5 * np.sin(2 * np.pi * np.arange(n) / 24) ** 2)
    talk = np.full(n, 4.0)
    for week in range(WEEKS):
        for _ in range(2):
            at = week * 168 + int(rng.integers(10, 150))
            rate[at : at + 8] *= 2.5
            said = at - lead if lead else week * 168 + int(rng.integers(10, 150))
            talk[said : said + 6] += 25
    return rng.poisson(rate).astype(float), rng.poisson(talk).astype(float)


def wall_of(calls: np.ndarray) -> Wall:
    series = hourly(WEEKS, timezone="UTC")
    return Wall(calls, 24, series.start.date())


@pytest.mark.parametrize("seed", [1, 2])
def test_the_gate_opens_on_a_simulated_lead_of_two_hours(seed: int) -> None:
    calls, talk = simulated(seed, lead=2)
    verdict = judge(wall_of(calls), talk, "mentions")
    assert verdict.used
    assert verdict.low is not None
    assert verdict.low > 0
    assert len(verdict.moves) == 6
    assert "mentions is used" in verdict.sentence()


def test_the_gate_stays_shut_without_a_lead() -> None:
    opened = [judge(wall_of(calls), talk, "mentions").used for calls, talk in (simulated(s, lead=0) for s in range(20))]
    assert sum(opened) <= 1


def test_a_short_common_past_keeps_the_gate_shut() -> None:
    calls, talk = simulated(1, lead=2)
    talk[: -60 * 24] = np.nan
    verdict = judge(wall_of(calls), talk, "mentions")
    assert not verdict.used
    assert "fewer than 90 days" in verdict.sentence()


def test_a_forecast_says_what_became_of_the_signal() -> None:
    line = hourly(WEEKS, timezone="UTC")
    _, talk = simulated(3, lead=0)
    known = Known(signals=(("mentions", talk),))
    made = Pipeline("plain", (MEAN_8_WEEKS,)).forecast(line, known, end_of(line), 24)
    assert made.details is not None
    assert made.details["signals"][0]["used"] is False
    assert any("mentions is shown, not used" in note for note in made.notes)


def test_a_finer_signal_is_added_up_on_the_slots_of_the_calls() -> None:
    line = hourly(4, timezone="UTC")
    fine = hourly(4, timezone="UTC", name="talk", seed=9)
    later = type(fine)(
        name="talk",
        start=line.start + timedelta(hours=5),
        step=timedelta(minutes=30),
        timezone="UTC",
        values=np.ones(20),
        state=np.zeros(20, dtype=np.int8),
    )
    aligned = align(line, later)
    assert np.isnan(aligned[:5]).all()
    assert aligned[5:15].tolist() == [2.0] * 10
    assert np.isnan(aligned[15:]).all()
    assert lay(line, end_of(line))[0].per_day == 24
