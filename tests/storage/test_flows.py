"""Calls and forecasts."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from core.series import QUANTILES, Calls, Forecast
from storage import calls, forecasts
from storage.calls import Imported
from storage.engine import Store
from tests.conftest import NOW
from tests.storage.build import HOUR

STEP = timedelta(minutes=30)


def counted(n: int = 0, offered: float = 10, recorded: int = 0, queue: str = "water") -> Calls:
    return Calls(
        queue=queue,
        start=NOW + n * STEP,
        step=STEP,
        offered=offered,
        recorded_at=NOW + recorded * HOUR,
        handle_time=180,
    )


def add(store: Store, *records: Calls) -> Imported:
    with store.write() as tx:
        return calls.add(tx, records)


def test_a_file_imported_twice_is_imported_once(store: Store) -> None:
    records = [counted(n) for n in range(700)]
    assert add(store, *records) == Imported(new=700, corrected=0, same=0)
    later = [replace(r, recorded_at=NOW + HOUR) for r in records]
    assert add(store, *later) == Imported(new=0, corrected=0, same=700)
    with store.read() as read:
        assert calls.series(read, "water") == records
        assert (calls.queues(read), calls.newest(read)) == (["water"], records[-1].start)


def test_a_correction_adds_and_the_newest_counts(store: Store) -> None:
    add(store, counted(0, 10), counted(1, 20))
    assert add(store, counted(0, 12, recorded=2)) == Imported(new=0, corrected=1, same=0)
    add(store, counted(0, 99, recorded=1))  # an older file that comes late
    with store.read() as read:
        assert [c.offered for c in calls.series(read, "water")] == [12, 20]
        assert [c.offered for c in calls.series(read, "water", known_at=NOW)] == [10, 20]
        assert [c.offered for c in calls.series(read, "water", known_at=NOW + HOUR)] == [99, 20]
        assert calls.series(read, "water", known_at=NOW - HOUR) == []


def test_spans_are_half_open_and_queues_apart(store: Store) -> None:
    add(store, *(counted(n) for n in range(4)), counted(0, 1, queue="roads"))
    with store.read() as read:
        assert [c.start for c in calls.series(read, "water", NOW + STEP, NOW + 3 * STEP)] == [
            NOW + STEP,
            NOW + 2 * STEP,
        ]
        assert calls.newest(read, "roads") == NOW
        assert calls.newest(read, "parks") is None


def test_corrections_within_one_file(store: Store) -> None:
    assert add(store, counted(0, 3, 2), counted(0, 1, 0), counted(0, 2, 1)) == Imported(new=1, corrected=2, same=0)
    with store.read() as read:
        assert [c.offered for c in calls.series(read, "water")] == [3]


def made(seed: int = 1, steps: int = 4, made_at: int = 0) -> Forecast:
    rng = np.random.default_rng(seed)
    quantiles = np.sort(rng.gamma(2, 5, size=(steps, len(QUANTILES))), axis=1)
    quantiles[0] = np.nan
    return Forecast(
        series="water",
        start=NOW,
        step=STEP,
        timezone="America/New_York",
        quantiles=quantiles,
        spike_probability=rng.random(steps),
        made_at=NOW + made_at * HOUR,
        model="blend",
        notes=("less than a year",),
        details={"weights": [0.5, 0.5]},
    )


def same(a: Forecast, b: Forecast) -> bool:
    plain = ("series", "start", "step", "timezone", "made_at", "model", "notes", "details")
    return (
        all(getattr(a, name) == getattr(b, name) for name in plain)
        and np.array_equal(a.quantiles, b.quantiles, equal_nan=True)
        and np.array_equal(a.spike_probability, b.spike_probability)
    )


def test_a_forecast_comes_back_as_it_was_made(store: Store) -> None:
    with store.write() as tx:
        first = forecasts.add(tx, made(), NOW)
        assert forecasts.add(tx, made(seed=2), NOW) == first
        forecasts.add(tx, made(seed=3, made_at=1), NOW)
    with store.read() as read:
        latest = forecasts.latest(read, "water")
        before = forecasts.latest(read, "water", made_before=NOW)
        assert [f.made_at for f in forecasts.made_between(read, "water", NOW, NOW + HOUR)] == [NOW]
        assert forecasts.latest(read, "roads") is None
        assert forecasts.names(read) == ["water"]
    assert latest is not None
    assert before is not None
    assert same(latest, made(seed=3, made_at=1))
    assert same(before, made())


def test_a_forecast_is_frozen(store: Store) -> None:
    with store.write() as tx:
        forecasts.add(tx, made(), NOW)
    with pytest.raises(DatabaseError, match="never changed"), store.write() as tx:
        tx.execute(text("UPDATE forecast SET model = 'better'"))


@settings(max_examples=20)
@given(st.integers(0, 2**31), st.integers(1, 50))
def test_any_forecast_survives_the_bytes(seed: int, steps: int) -> None:
    one = made(seed, steps)
    row = forecasts._row(one, NOW)
    assert len(row["quantiles"]) == steps * len(QUANTILES) * 8
    assert np.array_equal(np.frombuffer(row["quantiles"], "<f8").reshape(steps, -1), one.quantiles, equal_nan=True)
