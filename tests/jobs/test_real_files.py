"""Real files of texts that are not published: every row is taken, and a second import adds none."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from jobs.importing import import_file
from tests.jobs.world import counts, runtime_in


@pytest.mark.parametrize(("name", "rows"), [("sentiment_airline", 12_120), ("civic_311", None)])
def test_every_row_of_a_real_file_is_taken_once(shared: Path, tmp_path: Path, name: str, rows: int | None) -> None:
    file = shared / "data" / "train" / f"{name}.parquet"
    there = pq.ParquetFile(file).metadata.num_rows
    assert rows is None or there == rows
    runtime = runtime_in(tmp_path)
    first, second = (
        import_file(runtime, file, mapping={}, platform="import", timezone="UTC").to_dict() for _ in range(2)
    )
    assert first["read"] == there == first["new"] + first["updated"] + first["duplicates"]
    assert (first["rejected"], first["why"]) == (0, [])
    assert counts(runtime)["mentions"] == first["new"] > 0.9 * there
    assert (second["read"], second["new"], second["updated"], second["rejected"]) == (there, 0, 0, 0)
    runtime.store.close()
