import csv
import gzip
import io
import json
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from forecast.calls import CallsFile, parse_calls, read_calls

NOW = datetime(2026, 12, 2, 15, 0, tzinfo=UTC)
NY = ZoneInfo("America/New_York")
HALF = timedelta(minutes=30)


def read(text: str, **more: Any) -> CallsFile:
    return parse_calls(text.encode(), False, "main", NY, NOW, **more)


def starts(file: CallsFile) -> list[str]:
    return [calls.start.isoformat(sep=" ", timespec="minutes") for calls in file.calls]


def test_local_times_with_answers_and_handle_times() -> None:
    file = read(
        'Start,Calls Offered,Answered,Abandoned,AHT\n2026-03-02 08:30,12,11,1,4:30\n2026-03-02 08:00,"1,210",,,\n'
    )
    first, second = file.calls
    assert starts(file) == ["2026-03-02 13:00+00:00", "2026-03-02 13:30+00:00"]
    assert (first.offered, first.answered, first.handle_time, first.queue, first.step) == (
        1210,
        None,
        None,
        "main",
        HALF,
    )
    assert (second.answered, second.abandoned, second.handle_time, second.recorded_at) == (11, 1, 270, NOW)
    assert file.rejected == ()


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("2026-03-02T08:00", "13:00"),
        ("2026-03-02T08:00:00-08:00", "16:00"),
        ("2026-03-02 08:00Z", "08:00"),
        ("3/2/2026 8:00", "13:00"),
        ("03/02/2026 8:00:00 PM", "01:00"),
        ("03/02/2026 12:00 am", "05:00"),
    ],
)
def test_times_as_people_write_them(text: str, start: str) -> None:
    file = read(f"ts;value\n{text};5\n", step=HALF)
    assert [one[11:16] for one in starts(file)] == [start]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("2026-03-02 08:00,,", "calls: no number"),
        ("2026-03-02 08:00,-1,", "calls '-1'"),
        ("2026-03-02 08:00,nan,", "calls 'nan'"),
        ("2026-03-02 08:00,=1+1,", "calls '=1+1'"),
        ("2026-03-02 08:00,1e400,", "calls '1e400'"),
        ("2026-03-02 08:00,3,many", "answered 'many'"),
        ("2026-03-08 02:30,3,", "jumped over"),
        ("2027-01-01 08:00,3,", "future"),
        ("0001-01-01 00:00,3,", "year"),
        ("soon,3,", "no time"),
        (",3,", "no time"),
        ("13/02/2026 99:00,3,", "day and month"),
        ("02/30/2026 09:00,3,", "start '02/30/2026"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_and_the_others_count(row: str, why: str) -> None:
    file = read(f"start,calls,answered\n2026-03-01 08:00,1,\n{row}\n2026-03-01 08:30,2,\n")
    assert [calls.offered for calls in file.calls] == [1, 2]
    [rejected] = file.rejected
    assert rejected.line == 3
    assert why in rejected.why


def test_the_hour_that_comes_twice_in_autumn_is_read_twice() -> None:
    times = ["00:30", "01:00", "01:30", "01:00", "01:30", "02:00"]
    file = read("start,calls\n" + "".join(f"2026-11-01 {time},1\n" for time in times))
    assert [one[11:16] for one in starts(file)] == ["04:30", "05:00", "05:30", "06:00", "06:30", "07:00"]
    assert {calls.step for calls in file.calls} == {HALF}


def test_days_are_days_even_where_the_clocks_change() -> None:
    for text in (
        "start,calls\n" + "".join(f"2026-03-0{day}{time},7\n" for day in range(6, 10)) for time in ("", " 00:00")
    ):
        file = read(text)
        assert {calls.step for calls in file.calls} == {timedelta(days=1)}
        assert starts(file)[-2:] == ["2026-03-08 05:00+00:00", "2026-03-09 04:00+00:00"]
        assert file.rejected == ()


def test_one_row_needs_its_step_unless_it_is_a_day() -> None:
    assert "step" in read("start,calls\n2026-03-02 00:00,7\n").rejected[0].why
    assert read("start,calls\n2026-03-02,7\n").calls[0].step == timedelta(days=1)
    assert read("start,calls,step\n2026-03-02 00:00,7,15\n").calls[0].step == timedelta(minutes=15)
    assert read("start,calls,step\n2026-03-02 00:00,7,1min\n").rejected[0].why.startswith("step '1min'")
    assert read(f"start,calls,step\n2026-03-02 00:00,7,{'9' * 400}\n").rejected[0].why.startswith("step")


def test_queues_have_their_own_spacing() -> None:
    file = read(
        "start,queue,calls\n"
        + "".join(f"2026-03-02 08:{m:02},a,1\n" for m in (0, 15, 30))
        + "2026-03-02 08:00,b,1\n2026-03-02 09:00,b,1\n"
    )
    assert Counter((calls.queue, calls.step) for calls in file.calls) == {
        ("a", timedelta(minutes=15)): 3,
        ("b", timedelta(hours=1)): 2,
    }


def test_rows_that_lie_over_each_other_are_rejected() -> None:
    times = ["08:00", "08:30", "08:45", "09:00", "09:30", "10:00"]
    file = read("start,calls\n" + "".join(f"2026-03-02 {time},1\n" for time in times))
    assert [(one.line, "begins before" in one.why) for one in file.rejected] == [(4, True)]


def test_the_later_line_about_an_interval_counts_and_a_repeated_line_is_no_matter() -> None:
    file = read("start,calls\n2026-03-02 08:00,1\n2026-03-02 08:30,2\n2026-03-02 08:00,5\n2026-03-02 08:30,2\n")
    assert [calls.offered for calls in file.calls] == [5, 2]
    assert [(one.line, one.why[:6]) for one in file.rejected] == [(2, "line 4")]


def test_corrections_carry_when_they_were_counted() -> None:
    file = read(
        "start,calls,recorded_at,step\n2026-03-02 08:00,1,2026-03-02 09:00,30min\n"
        "2026-03-02 08:00,3,2026-03-03 09:00,30min\n"
        "2026-03-02 08:00,4,2027-01-01 09:00,30min\n"
    )
    assert [(calls.offered, calls.recorded_at.day) for calls in file.calls] == [(1, 2), (3, 3)]
    assert "recorded_at" in file.rejected[0].why


def test_json_as_a_list_or_with_what_holds_for_all() -> None:
    items = [
        {"start": "2026-03-02T08:00", "calls": 3},
        {"ts": "2026-03-02T08:30", "value": 4.5},
        {"calls": True, "start": "2026-03-02T09:00"},
    ]
    file = parse_calls(json.dumps({"queue": "water", "step": "30min", "calls": items}).encode(), True, "main", NY, NOW)
    assert [(calls.queue, calls.offered, calls.step) for calls in file.calls] == [
        ("water", 3, HALF),
        ("water", 4.5, HALF),
    ]
    assert [one.line for one in file.rejected] == [3]
    assert len(parse_calls(json.dumps(items).encode(), True, "main", NY, NOW).calls) == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a,b\n1,2\n",
        b'start,calls\n"2026',
        b"\xff\xfe\x00",
        b"start,calls\n\xe9,1\n",
    ],
)
def test_a_file_that_is_no_call_file_says_why(content: bytes) -> None:
    with pytest.raises(BadInput):
        parse_calls(content, False, "main", NY, NOW)


