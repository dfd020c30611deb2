"""Logs hold no secret and no forged line."""

import logging

from hypothesis import given
from hypothesis import strategies as st

from jobs.logs import CleanFormatter, clean


@given(st.text())
def test_a_line_is_one_line_and_cleaning_twice_is_once(line: str) -> None:
    once = clean(line)
    assert len(once.splitlines()) <= 1
    assert clean(once) == once


def test_secrets_do_not_show() -> None:
    line = clean('{"accessJwt": "abc.def", "x": 1} Authorization: Bearer_xyz postgresql://u:pw@h/db?token=t1')
    assert not any(secret in line for secret in ("abc.def", "Bearer_xyz", "u:pw", "t1"))


def test_a_traceback_stays_one_line() -> None:
    try:
        raise ValueError("one\ntwo password=hunter2")
    except ValueError as error:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "failed", None, (ValueError, error, None))
    line = CleanFormatter().format(record)
    assert "\n" not in line
    assert "hunter2" not in line
