"""Storage: rows a second in, milliseconds a page out.

    python -m benchmarks.storage [--rows 200000] [--url sqlite:///...]

Loads that many invented mentions in batches of 500 with coverage and cursor, as a collector's run does, scores and
rolls them up, and asks what the pages ask. Without --url a SQLite file in a temporary folder is used and removed.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, text

from core.actor import job
from core.batch import Batch, Coverage
from core.case import CaseDraft, Link, Rule, Verdict
from core.mention import Author, Kind, Mention
from core.scores import TOPICS, Scores, Sentiment, Topic
from storage import cases, coverage, desk, mentions, scores, search, series, sources, work
from storage.engine import Store, open_store, upgrade

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
DAYS = 540
BATCH = 500
SOURCES = ("town_tag", "county_tag", "news", "reviews", "sky")
WORDS = [f"{a}{b}" for a in ("wa", "stre", "roa", "pip", "no", "tra", "bu", "la") for b in "abcdefghijklmnopqrst"]


def made_up(rows: int, rng: random.Random) -> Iterator[list[Mention]]:
    """Mentions of 26 words, oldest first, in batches."""
    step = timedelta(days=DAYS) / rows
    for start in range(0, rows, BATCH):
        yield [_mention(n, NOW - timedelta(days=DAYS) + n * step, rng) for n in range(start, min(start + BATCH, rows))]


def _mention(number: int, at: datetime, rng: random.Random) -> Mention:
    return Mention(
        platform=("mastodon", "bluesky")[number % 2],
        external_id=f"https://harbor.example/users/{number % 997}/statuses/{number}",
        version="1",
        kind=Kind.POST,
        text=" ".join(rng.choices(WORDS, k=25)) + f" n{number}",
        seen_at=at,
        posted_at=at,
        url=f"https://harbor.example/{number}",
        author=Author(pseudonym=f"{number % 9973:064x}", epoch="2026-1"),
        language="en",
    )


def _scores(rng: random.Random) -> Scores:
    negative = rng.random()
    topic = rng.choice(TOPICS)
    return Scores(
        model="bench",
        revision="1",
        language="en" if rng.random() < 0.8 else "es",
        about_us=0.9,
        needs_answer=rng.random(),
        sentiment=Sentiment(negative=negative, neutral=(1 - negative) / 2, positive=(1 - negative) / 2),
        topics=(Topic(name=topic, probability=0.9),),
        urgency=rng.random(),
        safety=rng.random() / 2,
        vector=rng.randbytes(768),
    )


class Watch:
    """Measures only what runs inside it: seconds by the wall, and of this process's work."""

    def __init__(self) -> None:
        self.wall = self.work = 0.0

    def __enter__(self) -> None:
        self._from = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        self.wall += time.perf_counter() - self._from[0]
        self.work += time.process_time() - self._from[1]

    def rate(self, rows: int) -> str:
        """Rows a second."""
        return f"{rows / self.wall:10,.0f} rows/s ({rows / self.work:,.0f} a second of this process's own time)"


def load(store: Store, rows: int, rng: random.Random) -> str:
    """Store all; rows a second."""
    with store.write() as tx:
        sources.sync(tx, {name: ("feed", 300, True) for name in SOURCES}, NOW)
    watch = Watch()
    for n, items in enumerate(made_up(rows, rng)):
        whole = Coverage(since=items[0].posted_at, until=items[-1].seen_at, complete=True)
        batch = Batch(mentions=tuple(items), coverage=whole, cursor=str(n))
        source = SOURCES[n % len(SOURCES)]
        with watch, store.write() as tx:
            added = mentions.add(tx, source, batch, now=NOW)
            coverage.record(tx, source, f"run:{n}", whole, items, added, NOW)
            sources.set_cursor(tx, source, batch.cursor)
            work.add(tx, "score", f"score:{n}", {"ids": added.new}, NOW)
    return watch.rate(rows)


def read_all(store: Store, rng: random.Random) -> str:
    """Score all; rows a second."""
    watch, after, n = Watch(), 0, 0
    while True:
        with store.read() as read:
            ids = mentions.unscored(read, "bench@1", after, 1000)
            passages = mentions.passages(read, ids)
        if not ids:
            return watch.rate(n)
        scored = [(i, mentions.text_hash(p.text), _scores(rng)) for i, p in passages]
        with watch, store.write() as tx:
            scores.add(tx, scored, NOW)
        after, n = ids[-1], n + len(ids)


