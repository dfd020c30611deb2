import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.conformal import learn


def sample(seed: int, scatter: float, n: int = 4000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    mean = rng.uniform(3, 400, n)
    lead = rng.integers(0, 10, n)
    noise = np.exp(rng.normal(0, scatter * (1 + 0.5 * (lead > 6)), n))
    return rng.poisson(mean * noise).astype(float), mean, lead


@pytest.mark.parametrize("scatter", [0.01, 0.2, 0.5])
def test_bands_cover_what_they_promise_on_errors_not_seen(scatter: float) -> None:
    bands = learn(*sample(1, scatter))
    came, mean, lead = sample(2, scatter)
    quantiles = bands.quantiles(mean, lead)
    for low, high, promised in ((2, 7, 0.8), (0, 9, 0.95), (1, 8, 0.9)):
        inside = (came >= quantiles[:, low]) & (came <= quantiles[:, high])
        assert inside.mean() == pytest.approx(promised, abs=0.03)
        assert inside[lead > 6].mean() == pytest.approx(promised, abs=0.05)


def test_the_chance_above_a_threshold_is_how_often_it_happens() -> None:
    bands = learn(*sample(3, 0.3))
    came, mean, lead = sample(4, 0.3)
    chance = bands.chance_above(mean, 1.25 * mean, lead)
    assert chance.mean() == pytest.approx((came > 1.25 * mean).mean(), abs=0.02)


@settings(deadline=None)
@given(
    means=st.lists(st.floats(0, 1e5), min_size=1, max_size=20),
    errors=st.lists(st.floats(0, 1e4), min_size=0, max_size=50),
)
def test_quantiles_never_cross_whatever_was_learned(means: list[float], errors: list[float]) -> None:
    came = np.array(errors)
    bands = learn(came, np.full(len(came), 10.0), np.zeros(len(came), dtype=np.int64))
    quantiles = bands.quantiles(np.array(means), np.zeros(len(means), dtype=np.int64))
    assert np.isfinite(quantiles).all()
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert (quantiles >= 0).all()


def test_unknown_outcomes_are_left_out() -> None:
    came, mean, lead = sample(5, 0.2)
    holes = came.copy()
    holes[::2] = np.nan
    half = learn(came[1::2], mean[1::2], lead[1::2])
    assert np.array_equal(learn(holes, mean, lead).shape, half.shape)