@pytest.mark.parametrize("limit", [2**17, 2**31 - 1])
def test_a_line_without_end_is_no_call(limit: int) -> None:
    """Python's csv has one limit for the whole program, which readers of long texts raise."""
    before = csv.field_size_limit(limit)
    try:
        file = parse_calls(b"start,calls\n" + b"x" * 200_000, False, "main", NY, NOW)
    except BadInput:
        return
    finally:
        csv.field_size_limit(before)
    assert file.calls == ()
    assert [one.line for one in file.rejected] == [2]


@pytest.mark.parametrize(
    "content", [b"{", b"3", b'{"calls": 3}', b"[1]", b"[" * 100_000, b'{"calls": [], "step": "1min"}', b"1" * 5000]
)
def test_a_body_that_is_no_call_file_says_why(content: bytes) -> None:
    with pytest.raises(BadInput):
        parse_calls(content, True, "main", NY, NOW)


def test_files_name_themselves_in_errors(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"none\.csv"):
        read_calls(tmp_path / "none.csv", "main", NY, NOW)
    file = tmp_path / "calls.csv"
    file.write_bytes("start\tcalls\r\n2026-03-02\t7\r\n".encode("utf-16"))
    assert read_calls(file, "main", NY, NOW).calls[0].offered == 7
    file.write_text("a,b\n")
    with pytest.raises(BadInput, match=r"calls\.csv: no column start"):
        read_calls(file, "main", NY, NOW)


cell = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["2026-03-02", "30min", "9999-12-31T23:59-14:00"]),
)
names = st.sampled_from(["start", "calls", "queue", "step", "answered", "handle_time", "recorded_at", "x"])
anything = st.recursive(
    cell, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=6), max_leaves=20
)


@given(anything | st.lists(st.dictionaries(names, anything, max_size=8), max_size=6))
def test_any_json_is_read_or_refused_as_ours(body: Any) -> None:
    try:
        file = parse_calls(json.dumps(body).encode(), True, "main", NY, NOW)
    except BadInput:
        return
    assert all(calls.start <= NOW and calls.offered >= 0 for calls in file.calls)


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_read_or_refused_as_ours(content: bytes, as_json: bool) -> None:
    with suppress(BadInput):
        parse_calls(content if as_json else b"start,calls\n" + content, as_json, "main", NY, NOW)


slots = st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 500)), min_size=2, unique_by=lambda one: one[0])


@given(slots, st.sampled_from([5, 15, 30, 60]), st.randoms(use_true_random=False))
def test_what_was_written_is_read_whatever_the_order(counts: list[tuple[int, int]], minutes: int, rng: Any) -> None:
    """With offsets nothing is ambiguous: any even series comes back as it was."""
    step, first = timedelta(minutes=minutes), datetime(2026, 10, 25, tzinfo=UTC)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["start", "calls"])
    rows = [((first + slot * step).astimezone(NY).isoformat(), n) for slot, n in counts]
    rng.shuffle(rows)
    writer.writerows(rows)
    file = read(out.getvalue(), step=step)
    assert {(calls.start, calls.offered) for calls in file.calls if calls.start <= NOW} == {
        (first + slot * step, float(n)) for slot, n in counts if first + slot * step <= NOW
    }


@pytest.mark.parametrize(
    ("name", "n", "step"),
    [
        ("bernalillo_assessor_hourly_calls.csv.gz", 4282, timedelta(hours=1)),
        ("bernalillo_assessor_daily_calls_visits_chatbot.csv.gz", 658, timedelta(days=1)),
    ],
)
def test_a_real_county_office(shared: Path, name: str, n: int, step: timedelta) -> None:
    content = gzip.decompress((shared / "data" / "volume" / name).read_bytes())
    file = parse_calls(content, False, "assessor", ZoneInfo("America/Denver"), NOW)
    assert len(file.calls) + len(file.rejected) == n
    assert {calls.step for calls in file.calls} == {step}
    assert Counter(one.why[:20] for one in file.rejected) == {}
