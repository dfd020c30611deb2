"""Rows a second through collect and store into SQLite: `python -m benchmarks.collect [--rows 20000]`.

Pages of a Mastodon timeline, as a server sends them, go through the source's own parse(), are protected (personal data
masked, authors made pseudonyms) and stored with coverage, cursor and the order to score them: what a collecting unit
does, without the wait for a server. CPU seconds are given beside the wall's, as other programs run on a machine too.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from collectors.answers.mastodon import parse
from core.batch import Batch, Coverage, Head
from core.settings import Settings
from jobs.build import Runtime, open_runtime
from jobs.collect import store_batch
from storage import sources

PAGE = 40
BATCH = 500
NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
SAID = (
    "The pothole on Alder Street is back again, number {n}: a bus nearly lost a wheel this morning and nobody came",
    "No water at Mill Yard since six, please tell us when it will be back. Call me on 202-555-0143 ({n})",
    "Thanks to the crew at Tern Avenue for the quick work on house {n}, the lamp is bright and the road is safe again",
    "Basura sin recoger en la calle Heron desde el lunes, casa {n}, huele muy mal y hay ratas, por favor vengan",
)


def pages(rows: int) -> list[bytes]:
    """So many statuses, as answers of a server."""
    statuses = [_status(n) for n in range(rows)]
    return [json.dumps(statuses[start : start + PAGE]).encode() for start in range(0, rows, PAGE)]


def _status(n: int) -> dict[str, Any]:
    at = (NOW - timedelta(seconds=60 * n)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    who = f"https://social.example/users/resident{n % 997}"
    return {
        "id": str(10**17 - n),
        "uri": f"{who}/statuses/{10**17 - n}",
        "url": f"https://social.example/@resident{n % 997}/{10**17 - n}",
        "created_at": at,
        "edited_at": None,
        "visibility": "public",
        "language": "en",
        "spoiler_text": "",
        "content": f'<p>{SAID[n % len(SAID)].format(n=n)} <a href="https://social.example/tags/x">#<span>x</span></a></p>',
        "in_reply_to_id": None,
        "reblog": None,
        "account": {"id": str(n % 997), "acct": f"resident{n % 997}", "uri": who, "noindex": False},
        "media_attachments": [],
    }


def batches(answers: list[bytes]) -> Iterator[Batch]:
    """What parse() makes of them, BATCH mentions at a time."""
    waiting: list[Any] = []
    for number, answer in enumerate(answers):
        waiting += parse(json.loads(answer), NOW).mentions
        if len(waiting) >= BATCH or number == len(answers) - 1:
            whole = Coverage(since=NOW - timedelta(days=30), until=NOW, complete=True)
            yield Batch(mentions=tuple(waiting), coverage=whole, cursor=str(number))
            waiting = []


def measure(rows: int, folder: Path) -> dict[str, float]:
    """Rows a second of each step and of all together."""
    runtime: Runtime = open_runtime(Settings(data_dir=folder), migrate=True)
    with runtime.store.write() as tx:
        sources.sync(tx, {"town": ("mastodon", 300, True)}, NOW)
    answers = pages(rows)
    figures = {}
    cpu, wall = time.process_time(), time.perf_counter()
    made = list(batches(answers))
    figures["parse"] = rows / (time.process_time() - cpu)
    middle = time.process_time()
    safe = [runtime.protect(batch, NOW) for batch in made]
    figures["mask and pseudonyms"] = rows / (time.process_time() - middle)
    del safe
    all_cpu, all_wall = time.process_time(), time.perf_counter()
    for batch in batches(answers):
        store_batch(runtime, "town", replace(batch), Head(), "run")
    figures["collect + store, CPU"] = rows / (time.process_time() - all_cpu)
    figures["collect + store, wall"] = rows / (time.perf_counter() - all_wall)
    del cpu, wall
    runtime.store.close()
    return figures


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, value in measure(chosen.rows, Path(folder)).items():
            print(f"{name:34} {value:10,.0f} rows/s")
    print(f"{'wanted: collect + store':34} {5000:10,} rows/s")


if __name__ == "__main__":
    main()
