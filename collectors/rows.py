"""CSV, JSON Lines and Parquet files to rows, a piece at a time. What cannot be read is said, row by row."""

import codecs
import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from core.errors import BadInput

Row = dict[str, Any]
#: Number of a row, counted from 1 after the header, and the row or why it cannot be read.
Numbered = tuple[int, Row | str]
KINDS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
MOST_LINE = 16 * 1024 * 1024
_PIECE = 1024 * 1024


def header(path: Path, notes: list[str]) -> tuple[str, ...] | None:
    """The columns' names, or None where each row names its own (JSON Lines).

    Raises:
        BadInput: the file is not there, or of no kind we read.
    """
    kind = kind_of(path)
    if kind == "parquet":
        return tuple(_parquet(path).schema_arrow.names)
    if kind == "jsonl":
        return None
    with path.open(encoding=_encoding(path, notes), errors="replace", newline="") as file:
        return _named_columns(file)[0]


def rows(path: Path, notes: list[str]) -> Iterator[Numbered]:
    """The rows of a file; `notes` gets what the user should know about the reading as a whole.

    Raises:
        BadInput: the file is not there, of no kind we read, or broken as a whole.
    """
    read = {"csv": _csv_rows, "jsonl": _json_rows, "parquet": _parquet_rows}[kind_of(path)]
    yield from read(path, notes)


def kind_of(path: Path) -> str:
    """csv, jsonl or parquet.

    Raises:
        BadInput: not there, or another kind.
    """
    if not path.is_file():
        raise BadInput(f"{path}: no such file")
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise BadInput(f"{path}: not .csv, .tsv, .txt, .jsonl, .ndjson, .json or .parquet; save it as one of these")
    return kind


def _encoding(path: Path, notes: list[str]) -> str:
    with path.open("rb") as file:
        start = file.read(4)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while piece := file.read(_PIECE):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            note = f"{path.name} is not UTF-8: read as Windows-1252; if letters look wrong, save it as UTF-8"
            if note not in notes:
                notes.append(note)
            return "cp1252"
    return "utf-8-sig"


def _delimiter(line: str) -> str:
    outside = "".join(line.split('"')[::2])
    return max(",;\t|", key=outside.count)


def _named_columns(file: TextIO) -> tuple[tuple[str, ...], str]:
    """The header's names and the delimiter; the file stands after the header then."""
    csv.field_size_limit(MOST_LINE)
    delimiter = _delimiter(file.readline(MOST_LINE))
    file.seek(0)
    try:
        names = next(csv.reader(file, delimiter=delimiter), [])
    except csv.Error as error:
        raise BadInput(f"{file.name}: the header is not readable as CSV: {error}") from error
    return tuple(name.strip() for name in names), delimiter


def _csv_rows(path: Path, notes: list[str]) -> Iterator[Numbered]:
    with path.open(encoding=_encoding(path, notes), errors="replace", newline="") as file:
        names, delimiter = _named_columns(file)
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        number = 0
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                number += 1
                yield number, f"not readable as CSV ({error}), near line {reader.line_num + 1} of the file"
                continue
            if cells is None:
                return
            if cells:  # an empty line is no row
                number += 1
                yield number, _named(names, cells)


def _named(names: tuple[str, ...], cells: list[str]) -> Row | str:
    if len(cells) > len(names) and any(cells[len(names) :]):
        return f"{len(cells)} columns where the header has {len(names)}: is a text with commas not in quotes?"
    return dict(zip(names, cells, strict=False))


def _json_rows(path: Path, notes: list[str]) -> Iterator[Numbered]:
    encoding = _encoding(path, notes)
    with path.open(encoding=encoding, errors="replace") as file:
        if file.read(1024).lstrip("\ufeff \t\r\n").startswith("["):
            yield from _json_array(path, encoding)
            return
        file.seek(0)
        number = 0
        while line := file.readline(MOST_LINE):
            if line.strip():
                number += 1
                yield number, _object(line)


def _json_array(path: Path, encoding: str) -> Iterator[Numbered]:
    try:
        items = json.loads(path.read_text(encoding), parse_constant=_nothing)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path}: not readable as a JSON list: {error}") from error
    for number, item in enumerate(items, 1):
        yield number, item if isinstance(item, dict) else "not a JSON object"


def _object(line: str) -> Row | str:
    try:
        item = json.loads(line, parse_constant=_nothing)
    except (ValueError, RecursionError) as error:
        return f"not readable as JSON: {error}"
    return item if isinstance(item, dict) else "not a JSON object"


def _nothing(_: str) -> None:
    """NaN and Infinity are no values."""


def _parquet(path: Path) -> Any:
    import pyarrow as pa  # loads much: only where such a file is read
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"{path}: not readable as Parquet: {error}") from error


def _parquet_rows(path: Path, notes: list[str]) -> Iterator[Numbered]:
    import pyarrow as pa

    number = 0
    try:
        for batch in _parquet(path).iter_batches(batch_size=1000):
            for row in batch.to_pylist():
                number += 1
                yield number, row
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"{path}: broken after row {number}: {error}") from error
