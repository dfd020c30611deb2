"""`openear forecast`, `openear backtest` and `openear staff`: work on a file or a few numbers, without a database."""

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from core.errors import BadInput
from core.settings import duration

if TYPE_CHECKING:
    from core.series import Forecast, Known, Series
    from forecast.files import Reading

app = typer.Typer()

FORMATS = ("csv", "json")


def span(text: str) -> timedelta:
    """A length of time such as 30min, 80s, 7d.

    Raises:
        typer.BadParameter: it is none.
    """
    found = duration(text)
    if not isinstance(found, timedelta) or found <= timedelta(0):
        raise typer.BadParameter(f"{text!r} is no length of time; use for example 30min, 180s or 7d")
    return found


def length(text: str) -> timedelta | int:
    """A horizon: a length of time, or a number of steps."""
    if text.strip().isdigit() and int(text) > 0:
        return int(text)
    return span(text)


def named(text: str | None) -> dict[str, str]:
    """`ts=when,value=calls` as our names -> the file's names."""
    pairs = [part.split("=", 1) for part in (text or "").split(",") if part.strip()]
    if any(len(pair) != 2 or pair[0].strip() not in ("ts", "value", "series") or not pair[1].strip() for pair in pairs):
        raise typer.BadParameter(f"{text!r}: write it as ts=COLUMN,value=COLUMN,series=COLUMN")
    return {ours.strip(): theirs.strip() for ours, theirs in pairs}


def zone(text: str) -> str:
    """The name of a time zone that exists."""
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise typer.BadParameter(f"no time zone is called {text!r}; use a name such as America/Chicago") from None
    return text


def share_and_wait(text: str) -> tuple[float, timedelta]:
    """`80/20s` as a share of calls and the wait within which they are answered."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%?\s*/\s*(\S+)\s*", text)
    if not found or not 0 < float(found.group(1)) < 100:
        raise typer.BadParameter(f"{text!r}: write it as 80/20s, eighty percent within twenty seconds")
    return float(found.group(1)) / 100, span(found.group(2))


def say(text: str) -> None:
    """A note beside the data."""
    sys.stderr.write(text + "\n")


File = Annotated[Path, typer.Argument(help="CSV (also .gz) or Parquet with ts, value and maybe series")]
Zone = Annotated[str | None, typer.Option("--timezone", help="time zone of times without offset, and of the agency")]
Step = Annotated[str | None, typer.Option("--step", help="add finer records up to this step, e.g. 30min")]
Columns = Annotated[str | None, typer.Option("--columns", help="ts=COLUMN,value=COLUMN,series=COLUMN")]
Country = Annotated[str, typer.Option("--country", help="ISO code, for public holidays")]
Subdivision = Annotated[str | None, typer.Option("--subdivision", help="state or province, for public holidays")]
AsJson = Annotated[bool, typer.Option("--json", help="for a machine to read")]


@app.command()
def forecast(
    file: File,
    horizon: Annotated[str, typer.Option("--horizon", help="how far: 7d, 36h, or a number of steps")] = "7d",
    step: Step = None,
    timezone: Zone = None,
    signal: Annotated[Path | None, typer.Option("--signal", help="a series that may lead the calls")] = None,
    spike_ratio: Annotated[
        float, typer.Option("--spike-ratio", min=1.0, help="times the usual that make a spike")
    ] = 1.25,
    form: Annotated[str, typer.Option("--format", help="csv or json")] = "csv",
    as_json: AsJson = False,
    out: Annotated[Path | None, typer.Option("--out", help="write here, not to standard output")] = None,
    columns: Columns = None,
    country: Country = "US",
    subdivision: Subdivision = None,
) -> None:
    """Forecast each series of a file from its end on, with bands and the chance of a spike."""
    ahead = length(horizon)
    if form not in FORMATS:
        raise typer.BadParameter(f"--format is csv or json, not {form!r}")
    reading = read_file(file, timezone, step, columns)
    known = known_days(country, subdivision)
    made = all_forecasts(reading, known, ahead, spike_ratio, signals(signal, timezone))
    text = written(made, reading.naive and timezone is None, "json" if as_json else form)
    if out is None:
        sys.stdout.write(text)
    else:
        write_to(out, text)
    if not made:
        raise BadInput(f"{file}: no series could be forecast")
    if len(made) < len(reading.series) + len(reading.failures):
        raise typer.Exit(1)


def read_file(file: Path, timezone: str | None, step: str | None, columns: str | None) -> "Reading":
    """The file's series; notes and unusable series go to standard error."""
    from forecast.files import read

    names = named(columns)
    size = span(step) if step else None
    reading = read(file, timezone=zone(timezone or "UTC"), step=size, columns=names)
    for note in reading.notes:
        say(f"note: {note}")
    for _, why in reading.failures:
        say(f"error: {why}")
    return reading


def known_days(country: str, subdivision: str | None) -> "Known":
    """What is known of the days to come; a country without known holidays is an error at once."""
    from core.series import Known
    from forecast.calendar import holidays_of

    holidays_of(country, subdivision, 2024, 2024)
    return Known(country=country, subdivision=subdivision)


