"""The whole flow: `python -m benchmarks.flow [--mentions 10000] [--rules]`.

So many mentions of the invented city, newest first, are stored, read by the model that ships, linked and rolled up by
the product's own stages, one after the other in one process. --rules reads with a few rules instead, so that the rest
can be looked at quickly.
"""

import argparse
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from core.batch import Backfill
from core.settings import Agency, Model, Settings
from jobs.build import Runtime
from jobs.collect import store_batch
from jobs.schedule import tick
from jobs.work import run_unit
from jobs.worker import STAGES
from sample import city, history
from sample.world import world
from storage import series
from storage.engine import open_store, upgrade
from tests.conftest import NOW
from tests.jobs.world import Words, rows

SIZE = 500


@contextmanager
def timed(figures: dict[str, tuple[float, float]], name: str) -> Iterator[None]:
    """Seconds of the wall and of the processor, under that name."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    figures[name] = (time.perf_counter() - wall, time.process_time() - cpu)


def measure(mentions: int, folder: Path, cache: Path, *, rules: bool) -> tuple[dict[str, tuple[float, float]], Runtime]:
    """Seconds of each stage."""
    agency = Agency.model_validate(city.agency())
    settings = Settings(data_dir=folder, agency=agency, model=Model(threads=2))
    upgrade(settings.url)
    runtime = Runtime(settings=settings, store=open_store(settings.url), clock=lambda: NOW, rng=random.Random(0))
    if rules:
        runtime.classifier, runtime.model = Words(), Words.model
    else:
        from nlp.classifier import load

        runtime.classifier = load(None, threads=2, cache=cache, agency=agency)
    maple = world(NOW)
    told = list(islice(history.batches(maple, NOW, size=SIZE), -(-mentions // SIZE)))
    figures: dict[str, tuple[float, float]] = {}
    with timed(figures, "store"):
        for batch in reversed(told):
            store_batch(runtime, "history", batch, Backfill(since=None, until=NOW), "bench")
    for name, stage in (("score", "score"), ("link", "link"), ("roll up", "series")):
        tick(runtime)
        with timed(figures, name):
            while run_unit(runtime, STAGES, stage):
                pass
    return figures, runtime


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mentions", type=int, default=10_000)
    parser.add_argument("--cache", type=Path, default=Path("var/model"), help="where the exported encoder is kept")
    parser.add_argument("--rules", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures, runtime = measure(chosen.mentions, Path(folder), chosen.cache, rules=chosen.rules)
        [(stored,)] = rows(runtime, "SELECT count(*) FROM mention")
        [(linked,)] = rows(runtime, "SELECT count(*) FROM case_link")
        [(cases,)] = rows(runtime, "SELECT count(*) FROM cases")
        with runtime.store.read() as read:
            differences = len(series.check(read))
        runtime.store.close()
    print(f"{stored:,} mentions stored, {linked:,} decided, {cases:,} cases, {differences} roll-ups that differ")
    for name, (wall, cpu) in figures.items():
        print(f"{name:12} {wall:8.1f} s   {stored / wall:9,.0f} a second   processor {cpu:8.1f} s")
    total = sum(wall for wall, _ in figures.values())
    print(f"{'all':12} {total:8.1f} s   for 10,000: {total * 10_000 / stored:.1f} s")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB in this one process")


if __name__ == "__main__":
    main()
