"""Read series from CSV or Parquet with `ts, value` and maybe `series`. Whatever is wrong is said with its row."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from core.errors import BadInput
from core.series import Series
from forecast.series import aggregate, evenly, step_of
from forecast.wall import DAY, Bools, Floats

OFFSET = r"(?:[Zz]|[+-]\d{2}:?\d{2})$"
NEEDED = ("ts", "value")
FLAG = "imputed_zero"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file held.

    Attributes:
        failures: (name, what was wrong) of the series that cannot be used.
        naive: the file's times have no offset.
    """

    series: tuple[Series, ...]
    notes: tuple[str, ...]
    failures: tuple[tuple[str, str], ...]
    naive: bool


def read(
    path: Path, *, timezone: str = "UTC", step: timedelta | None = None, columns: dict[str, str] | None = None
) -> Reading:
    """Read all series of a file; `columns` maps our names (ts, value, series) to the file's.

    Raises:
        BadInput: the file, a column, a time or a value cannot be used.
    """
    table = rename(load(path), columns or {}, path)
    naive, moments = times(table["ts"], path)
    values = numbers(table["value"], path)
    if FLAG in table:
        values[np.asarray(table[FLAG].map(truth), dtype=bool)] = np.nan
    name = table["series"].astype(str) if "series" in table else pd.Series([stem(path)] * len(table))
    frame = pd.DataFrame({"name": name.to_numpy(), "ts": moments, "value": values})
    found: list[Series] = []
    notes: list[str] = []
    failures: list[tuple[str, str]] = []
    for key, group in frame.groupby("name", sort=False):
        try:
            found.append(one(str(key), group, naive, timezone, step, notes))
        except BadInput as error:
            failures.append((str(key), str(error)))
    if FLAG in table and (flagged := int(np.isnan(values).sum())):
        notes.append(f"{flagged} values are empty or marked {FLAG}: taken as missing, not as zero")
    return Reading(tuple(found), tuple(notes), tuple(failures), naive)


def one(name: str, group: pd.DataFrame, naive: bool, timezone: str, step: timedelta | None, notes: list[str]) -> Series:
    """The series of one name."""
    group = group.sort_values("ts", kind="stable")
    if naive:
        group = localise(name, group, timezone, notes)
    moments = pd.DatetimeIndex(group["ts"])
    repeated: Bools = moments.to_series().duplicated(keep="last").to_numpy(dtype=bool)
    if repeated.any():
        notes.append(f"{name}: {int(repeated.sum())} repeated rows; the last of each time counts")
        group, moments = group[~repeated], moments[~repeated]
    known = ~np.isnan(group["value"].to_numpy())
    if not known.any():
        raise BadInput(f"{name}: no values at all")
    first = int(np.argmax(known))
    moments, values = moments[first:], group["value"].to_numpy(dtype=float)[first:]
    local = moments.tz_convert(timezone).tz_localize(None)
    own = step_of(name, local.unique().sort_values())
    if own >= DAY and not naive and (moments == moments.normalize()).all() and not (local == local.normalize()).all():
        notes.append(f"{name}: midnights in UTC are taken as dates")
        moments = moments.tz_localize(None).tz_localize(timezone, ambiguous=np.ones(len(moments), dtype=bool))
    series = evenly(name, moments, values, own, timezone)
    return series if step is None else aggregate(series, step)


def localise(name: str, group: pd.DataFrame, timezone: str, notes: list[str]) -> pd.DataFrame:
    """Naive times as local ones. Of an hour that comes twice the first row is the first pass."""
    again = group.duplicated("ts", keep="first").to_numpy()
    local = pd.DatetimeIndex(group["ts"]).tz_localize(timezone, ambiguous=~again, nonexistent="NaT")
    skipped: Bools = np.asarray(local.isna(), dtype=bool)
    if skipped.any():
        notes.append(f"{name}: {int(skipped.sum())} rows lie in the hour that daylight saving skips; left out")
    group = group.assign(ts=local.tz_convert("UTC"))
    return group[~skipped].sort_values("ts", kind="stable")