def decide_all(store: Store, rows: int) -> str:
    """Decide about the newest: one in ten opens a case; decisions a second, audited."""
    watch, n = Watch(), 0
    after = max(0, rows - 20_000)
    while True:
        with store.read() as read:
            ids = cases.unlinked(read, after, 500)
        if not ids:
            return watch.rate(n)
        with watch, store.write() as tx:
            for i in ids:
                _decide(tx, i)
        after, n = ids[-1], n + len(ids)


def _decide(tx: Connection, mention_id: int) -> None:
    actor = job("link")
    if mention_id % 10:
        cases.link(tx, mention_id, Link(verdict=Verdict.IGNORE, rule=Rule.NONE), NOW, actor)
        return
    draft = CaseDraft(key=f"mention:{mention_id}", title="t", body="b", topic=None, urgency=0.1, safety=0.1)
    case_id = cases.open(tx, draft.key, draft, NOW, actor)
    cases.link(tx, mention_id, Link(verdict=Verdict.OPEN, rule=Rule.NEW, case_id=case_id), NOW, actor)


def pages(store: Store) -> dict[str, Callable[[Connection], object]]:
    """What the pages ask."""
    del store
    today = NOW.date()
    ninety = today - timedelta(days=90)
    hours = NOW - timedelta(days=14)
    return {
        "sentiment: 90 days": lambda r: series.mention_days(r, ninety, today + timedelta(days=1)),
        "sentiment: 90 days, one topic": lambda r: series.mention_days(r, ninety, today, topic="noise"),
        "sentiment: 90 days by topic": lambda r: series.topic_days(r, ninety, today),
        "sentiment: all 540 days": lambda r: series.mention_days(r, date(2024, 1, 1), today),
        "sentiment: 14 days by hour": lambda r: series.mention_hours(r, hours, NOW),
        "desk: most urgent 25": lambda r: desk.inbox(r),
        "desk: newest 25": lambda r: desk.inbox(r, order="newest"),
        "desk: newest 25 of a topic": lambda r: desk.inbox(r, order="newest", topic="noise"),
        "desk: badges": lambda r: desk.counts(r),
        "desk: one mention": lambda r: mentions.one(r, 1_000),
        "cases: newest 25": lambda r: cases.page(r),
        "cases: candidates of 7 days": lambda r: cases.candidates(r, now=NOW, days=7),
        "sources: ledger of 7 days": lambda r: coverage.ledger(r, NOW - timedelta(days=7), NOW),
        "search: a rare word": lambda r: search.search(r, "n12345"),
        "search: two common words": lambda r: search.search(r, "waa strea"),
        "work: counts": work.counts,
    }


def milliseconds(store: Store, ask: Callable[[Connection], object], times: int = 7) -> tuple[float, float]:
    """First and median."""
    taken = []
    for _ in range(times):
        with store.read() as read:
            started = time.perf_counter()
            ask(read)
            taken.append((time.perf_counter() - started) * 1000)
    return taken[0], statistics.median(taken)


def roll_up(store: Store) -> float:
    """Rebuild all dirty hours; seconds."""
    started = time.perf_counter()
    while True:
        with store.write() as tx:
            hours = series.dirty(tx, 2000)
            if not hours:
                return time.perf_counter() - started
            series.rebuild(tx, hours, timezone="America/New_York")


def run(url: str, rows: int) -> None:
    """Print the figures."""
    rng = random.Random(1)
    upgrade(url)
    store = open_store(url)
    print(f"{store.dialect}, {rows:,} mentions of 26 words over {DAYS} days")
    print(f"{'mentions, coverage, cursor, unit':34} {load(store, rows, rng)}")
    print(f"{'scores and what counts':34} {read_all(store, rng)}")
    print(f"{'decisions with audit (last 20,000)':34} {decide_all(store, rows)}")
    print(f"{'roll-ups of all hours':34} {roll_up(store):10.1f} s")
    if store.dialect == "postgresql":
        with store.write() as tx:
            tx.execute(text("ANALYZE"))
    with store.read() as read:
        started = time.perf_counter()
        differences = len(series.check(read))
        print(
            f"{'nightly check of the roll-ups':34} {time.perf_counter() - started:10.1f} s, {differences} differences"
        )
    for name, ask in pages(store).items():
        first, median = milliseconds(store, ask)
        print(f"{name:34} {median:10.1f} ms (first {first:.1f})")
    store.close()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--url")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run(chosen.url or f"sqlite:///{folder}/openear.db", chosen.rows)
        for path in sorted(Path(folder).glob("openear.db")):
            print(f"{'file':34} {path.stat().st_size / 1e6:10,.0f} MB")


if __name__ == "__main__":
    main()
