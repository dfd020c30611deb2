import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as rules
from hypothesis import strategies as st

from collectors.files import Chunk, parse_map, read_file
from core.errors import BadInput
from core.mention import Kind, Mention, Point
from tests.conftest import NOW

EAST = ZoneInfo("America/New_York")


def read(path: Path, mapping: str = "", platform: str = "import", **more: Any) -> list[Chunk]:
    return list(read_file(path, parse_map(mapping), platform, EAST, NOW, **more))


def mentions(chunks: Iterable[Chunk]) -> list[Mention]:
    return [mention for chunk in chunks for mention in chunk.mentions]


def rejected(chunks: Iterable[Chunk]) -> list[tuple[int, str]]:
    return [why for chunk in chunks for why in chunk.rejected]


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_a_row_with_everything(tmp_path: Path) -> None:
    file = write(
        tmp_path / "a.csv",
        "id,title,body,created,url,author,rating,lang,lat,lon,platform,parent\n"
        '7,Water,"No water, again",2026-03-01 10:00,https://x.example/7,Ana,"4,5",es,35.5,-80,Yelp,3\n',
    )
    (mention,) = mentions(read(file))
    assert mention.platform == "yelp"
    assert mention.external_id == "7"
    assert mention.text == "Water\n\nNo water, again"
    assert mention.posted_at == datetime(2026, 3, 1, 15, tzinfo=UTC)
    assert (mention.url, mention.stars, mention.language, mention.parent) == ("https://x.example/7", 4.5, "es", "3")
    assert mention.kind is Kind.REVIEW
    assert mention.point == Point(latitude=35.5, longitude=-80)
    assert mention.seen_at == NOW