def load(path: Path) -> pd.DataFrame:
    """The file as a table, CSV cells as text."""
    if not path.is_file():
        raise BadInput(f"{path}: no such file")
    try:
        if path.suffix in (".parquet", ".pq"):
            return pd.read_parquet(path)
        return pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True)
    except (ValueError, OSError, UnicodeError, pd.errors.ParserError) as error:
        raise BadInput(f"{path}: cannot be read as CSV or Parquet ({str(error).splitlines()[0]})") from error


def rename(table: pd.DataFrame, columns: dict[str, str], path: Path) -> pd.DataFrame:
    """The table with our column names, others left as they are."""
    for ours, theirs in columns.items():
        if theirs not in table:
            raise BadInput(
                f"{path}: no column {theirs!r} for {ours}; the file has {', '.join(map(str, table.columns))}"
            )
    picked = {ours: table[columns.get(ours, ours)] for ours in (*NEEDED, "series") if columns.get(ours, ours) in table}
    for ours in NEEDED:
        if ours not in picked:
            has = ", ".join(map(str, table.columns))
            raise BadInput(f"{path}: no column {ours!r}; the file has {has}. Name it with --columns {ours}=...")
    if table.empty:
        raise BadInput(f"{path}: no rows")
    if FLAG in table:
        picked[FLAG] = table[FLAG]
    return pd.DataFrame(picked).reset_index(drop=True)


def times(column: pd.Series, path: Path) -> tuple[bool, pd.Series]:
    """Whether times are without offset, and the times (aware ones in UTC).

    Raises:
        BadInput: a time cannot be read, or only some have an offset.
    """
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return False, checked(column.dt.tz_convert("UTC"), column, path)
    if pd.api.types.is_datetime64_any_dtype(column):
        return True, checked(column, column, path)
    if pd.api.types.is_numeric_dtype(column):
        raise BadInput(f"{path}: column ts holds numbers; dates and times such as 2026-03-02 15:00 are needed")
    text = column.astype(str).str.strip()
    offset = text.str.contains(OFFSET, regex=True) & text.str.contains(":")
    if offset.any() and not offset.all():
        row = int(np.argmax(offset.to_numpy() != bool(offset.iloc[0])))
        raise BadInput(f"{path}: row {row + 2}: some times have an offset from UTC and some have none")
    aware = bool(offset.all())
    parsed = pd.Series(pd.NaT, index=text.index)
    for form in ("ISO8601", "%m/%d/%Y %H:%M", "%m/%d/%Y", "%m/%d/%Y %I:%M:%S %p"):
        parsed = pd.to_datetime(text, format=form, errors="coerce", utc=aware)
        if parsed.notna().all():
            break
        if form == "ISO8601":
            best = parsed
    return not aware, checked(parsed if parsed.notna().all() else best, column, path)


def checked(parsed: pd.Series, column: pd.Series, path: Path) -> pd.Series:
    """The times, if all could be read."""
    bad = parsed.isna().to_numpy()
    if bad.any():
        row = int(np.argmax(bad))
        raise BadInput(f"{path}: row {row + 2}: {str(column.iloc[row])[:40]!r} is no date and time")
    return parsed


def numbers(column: pd.Series, path: Path) -> Floats:
    """Values as floats, NaN where a cell is empty.

    Raises:
        BadInput: a cell is text, negative or infinite.
    """
    text = column.astype(object).where(column.notna(), "")
    empty = text.map(lambda cell: str(cell).strip().lower() in ("", "nan", "na", "null", "none")).to_numpy(dtype=bool)
    values = np.array(pd.to_numeric(column.where(~pd.Series(empty, index=column.index)), errors="coerce"), dtype=float)
    bad = (~empty & ~np.isfinite(values)) | (values < 0)
    if bad.any():
        row = int(np.argmax(bad))
        why = "is negative" if values[row] < 0 else "is no number"
        raise BadInput(
            f"{path}: row {row + 2}: value {str(column.iloc[row])[:40]!r} {why}; counts of 0 or more are needed"
        )
    return values


def truth(cell: object) -> bool:
    """Whether a flag is set."""
    return str(cell).strip().lower() in ("true", "1", "yes", "t")


def stem(path: Path) -> str:
    """The file's name without its endings."""
    return path.name.split(".")[0]
