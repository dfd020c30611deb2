from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput
from core.series import Calls, Slot
from forecast.series import from_calls
from forecast.wall import lay, local_starts, positions, slot_number
from tests.forecast.invented import HOUR, daily, hourly

NOW = datetime(2025, 6, 2, 12, tzinfo=UTC)


def call(hour: int, offered: float, *, late: int = 0, queue: str = "roads") -> Calls:
    start = datetime(2025, 6, 2, tzinfo=UTC) + hour * HOUR
    return Calls(queue=queue, start=start, step=HOUR, offered=offered, recorded_at=start + HOUR * (1 + late))


def test_a_correction_counts_once_it_is_known() -> None:
    calls = [call(0, 5), call(1, 6), call(2, 7), call(1, 60, late=5)]
    assert from_calls(calls, timezone="UTC").values.tolist() == [5, 60, 7]
    early = from_calls(calls, timezone="UTC", until=datetime(2025, 6, 2, 3, tzinfo=UTC))
    assert early.values.tolist() == [5, 6, 7]


def test_opening_hours_close_the_rest() -> None:
    calls = [call(h, 3) for h in range(72)]
    series = from_calls(calls, timezone="UTC", hours={"mon": "08:00-17:00", "tue": "08:00-17:00"})
    states = series.state.reshape(3, 24)
    assert (states[:2, 8:17] == Slot.OPEN).all()
    assert (states[:2, :8] == Slot.CLOSED).all()
    assert (states[2] == Slot.CLOSED).all()
    assert np.isnan(series.values[states.ravel() == Slot.CLOSED]).all()


def test_calls_of_two_queues_are_no_series() -> None:
    with pytest.raises(BadInput, match="one queue"):
        from_calls([call(0, 1), call(1, 1, queue="tax")], timezone="UTC")
    with pytest.raises(BadInput, match="no calls"):
        from_calls([], timezone="UTC")


@settings(deadline=None)
@given(number=st.integers(0, 18 * 168))
def test_slot_numbers_and_starts_are_each_others_inverse(number: int) -> None:
    line = hourly(18)
    start = local_starts(line, number, 1)[0].to_pydatetime()
    assert slot_number(line, start) == number
    assert slot_number(line, start + timedelta(minutes=1)) == number + 1


def test_days_start_at_local_midnight_on_both_sides_of_the_clock_change() -> None:
    desk = daily(100, timezone="America/Chicago")
    starts = local_starts(desk, 0, 100)
    assert set(starts.hour) == {0}
    assert slot_number(desk, starts[90].to_pydatetime()) == 90
    assert positions(desk, 0, 100).tolist() == list(range(100))


def test_the_wall_holds_the_mean_of_an_hour_that_came_twice_and_a_gap_for_one_that_never_came() -> None:
    autumn = hourly(2, start=datetime(2025, 10, 27, tzinfo=hourly(1).start.tzinfo))
    wall, _ = lay(autumn, datetime(2025, 11, 5, tzinfo=UTC))
    at = 6 * 24
    assert wall.values[at + 1] == pytest.approx(autumn.values[at + 1 : at + 3].mean())
    assert wall.values[at + 2] == autumn.values[at + 3]
    spring = hourly(2, start=datetime(2025, 3, 3, tzinfo=hourly(1).start.tzinfo))
    wall, _ = lay(spring, datetime(2025, 3, 14, tzinfo=UTC))
    assert np.isnan(wall.values[at + 2])
    assert wall.values[at + 3] == spring.values[at + 2]