def test_mapped_columns_win_over_guessed_ones(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "text;Beschwerde;wann;stars\nnot this;Kein Wasser;2026-03-01;9\n")
    (mention,) = mentions(read(file, "text=Beschwerde,time=wann,stars="))
    assert mention.text == "Kein Wasser"
    assert mention.posted_at == datetime(2026, 3, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("mapping", "why"),
    [("text=nowhere", "no such column"), ("txt=a", "write FIELD=COLUMN"), ("text", "write FIELD=COLUMN")],
)
def test_a_wrong_mapping_says_what_there_is(tmp_path: Path, mapping: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        read(write(tmp_path / "a.csv", "a,b\n1,2\n"), mapping)


def test_without_a_text_column_nothing_is_guessed(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"--map text=COLUMN; there are 'a', 'b'"):
        read(write(tmp_path / "a.csv", "a,b\n1,2\n"))


def test_rows_without_an_id_get_the_same_one_each_time(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "text,date\nsame,2026-03-01\nsame,2026-03-01\nsame,2026-03-02\nsame,\n")
    first, second, other_day, undated = mentions(read(file))
    assert first.external_id == second.external_id
    assert len({first.external_id, other_day.external_id, undated.external_id}) == 3
    assert undated.posted_at is None
    assert [m.external_id for m in mentions(read(file))] == [m.external_id for m in mentions(read(file))]


def test_ids_a_spreadsheet_has_rounded_are_not_used(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "id,text\n5.70306E+17,one\n5.70306E+17,two\n570306000000000001,three\n")
    one, two, three = mentions(read(file))
    assert one.external_id.startswith("row:")
    assert one.external_id != two.external_id
    assert three.external_id == "570306000000000001"


def test_numbers_as_ids_and_missing_values_of_every_kind(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": [1.0, None, float("nan"), 2.0**60],
            "text": ["one", "two", "three", "four"],
            "created": pa.array([datetime(2026, 3, 1), None, None, None], pa.timestamp("ns")),  # noqa: DTZ001
            "lat": [float("nan"), 1.0, 2.0, 3.0],
            "lon": [1.0, None, 500.0, 4.0],
            "rating": [0, None, 5, 3],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    one, two, three, four = mentions(read(tmp_path / "a.parquet"))
    assert one.external_id == "1"
    assert one.posted_at == datetime(2026, 3, 1, 5, tzinfo=UTC)
    assert one.stars is None
    assert [m.point for m in (one, two, three)] == [None, None, None]
    assert four.point == Point(latitude=3, longitude=4)
    assert all(m.external_id.startswith("row:") and m.posted_at is None for m in (two, three, four))


def test_each_rejected_row_says_why_and_none_is_lost(tmp_path: Path) -> None:
    file = write(
        tmp_path / "a.csv",
        "text,time,stars\n"
        "fine,,\n"
        ",2026-03-01,\n"
        "when?,soon,\n"
        "too good,,11\n"
        "one,2,3,4,5\n"
        '"half" quoted,,\n'
        "fine too,,5\n"
        '"never closed,,\n',
    )
    chunks = read(file)
    assert [number for number, _ in rejected(chunks)] == [2, 3, 4, 5, 6, 8]
    words = " | ".join(why for _, why in rejected(chunks))
    for part in ("no text", "'soon' cannot be read", "--map stars=", "5 columns where the header has 3", "CSV"):
        assert part in words
    assert sum(chunk.read for chunk in chunks) == len(mentions(chunks)) + len(rejected(chunks)) == 8


def test_json_lines_with_bad_ones_among_them(tmp_path: Path) -> None:
    file = write(
        tmp_path / "a.jsonl",
        '{"text": "one", "id": 12345678901234567890}\n\nnot json\n[1]\n{"text": {"a": 1}}\n'
        '{"body": "two \\ud800", "lat": NaN}\n{"nothing": 1}\n' + "[" * 100_000 + "\n",
    )
    chunks = read(file)
    assert [m.text for m in mentions(chunks)] == ["one", "two �"]
    assert mentions(chunks)[0].external_id == "12345678901234567890"
    assert [number for number, _ in rejected(chunks)] == [2, 3, 4, 6, 7]


def test_a_json_list_is_read_too(tmp_path: Path) -> None:
    file = write(tmp_path / "a.json", json.dumps([{"text": "one"}, 2, {"text": "three"}]))
    assert [m.text for m in mentions(read(file))] == ["one", "three"]


@pytest.mark.parametrize(
    ("content", "text", "noted"),
    [
        ("text\ncafé\n".encode(), "café", False),
        ("\ufefftext\ncafé\n".encode(), "café", False),
        ("text\ncafé\n".encode("utf-16"), "café", False),
        ("text\ncafé\n".encode("cp1252"), "café", True),
        (b"text\nca\x81f\xe9\n", "ca�fé", True),
        (b"text\nca\x00f\n", "caf", False),
    ],
)
def test_encodings(tmp_path: Path, content: bytes, text: str, noted: bool) -> None:
    chunks = read(write(tmp_path / "a.csv", content))
    assert [m.text for m in mentions(chunks)] == [text]
    assert ["Windows-1252" in note for chunk in chunks for note in chunk.notes] == [True] * noted


def test_formulas_and_markup_are_text(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", 'text\n"=HYPERLINK(""http://evil.example"")"\n<b>bold</b> &amp; loud\n')
    assert [m.text for m in mentions(read(file))] == ['=HYPERLINK("http://evil.example")', "bold & loud"]


def test_long_texts_are_kept_and_absurd_ones_rejected(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", f"text\n{'ab ' * 33_333}c\n{'x' * 1_000_001}\n")
    chunks = read(file)
    assert [len(m.text) for m in mentions(chunks)] == [100_000]
    assert "1,000,001" in rejected(chunks)[0][1]


def test_reading_goes_on_where_it_stopped(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "text\n" + "".join(f"row {n}\n" for n in range(1203)))
    assert [chunk.read for chunk in read(file)] == [500, 500, 203]
    assert [m.text for m in mentions(read(file, skip=1200))] == ["row 1200", "row 1201", "row 1202"]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [("a.xlsx", b"PK", "save it as"), ("a.parquet", b"nothing", "Parquet"), ("a.json", b"[1,", "JSON list")],
)
def test_a_file_that_is_no_table(tmp_path: Path, name: str, content: bytes, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        read(write(tmp_path / name, content))


def test_no_file_and_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file"):
        read(tmp_path / "nowhere.csv")
    assert read(write(tmp_path / "empty.csv", b"")) == []


@pytest.mark.parametrize("ending", ["csv", "jsonl", "json", "parquet"])
@given(
    content=st.binary()
    | st.text().map(str.encode)
    | st.lists(st.sampled_from(list('text,"\n{}[]:1\\;é'))).map("".join).map(str.encode)
)
@rules(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_bytes_are_read_or_refused_with_a_reason(tmp_path: Path, ending: str, content: bytes) -> None:
    file = write(tmp_path / f"a.{ending}", content)
    try:
        chunks = read(file, "")
    except BadInput:
        return
    assert sum(c.read for c in chunks) == len(mentions(chunks)) + len(rejected(chunks))


@pytest.mark.parametrize(
    ("name", "rows", "distinct"),
    [("sentiment_airline", 12_120, 12_120), ("civic_311", 8_720, 8_440), ("sentiment_yelp", 8_694, 8_693)],
)
def test_real_exports_are_read_whole(shared: Path, name: str, rows: int, distinct: int) -> None:
    chunks = read(shared / "data" / "train" / f"{name}.parquet")
    assert sum(chunk.read for chunk in chunks) == rows
    assert rejected(chunks) == []
    assert len({m.external_id for m in mentions(chunks)}) == distinct
