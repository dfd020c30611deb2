import json
import os
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.sources.folder import FolderCollector, FolderOptions, parse
from core.batch import Backfill, Batch, Budget, Head, Missed, Recheck, Task
from core.errors import SourceChanged, SourceDown, SourceError
from tests.conftest import NOW


def drop(folder: Path, name: str, content: str, minutes: float = 10) -> Path:
    """A file that was put there so many minutes ago."""
    path = folder / name
    path.write_text(content)
    then = (NOW - timedelta(minutes=minutes)).timestamp()
    os.utime(path, (then, then))
    return path


def rows(n: int, first: int = 0) -> str:
    return "id,text\n" + "".join(f"{at},row {at}\n" for at in range(first, first + n))


def collector(folder: Path) -> FolderCollector:
    return FolderCollector(path=folder, name="drops", clock=lambda: NOW, zone=ZoneInfo("America/New_York"))


def run(folder: Path, task: Task | None = None, cursor: str | None = None, budget: Budget | None = None) -> list[Batch]:
    deadline = NOW + timedelta(minutes=4)
    return list(collector(folder).collect(task or Head(), cursor, budget or Budget(), deadline))


def ids(batches: list[Batch]) -> list[str]:
    return [mention.external_id for batch in batches for mention in batch.mentions]


def test_each_file_is_read_once_and_again_when_it_changes(tmp_path: Path) -> None:
    drop(tmp_path, "b.csv", rows(2), minutes=20)
    drop(tmp_path, "a.csv", rows(2, 2), minutes=10)
    drop(tmp_path, "notes.docx", "not ours")
    first = run(tmp_path)
    assert ids(first) == ["0", "1", "2", "3"]
    assert first[-1].coverage.complete
    assert ids(run(tmp_path, cursor=first[-1].cursor)) == []
    drop(tmp_path, "a.csv", rows(3, 2), minutes=5)
    assert ids(run(tmp_path, cursor=first[-1].cursor)) == ["2", "3", "4"]


def test_a_file_that_is_still_written_waits(tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", rows(2), minutes=0)
    assert ids(run(tmp_path)) == []


@pytest.mark.parametrize("budget", [Budget(mentions=600), Budget(mentions=1)])
def test_what_the_budget_leaves_is_read_by_backfills_from_any_batch_on(tmp_path: Path, budget: Budget) -> None:
    drop(tmp_path, "a.csv", rows(1200), minutes=20)
    drop(tmp_path, "b.csv", rows(700, 1200), minutes=10)
    whole = {str(n) for n in range(1900)}
    head = run(tmp_path, budget=budget)
    assert head[-1].coverage.reason is Missed.PENDING
    for stored in range(1, len(head) + 1):
        found, gap = {*ids(head[:stored])}, head[stored - 1].coverage
        while not gap.complete:
            rest = run(tmp_path, Backfill(since=gap.since, until=gap.until, resume=gap.resume), budget=budget)
            assert all(batch.cursor is None for batch in rest)
            found |= {*ids(rest)}
            gap = rest[-1].coverage
        assert found == whole
    assert ids(run(tmp_path, cursor=head[0].cursor)) == []


def test_rejected_rows_and_files_are_named_and_stop_nobody(tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", "name,age\nAna,7\n", minutes=30)
    drop(tmp_path, "b.csv", "text,time\nfine,\nwhen,soon\n", minutes=20)
    drop(tmp_path, "c.parquet", "nothing", minutes=10)
    batches = run(tmp_path)
    assert [m.text for batch in batches for m in batch.mentions] == ["fine"]
    named = [name for batch in batches for name, _ in batch.coverage.rejected]
    assert named == ["a.csv", "b.csv:2", "c.parquet"]
    assert batches[-1].coverage.complete


def test_a_note_leads_to_no_file_outside(tmp_path: Path) -> None:
    drop(tmp_path, "secret.csv", rows(1))
    inside = tmp_path / "inside"
    inside.mkdir()
    (batch,) = run(inside, Backfill(since=None, until=NOW, resume=json.dumps([["../secret.csv", 0]])))
    assert batch.mentions == ()
    assert batch.coverage.rejected[0][0] == "secret.csv"


def test_recheck_has_nothing_to_do(tmp_path: Path) -> None:
    (batch,) = run(tmp_path, Recheck(ids=("1",)))
    assert batch.coverage.complete
    assert batch.deletions == ()


def test_a_missing_folder_is_down_and_a_foreign_cursor_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceDown, match="cannot be read"):
        run(tmp_path / "nowhere")
    for cursor in ("not ours", "[]", "{}"):
        with pytest.raises(SourceChanged):
            run(tmp_path, cursor=cursor)
    with pytest.raises(SourceChanged):
        run(tmp_path, Backfill(since=None, until=NOW, resume="not ours"))


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="is none of text"):
        FolderOptions(path=Path(), map={"txt": "a"})
    with pytest.raises(ValueError, match="America/Chicago"):
        FolderOptions(path=Path(), timezone="Mars")


@pytest.mark.parametrize(
    ("data", "n"), [(b"text\none\n", 1), (b'{"text": "one"}\n{"text": "two"}', 2), (b'[{"text": "a"}]', 1)]
)
def test_the_kind_of_a_file_is_seen_in_its_bytes(data: bytes, n: int) -> None:
    assert len(parse(data, NOW).mentions) == n


@given(st.binary())
def test_any_bytes_are_read_or_raise_ours(data: bytes) -> None:
    try:
        page = parse(data, NOW)
    except SourceError as error:
        assert "/" not in error.message.split(":")[0]  # noqa: PT017 (a path of this machine is nobody's business)
        return
    assert page.listed == len(page.mentions) + len(page.rejected)
