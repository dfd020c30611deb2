"""kill -9 of the whole service, a dozen times, each while a unit of a chosen stage is in hand.

    python -m benchmarks.crash [--mentions 20000] [--real]

A supervisor runs two processes, as `openear run` does: one that holds the model, one for all else. Both stand still at
the chosen moment, in the middle of a transaction or before its unit is noted as done; then all three are killed and
started again. In the end mentions, scores, links, cases, alerts and roll-ups must be those of a run that nobody
disturbed. --real reads with the weights that ship; otherwise with a few rules, so that the run is about the flow.
"""

import argparse
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from sample.server import serve
from sample.site import Faults
from sample.world import World, world
from storage import audit, series
from tests.conftest import NOW
from tests.jobs.crashing import Halt, finished, kill_tree, leased, prepared, said, start, wait_for
from tests.jobs.servers import Posts, web_server
from tests.jobs.world import Ticking, holds, rows

WHEN = NOW - timedelta(days=2)
SECONDS = 1800.0
KILLS = (
    Halt("import", "inside", nth=12, alone=True),
    Halt("calls", "inside", alone=True),
    Halt("forecast", "after", alone=True),
    Halt("request", "after", alone=True),
    Halt("collect", "inside", nth=2, alone=True),
    Halt("score", "inside", skip=3, alone=True),
    Halt("score", "after", skip=5, alone=True),
    Halt("link", "inside", nth=9, alone=True),
    Halt("link", "inside", nth=21, alone=True),
    Halt("series", "inside", alone=True),
    Halt("alert", "inside", nth=2, skip=40, alone=True),
    Halt("retain", "before", alone=True),
)


def run(folder: Path, mentions: int, maple: World, *, real: bool) -> bool:
    """Print what happened; False if anything differs."""
    with serve(0, maple, Ticking(WHEN), Faults(limit=1_000_000)) as site, web_server(Posts()) as posts:
        calm, wild = (
            prepared(folder / name, site.base, posts.url, mentions, WHEN, real=real) for name in ("calm", "wild")
        )
        began = time.monotonic()
        finished(folder / "calm", start(folder / "calm", "tree", Halt()), SECONDS)
        print(f"undisturbed: {time.monotonic() - began:.0f} s")
        began = time.monotonic()
        for number, halt in enumerate(KILLS, 1):
            process = start(folder / "wild", "tree", halt)
            met = wait_for(folder / "wild", process, SECONDS)
            killed = kill_tree(process)
            if met != "hit":
                print(f"{halt}: {met}, not met\n{said(folder / 'wild')}")
                return False
            held = sorted({stage for stage, _ in leased(wild)}) or ["(an import holds no unit)"]
            there = rows(wild, "SELECT count(*) FROM mention")[0][0]
            print(f"kill {number:2}: {killed} processes, in hand: {', '.join(held):24} {there:7,} mentions so far")
        finished(folder / "wild", start(folder / "wild", "tree", Halt()), SECONDS)
        print(f"with {len(KILLS)} kills: {time.monotonic() - began:.0f} s")
    expected, found = holds(calm), holds(wild)
    same = True
    for name, rows_of in expected.items():
        equal = found[name] == rows_of
        same = same and equal
        print(
            f"{name:10} {len(rows_of):8,} undisturbed {len(found[name]):8,} with kills  {'same' if equal else 'DIFFER'}"
        )
    left = rows(wild, "SELECT stage, state, count(*) FROM work_unit WHERE state <> 'done' GROUP BY stage, state")
    with wild.store.read() as read:
        whole, differences = audit.verify(read), series.check(read)
    print(f"units left: {left or 'none'}; audit chain whole: {whole.ok}; roll-ups that differ: {len(differences)}")
    calm.store.close()
    wild.store.close()
    return same and not left and whole.ok and not differences


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mentions", type=int, default=20_000)
    parser.add_argument("--real", action="store_true", help="read with the weights that ship")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        same = run(Path(folder), chosen.mentions, world(NOW), real=chosen.real)
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