def all_forecasts(
    reading: "Reading", known: "Known", ahead: timedelta | int, ratio: float, signals: "Sequence[Series]"
) -> "list[Forecast]":
    """A forecast of each series that is long enough; the others are named on standard error."""
    from forecast.leading import align
    from forecast.product import Product
    from forecast.wall import local_starts

    made = []
    for i, series in enumerate(reading.series):
        say(f"{series.name}: forecasting ({i + 1} of {len(reading.series)})")
        origin = local_starts(series, len(series), 1)[0].to_pydatetime()
        try:
            mine = next((s for s in signals if s.name == series.name), signals[0] if signals else None)
            with_signal = replace(known, signals=((mine.name, align(series, mine)),)) if mine else known
            one = Product(ratio).forecast(series, with_signal, origin, steps_of(series, ahead))
        except BadInput as error:
            say(f"error: {error}")
            continue
        for note in one.notes:
            say(f"note: {series.name}: {note}")
        made.append(one)
    return made


def steps_of(series: "Series", ahead: timedelta | int) -> int:
    """How many slots a horizon has: a time counts from the first open slot, a number of steps counts open slots.

    Raises:
        BadInput: it is shorter than one slot, or over two years.
    """
    from forecast.series import slots_until

    steps = ahead if isinstance(ahead, int) else ahead // series.step
    if steps < 1:
        raise BadInput(f"{series.name}: a horizon of {ahead} is shorter than one step of {series.step}")
    if steps * series.step > timedelta(days=731):
        raise BadInput(f"{series.name}: a horizon of over two years is no forecast")
    return slots_until(series, ahead) if isinstance(ahead, int) else slots_until(series, 1) - 1 + steps


def signals(file: Path | None, timezone: str | None) -> "Sequence[Series]":
    """The series of a signal file; none without a file."""
    from forecast.files import read

    if file is None:
        return ()
    found = read(file, timezone=zone(timezone or "UTC"))
    if not found.series:
        raise BadInput(f"{file}: no usable series ({found.failures[0][1]})")
    return found.series


def written(made: "list[Forecast]", naive: bool, form: str) -> str:
    """The answer in its form."""
    from forecast.output import as_csv, as_records

    if form == "csv":
        return as_csv(made, naive)
    return json.dumps(as_records(made, naive), indent=1, allow_nan=False) + "\n"


def write_to(out: Path, text: str) -> None:
    """Write a file; a path that cannot be written is said."""
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{out}: cannot be written ({error.strerror})") from error


@app.command()
def backtest(
    file: File,
    horizon: Annotated[str, typer.Option("--horizon", help="how far each forecast looks")] = "7d",
    origins: Annotated[int, typer.Option("--origins", min=1, help="how many past midnights to try")] = 12,
    step: Step = None,
    timezone: Zone = None,
    columns: Columns = None,
    country: Country = "US",
    subdivision: Subdivision = None,
    as_json: AsJson = False,
) -> None:
    """Judge every model on the last fifth of each series: what it would have said, against what came."""
    from forecast.backtest import backtest as judge
    from forecast.backtest import geometric_means
    from forecast.output import backtest_text

    ahead = length(horizon)
    reading = read_file(file, timezone, step, columns)
    known = known_days(country, subdivision)
    reports, failed = [], len(reading.failures)
    for series in reading.series:
        try:
            far = ahead * series.step if isinstance(ahead, int) else ahead
            reports.append(judge(series, known, horizon=far, origins=origins, said=say))
        except BadInput as error:
            say(f"error: {error}")
            failed += 1
    if not reports:
        raise BadInput(f"{file}: no series could be judged")
    if as_json:
        answer = {"series": [asdict(r) for r in reports], "relative_to_naive": geometric_means(reports)}
        sys.stdout.write(json.dumps(finite(answer), indent=1) + "\n")
    else:
        sys.stdout.write(backtest_text(reports) + "\n")
    if failed:
        raise typer.Exit(1)


def finite(value: Any) -> Any:
    """The same with null for numbers that are none."""
    if isinstance(value, dict):
        return {k: finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [finite(v) for v in value]
    return None if isinstance(value, float) and value != value else value


@app.command()
def staff(
    calls: Annotated[float, typer.Option("--calls", min=0, help="calls expected in the interval")],
    handle_time: Annotated[str, typer.Option("--handle-time", help="talk and after-call work, e.g. 180s")],
    interval: Annotated[str, typer.Option("--interval", help="length of the interval")] = "30min",
    target: Annotated[str, typer.Option("--target", help="share of calls / seconds within which answered")] = "80/20s",
    shrinkage: Annotated[
        float, typer.Option("--shrinkage", min=0, max=0.99, help="share of paid time off phones")
    ] = 0.3,
    patience: Annotated[
        str | None, typer.Option("--patience", help="adds Erlang A: mean time before giving up")
    ] = None,
    max_occupancy: Annotated[float, typer.Option("--max-occupancy", min=0.01, max=1.0, help="cap")] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Count the agents that an interval's calls need, by Erlang C and, with patience, Erlang A."""
    from forecast.output import staffing_record, staffing_text
    from forecast.staffing import Target, agents

    share, wait = share_and_wait(target)
    goal = Target(
        handle_time=span(handle_time),
        share=share,
        wait=wait,
        shrinkage=shrinkage,
        max_occupancy=max_occupancy,
        patience=span(patience) if patience else None,
    )
    found = agents(calls, span(interval), goal)
    text = json.dumps(staffing_record(found)) if as_json else staffing_text(found)
    sys.stdout.write(text + "\n")
