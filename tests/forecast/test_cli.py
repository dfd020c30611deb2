"""The commands as a person types them: exit codes, and nothing but data on standard output."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from core.errors import BadInput
from core.series import QUANTILE_NAMES
from jobs.cli_forecast import app

COLUMNS = ["series", "ts", *QUANTILE_NAMES, "spike_probability"]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    moments = pd.date_range("2025-01-06", periods=9 * 168, freq="h")
    moments = moments[(moments.dayofweek < 5) & (moments.hour >= 8) & (moments.hour < 17)]
    frame = pd.DataFrame({"ts": moments, "value": rng.poisson(15, len(moments)), "series": "desk"})
    path = tmp_path / "calls.csv"
    frame.to_csv(path, index=False)
    return path


def test_forecast_writes_open_slots_right_after_the_end(calls: Path) -> None:
    result = run("forecast", str(calls), "--horizon", "7d")
    assert result.exit_code == 0
    made = pd.read_csv(io.StringIO(result.stdout), parse_dates=["ts"])
    assert list(made.columns) == COLUMNS
    assert len(made) == 45
    assert (made.ts.dt.hour.min(), made.ts.dt.hour.max(), made.ts.dt.dayofweek.max()) == (8, 16, 4)
    assert str(made.ts.iloc[0]) == "2025-03-10 08:00:00"
    assert "forecasting" in result.stderr


def test_json_holds_the_same_and_a_time_zone_gives_offsets(calls: Path, tmp_path: Path) -> None:
    result = run("forecast", str(calls), "--horizon", "24", "--timezone", "America/Denver", "--json")
    rows = json.loads(result.stdout)
    assert list(rows[0]) == COLUMNS
    assert len(rows) == 24, "a number of steps counts open ones"
    assert rows[0]["ts"] == "2025-03-10T08:00:00-06:00"
    out = tmp_path / "out.json"
    assert run("forecast", str(calls), "--horizon", "3d", "--format", "json", "--out", str(out)).stdout == ""
    assert json.loads(out.read_text())[0]["series"] == "desk"


def test_a_day_ahead_on_friday_evening_is_monday(calls: Path) -> None:
    made = pd.read_csv(io.StringIO(run("forecast", str(calls), "--horizon", "1d").stdout), parse_dates=["ts"])
    assert made.ts.dt.strftime("%a %H").tolist() == [f"Mon {hour:02}" for hour in range(8, 17)]


def test_a_series_too_short_is_named_and_the_others_go_on(calls: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(calls)
    short = frame.head(20).assign(series="new line")
    both = tmp_path / "both.csv"
    pd.concat([frame, short]).to_csv(both, index=False)
    result = run("forecast", str(both))
    assert result.exit_code == 1
    assert set(pd.read_csv(io.StringIO(result.stdout)).series) == {"desk"}
    assert "error: new line: " in result.stderr


def test_a_signal_is_judged_and_said(calls: Path, tmp_path: Path) -> None:
    talk = pd.read_csv(calls).assign(series="mentions")
    talk.to_csv(tmp_path / "talk.csv", index=False)
    result = run("forecast", str(calls), "--signal", str(tmp_path / "talk.csv"), "--json")
    assert result.exit_code == 0
    assert "mentions is shown, not used: fewer than 90 days" in result.stderr
    assert json.loads(result.stdout)[0]["signal"]["used"] is False


def test_a_name_is_no_formula_in_the_export(calls: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(calls).assign(series="=HYPERLINK(1)")
    frame.to_csv(tmp_path / "x.csv", index=False)
    assert "\n'=HYPERLINK(1)," in run("forecast", str(tmp_path / "x.csv"), "--horizon", "7d").stdout


def test_backtest_prints_every_model(tmp_path: Path) -> None:
    days = pd.date_range("2024-09-02", periods=150)
    frame = pd.DataFrame({"ts": days, "value": np.random.default_rng(2).poisson(80, 150)})
    frame.to_csv(tmp_path / "x.csv", index=False)
    result = run("backtest", str(tmp_path / "x.csv"), "--origins", "3")
    assert result.exit_code == 0
    for word in (
        "openear",
        "GLM",
        "boosted",
        "blend",
        "seasonal naive",
        "mean of 8 weeks",
        "WAPE",
        "MASE",
        "wQL",
        "80 %",
    ):
        assert word in result.stdout
    answer = json.loads(run("backtest", str(tmp_path / "x.csv"), "--origins", "2", "--json").stdout)
    assert {row["model"] for row in answer["series"][0]["rows"]} >= {"openear", "seasonal naive"}


def test_staff_gives_the_known_example() -> None:
    asked = ("staff", "--calls", "100", "--interval", "30min", "--handle-time", "180s", "--target", "80/20s")
    text = run(*asked, "--shrinkage", "0.3").stdout
    for number in ("14", "20", "0.888", "0.174", "7.8"):
        assert number in text
    found = json.loads(run(*asked, "--shrinkage", "0.3", "--patience", "120s", "--json").stdout)
    assert (found["agents"], found["scheduled"]) == (14, 20)
    assert found["erlang_a"]["abandoned"] == pytest.approx(0.0228, abs=1e-3)


@pytest.mark.parametrize(
    "wrong",
    [
        ("staff", "--calls", "-1", "--handle-time", "180s"),
        ("staff", "--calls", "10", "--handle-time", "soon"),
        ("staff", "--calls", "10", "--handle-time", "180s", "--target", "20s"),
        ("staff", "--handle-time", "180s"),
        ("forecast", "x.csv", "--horizon", "-3"),
        ("forecast", "x.csv", "--format", "xml"),
        ("forecast", "x.csv", "--timezone", "Mars/Olympus"),
        ("forecast", "x.csv", "--columns", "when"),
        ("forecast",),
    ],
)
def test_wrong_use_has_exit_code_2(wrong: tuple[str, ...]) -> None:
    assert run(*wrong).exit_code == 2


@pytest.mark.parametrize("country", ["XX", "../etc"])
def test_bad_input_is_ours_to_explain(calls: Path, country: str) -> None:
    result = run("forecast", str(calls), "--country", country)
    assert isinstance(result.exception, BadInput)
    assert result.stdout == ""
    missing = run("forecast", str(calls.parent / "none.csv"))
    assert "no such file" in str(missing.exception)
