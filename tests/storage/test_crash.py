"""kill -9 in the middle of a batch: nothing is half there, and doing it again doubles nothing."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import text

from storage import audit, series
from storage.engine import Store, open_store
from tests.conftest import ROOT

TOTAL = 1_500
BATCH = 100

#: Collects TOTAL posts, BATCH a transaction, from where the cursor stands; each batch decides one thing.
WRITER = f"""
import sys
from datetime import timedelta
from storage import audit, coverage, mentions, sources, work
from storage.engine import open_store
from tests.conftest import NOW
from tests.storage.build import LINKER, batch, post, whole
store = open_store(sys.argv[1])
with store.write() as tx:
    sources.sync(tx, {{"town": ("feed", 60, True)}}, NOW)
while True:
    with store.read() as read:
        start = int(sources.cursor(read, "town") or 0)
    if start >= {TOTAL}:
        break
    items = [post(n, f"text {{n}}", posted_at=NOW - timedelta(minutes=n)) for n in range(start, start + {BATCH})]
    with store.write() as tx:
        added = mentions.add(tx, "town", batch(*items), now=NOW)
        coverage.record(tx, "town", f"unit:{{start}}", whole(), items, added, NOW)
        work.add(tx, "score", f"score:{{start}}", {{"ids": added.new}}, NOW)
        audit.append(tx, LINKER, "stored", "batch", "", None, start, NOW)
        sources.set_cursor(tx, "town", str(start + {BATCH}))
print("done")
"""


def check(store: Store) -> int:
    """Everything agrees with the cursor; return it."""
    one = "SELECT count(*) FROM "
    with store.read() as read:
        cursor = int(read.execute(text("SELECT max(cursor) FROM source")).scalar() or 0)
        counts = [
            read.execute(text(sql)).scalar()
            for sql in (
                f"{one} mention",
                f"{one} mention_key",
                f"{one} reading",
                f"{one} sighting",
                f"{one} mention_search WHERE mention_search MATCH 'text'",
                "SELECT coalesce(sum(new), 0) FROM coverage_hour",
                "SELECT coalesce(sum(fetched), 0) FROM coverage_hour",
            )
        ]
        assert counts == [cursor] * len(counts)
        assert read.execute(text(f"{one} work_unit")).scalar() == cursor // BATCH
        found = audit.verify(read)
        assert (found.ok, found.rows) == (True, cursor // BATCH)
        assert read.execute(text("PRAGMA quick_check")).scalar() == "ok"
    return cursor


def test_killed_anywhere_nothing_is_lost_and_nothing_doubled(sqlite: Store, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'only.db'}"
    sqlite.close()
    rng, stood = random.Random(7), [0]
    for attempt in range(12):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, url], cwd=ROOT, stdout=subprocess.PIPE)
        if attempt < 3:
            deadline = time.monotonic() + 20
            while _cursor(url) == stood[-1] and writer.poll() is None and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(rng.random() * 0.08)
            os.kill(writer.pid, signal.SIGKILL)
        writer.wait(timeout=60)
        assert writer.stdout is not None
        writer.stdout.close()
        store = open_store(url)
        stood.append(check(store))
        store.close()
        if stood[-1] == TOTAL:
            break
    assert stood == sorted(stood)
    assert stood[-1] == TOTAL
    assert len({s for s in stood if 0 < s < TOTAL}) >= 1, "no kill hit the middle"
    store = open_store(url)
    with store.write() as tx:
        series.rebuild(tx, series.dirty(tx, 10_000))
        assert series.check(tx) == []
    store.close()


def _cursor(url: str) -> int:
    store = open_store(url)
    with store.read() as read:
        found = int(read.execute(text("SELECT max(cursor) FROM source")).scalar() or 0)
    store.close()
    return found
