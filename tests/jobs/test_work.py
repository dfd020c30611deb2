"""What is done next after an error, and when."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import (
    BadInput,
    CaseRefused,
    CaseSystemDown,
    OutcomeUnknown,
    SourceBusy,
    SourceChanged,
    SourceDown,
    SourceRefused,
    SourceRetired,
)
from jobs.work import MAX_ATTEMPTS, backoff, next_step

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)


def step(error: Exception, attempts: int = 1) -> tuple[datetime | None, str | None]:
    found = next_step(error, attempts, NOW, random.Random(1))
    return found.retry_at, found.state


def test_a_busy_source_is_asked_when_it_said() -> None:
    assert step(SourceBusy("a", "slow down", timedelta(minutes=7))) == (NOW + timedelta(minutes=7), "waiting")


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (SourceRefused("a", "401"), "refused"),
        (SourceRetired("a", "410"), "retired"),
        (SourceChanged("a", "no id"), "attention"),
    ],
)
def test_what_time_does_not_mend_is_not_tried_again(error: Exception, state: str) -> None:
    assert step(error) == (None, state)


def test_what_time_may_mend_is_tried_again_but_not_for_ever() -> None:
    assert step(SourceDown("a", "502"))[0] is not None
    assert step(SourceDown("a", "502"), MAX_ATTEMPTS)[0] is None
    assert step(RuntimeError("bug"), MAX_ATTEMPTS) == (None, None)


def test_case_systems_are_tried_after_5_then_30_minutes() -> None:
    assert step(CaseSystemDown("x"), 1)[0] == NOW + timedelta(minutes=5)
    assert step(OutcomeUnknown("x"), 2)[0] == NOW + timedelta(minutes=30)


def test_what_a_person_must_mend_waits_for_one() -> None:
    assert step(CaseRefused("no"))[0] is None
    assert step(BadInput("no"))[0] is None


@given(st.integers(0, 60), st.integers(0, 99))
def test_backoff_lies_between_seconds_and_half_an_hour(attempts: int, seed: int) -> None:
    assert timedelta(seconds=4) < backoff(attempts, random.Random(seed)) < timedelta(minutes=34)
