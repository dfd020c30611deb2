import numpy as np
import pytest

from forecast.bursts import Rule, chance_of, detect


def quiet_weeks(rate: float, seed: int = 4, hours: int = 24 * 90) -> np.ndarray:
    return np.random.default_rng(seed).poisson(rate, hours).astype(float)


def test_a_clear_burst_is_found_once_and_explained() -> None:
    counts = quiet_weeks(6.0)
    counts[1000:1004] = 60
    found = detect(counts, (counts * 0.8).astype(int))
    assert [b.hour for b in found] == [1000]
    assert 1 <= found[0].severity <= 10
    assert "60 mentions by 48 people" in found[0].sentence()


@pytest.mark.parametrize("rate", [0.2, 1.0, 6.0, 40.0])
def test_quiet_months_are_quiet(rate: float) -> None:
    counts = quiet_weeks(rate)
    assert len(detect(counts, counts.astype(int))) <= 1


def test_one_loud_person_is_no_burst() -> None:
    counts = quiet_weeks(3.0)
    counts[800] = 50
    authors = np.minimum(counts, 3).astype(int)
    assert not detect(counts, authors)
    assert [b.hour for b in detect(counts, np.where(counts > 40, 5, authors))] == [800]


def test_a_burst_is_judged_by_the_hours_before_it_alone() -> None:
    counts = quiet_weeks(5.0)
    counts[500] = 40
    later = counts.copy()
    later[501:] = 0
    assert detect(counts, counts.astype(int))[0] == detect(later, later.astype(int))[0]


def test_hours_not_fetched_are_not_hours_of_silence() -> None:
    counts = quiet_weeks(30.0)
    counts[300:460] = np.nan
    assert not detect(counts, np.nan_to_num(counts).astype(int))


def test_a_second_report_waits_for_the_cool_down_unless_it_doubles() -> None:
    counts = quiet_weeks(6.0)
    counts[700], counts[703], counts[705] = 50, 60, 130
    assert [b.hour for b in detect(counts, counts.astype(int), Rule(cool_down=6))] == [700, 705]


def test_the_tail_is_a_chance_and_falls_with_the_count() -> None:
    tails = [chance_of(count, 2.0, 5.0) for count in range(30)]
    assert tails == sorted(tails, reverse=True)
    assert all(0 <= tail <= 1 for tail in tails)
    assert chance_of(10, 2.0, 5.0) > chance_of(10, 2.0, 2.0), "scatter makes high counts less strange"
