from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import BadInput
from core.series import Slot
from forecast.files import read


def write(folder: Path, text: str, name: str = "calls.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def table(n: int = 60, freq: str = "D", start: str = "2025-03-01") -> pd.DataFrame:
    moments = pd.date_range(start, periods=n, freq=freq)
    return pd.DataFrame({"ts": moments, "value": np.arange(n) % 9 + 1})


def test_csv_gz_and_parquet_hold_the_same(tmp_path: Path) -> None:
    frame = table()
    frame.to_csv(tmp_path / "calls.csv.gz", index=False)
    frame.to_parquet(tmp_path / "calls.parquet")
    packed, columnar = read(tmp_path / "calls.csv.gz").series[0], read(tmp_path / "calls.parquet").series[0]
    assert np.array_equal(packed.values, columnar.values)
    assert (packed.name, packed.step, packed.start) == ("calls", timedelta(days=1), columnar.start)


def test_several_series_extra_columns_other_names_any_order(tmp_path: Path) -> None:
    frame = table().rename(columns={"ts": "when", "value": "n"}).assign(mood="calm")
    both = pd.concat([frame.assign(queue="tax"), frame.assign(queue="roads")]).sample(frac=1, random_state=1)
    both.to_csv(tmp_path / "x.csv", index=False)
    reading = read(tmp_path / "x.csv", columns={"ts": "when", "value": "n", "series": "queue"})
    assert {s.name for s in reading.series} == {"tax", "roads"}
    assert all(len(s) == 60 and s.values[1] == 2 for s in reading.series)
    assert reading.naive


def test_of_repeated_rows_the_last_counts_and_it_is_said(tmp_path: Path) -> None:
    frame = pd.concat([table(), pd.DataFrame({"ts": [pd.Timestamp("2025-03-02")], "value": [77]})])
    frame.to_csv(tmp_path / "x.csv", index=False)
    reading = read(tmp_path / "x.csv")
    assert reading.series[0].values[1] == 77
    assert "1 repeated rows" in reading.notes[0]


def test_a_missing_day_is_missing_and_a_day_off_is_closed(tmp_path: Path) -> None:
    frame = table(90)
    frame = frame[frame.ts.dt.dayofweek < 5]
    frame = frame[frame.ts != "2025-04-09"]
    frame.to_csv(tmp_path / "x.csv", index=False)
    series = read(tmp_path / "x.csv").series[0]
    days = pd.date_range("2025-03-03", periods=len(series))
    assert series.state[(days == "2025-04-09").argmax()] == Slot.MISSING
    assert np.isnan(series.values[(days == "2025-04-09").argmax()])
    assert (series.state[days.dayofweek >= 5] == Slot.CLOSED).all()


def test_values_marked_as_imputed_are_missing_not_zero(tmp_path: Path) -> None:
    frame = table().assign(imputed_zero=False)
    frame.loc[5, ["value", "imputed_zero"]] = [0, True]
    frame.to_parquet(tmp_path / "x.parquet")
    frame.to_csv(tmp_path / "x.csv", index=False)
    for name in ("x.parquet", "x.csv"):
        series = read(tmp_path / name).series[0]
        assert series.state[5] == Slot.MISSING
        assert np.isnan(series.values[5])


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("2025-03-04,-3", r"row 5: value '-3' is negative"),
        ("2025-03-04,many", r"row 5: value 'many' is no number"),
        ("2025-03-04,inf", r"row 5: value 'inf' is no number"),
        ("soon,3", r"row 5: 'soon' is no date and time"),
        ("2025-03-04T00:00:00Z,3", r"row 5: some times have an offset"),
    ],
)
def test_a_bad_cell_is_named_with_its_row(tmp_path: Path, row: str, why: str) -> None:
    path = write(tmp_path, "ts,value\n2025-03-01,1\n2025-03-02,1\n2025-03-03,1\n" + row + "\n2025-03-05,1\n")
    with pytest.raises(BadInput, match=why):
        read(path)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ts,calls\n2025-03-01,1\n", r"no column 'value'.*--columns value="),
        ("ts,value\n", "no rows"),
        ("", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        read(write(tmp_path, text))


def test_bytes_that_are_no_parquet_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(BadInput, match="cannot be read"):
        read(tmp_path / "x.parquet")


def test_one_bad_series_does_not_stop_the_others(tmp_path: Path) -> None:
    monthly = pd.DataFrame({"ts": pd.date_range("2020-01-01", periods=30, freq="MS"), "value": 5})
    pd.concat([table().assign(series="good"), monthly.assign(series="slow")]).to_csv(tmp_path / "x.csv", index=False)
    reading = read(tmp_path / "x.csv")
    assert [s.name for s in reading.series] == ["good"]
    assert reading.failures[0][0] == "slow"
    assert "one record every 31 days" in reading.failures[0][1]


def test_the_hour_that_comes_twice_and_the_one_that_never_comes(tmp_path: Path) -> None:
    autumn = [f"2025-11-0{d} {h:02}:00,{h}" for d in (1, 2, 3) for h in range(24)]
    autumn.insert(autumn.index("2025-11-02 01:00,1") + 1, "2025-11-02 01:00,50")
    series = read(write(tmp_path, "ts,value\n" + "\n".join(autumn)), timezone="America/Chicago").series[0]
    assert len(series) == 73
    assert series.values[24:28].tolist() == [0, 1, 50, 2]
    spring = [f"2025-03-0{d} {h:02}:00,{h}" for d in (8, 9) for h in range(24)]
    reading = read(write(tmp_path, "ts,value\n" + "\n".join(spring)), timezone="America/Chicago")
    assert len(reading.series[0]) == 47
    assert "daylight saving" in reading.notes[0]


def test_finer_records_are_added_up_and_gaps_stay_gaps(tmp_path: Path) -> None:
    frame = table(12 * 24 * 40, "5min")
    frame["value"] = 2.0
    frame = frame[~((frame.ts >= "2025-03-20 10:00") & (frame.ts < "2025-03-20 10:50"))]
    frame = frame.iloc[:-3]
    frame.to_parquet(tmp_path / "x.parquet")
    series = read(tmp_path / "x.parquet", step=timedelta(minutes=30)).series[0]
    at = int((pd.Timestamp("2025-03-20 10:00") - pd.Timestamp("2025-03-01")) / pd.Timedelta("30min"))
    assert np.isnan(series.values[at]), "nothing known of 10:00"
    assert np.isnan(series.values[at + 1]), "too little known of 10:30"
    assert series.values[at - 1] == 12.0
    assert len(series) == 48 * 40 - 1, "the unfinished last half hour is left off"
    assert "cannot be added up" in read(tmp_path / "x.parquet", step=timedelta(minutes=7)).failures[0][1]


def test_records_that_keep_no_step_are_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    moments = pd.Timestamp("2025-01-01") + pd.to_timedelta(np.cumsum(rng.integers(60, 90_000, 200)), unit="s")
    pd.DataFrame({"ts": moments, "value": 1}).to_csv(tmp_path / "x.csv", index=False)
    assert "no regular step" in read(tmp_path / "x.csv").failures[0][1]


def test_times_off_the_full_minute_keep_their_places(tmp_path: Path) -> None:
    frame = table(3000, "5min", "2025-02-26 21:42:53")
    frame.to_csv(tmp_path / "x.csv", index=False)
    series = read(tmp_path / "x.csv").series[0]
    assert (series.start.minute, series.start.second, len(series)) == (42, 53, 3000)
