"""A whole openear in a folder: settings, database, clock, a classifier of a few rules; and what it holds, as data."""

import csv
import hashlib
import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import text

from core.scores import Passage, Scores, Sentiment, Topic
from core.settings import Agency, Query, Settings, Source
from jobs.build import Runtime
from jobs.listen import register
from jobs.schedule import tick
from jobs.work import Stage, run_unit
from jobs.worker import STAGES
from storage.engine import open_store, upgrade
from tests.conftest import NOW

MODEL, REVISION = "words", "1"
WIDTH = 64  # of the vectors
TOPIC_WORDS = {
    "roads_potholes": ("pothole", "road", "bache"),
    "trash_dumping_cleaning": ("trash", "recycling", "basura"),
    "drainage_flooding_water_sewer": ("water", "flood", "agua"),
    "streetlights": ("light", "lamp"),
}
BAD, GOOD, ASKS = ("broken", "again", "angry", "roto"), ("thanks", "lovely", "gracias"), ("when", "please", "fix", "?")
HARM = ("gas", "live wire", "collapsed")


class Words:
    """Fulfils core.protocols.Classifier by looking for words: the same text always scores the same."""

    model = f"{MODEL}@{REVISION}"

    def classify(self, passages: Sequence[Passage]) -> list[Scores]:
        """See Classifier."""
        return [_read(passage.text.casefold()) for passage in passages]


def _read(words: str) -> Scores:
    bad, good, asks, harm = (any(word in words for word in group) for group in (BAD, GOOD, ASKS, HARM))
    topics = (name for name, group in TOPIC_WORDS.items() if any(word in words for word in group))
    return Scores(
        model=MODEL,
        revision=REVISION,
        language="es" if "gracias" in words or "basura" in words else "en",
        about_us=0.1 if "the band" in words else 0.95,
        needs_answer=0.9 if bad or asks or harm else 0.1,
        sentiment=Sentiment(negative=0.8, neutral=0.1, positive=0.1)
        if bad
        else Sentiment(negative=0.1, neutral=0.1, positive=0.8)
        if good
        else Sentiment(negative=0.1, neutral=0.8, positive=0.1),
        topics=tuple(Topic(name=name, probability=0.9) for name in topics),
        urgency=0.8 if "now" in words.split() else 0.1,
        safety=0.95 if harm else 0.05,
        vector=_vector(words),
    )


def _vector(words: str) -> bytes:
    row = np.zeros(WIDTH, np.float32)
    for word in words.split():
        row[int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big") % WIDTH] += 1.0
    return (row / (np.linalg.norm(row) or 1.0)).astype("<f2").tobytes()


class Ticking:
    """A clock that a test moves."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **delta: float) -> None:
        self.now += timedelta(**delta)


def settings_in(folder: Path, sources: Mapping[str, Mapping[str, Any]] | None = None, **changes: Any) -> Settings:
    """Settings of the agency of Maple Harbor in a folder of their own."""
    values: dict[str, Any] = {
        "data_dir": folder,
        "agency": Agency(names=("City of Maple Harbor",), handles=("@cityofmapleharbor", "cityofmapleharbor.example")),
        "queries": {"city": Query(text="mapleharbor")},
        "sources": {name: Source.model_validate(each) for name, each in (sources or {}).items()},
        "network": {"allow": ("127.0.0.1",)},
    }
    return Settings(**values | changes)


def runtime_in(
    folder: Path, clock: Any = None, sources: Mapping[str, Mapping[str, Any]] | None = None, **changes: Any
) -> Runtime:
    """An open runtime over a migrated database; it reads with Words."""
    return runtime_of(settings_in(folder, sources, **changes), clock or Ticking())


def runtime_of(settings: Settings, clock: Any) -> Runtime:
    """The same for settings that are there."""
    upgrade(settings.url)
    runtime = Runtime(settings=settings, store=open_store(settings.url), clock=clock, rng=random.Random(0))
    runtime.classifier = Words()
    runtime.model = Words.model
    with runtime.store.write() as tx:
        register(tx, runtime)
    return runtime


def run_all(runtime: Runtime, stages: Mapping[str, Stage] = STAGES, rounds: int = 30) -> list[str]:
    """Tick and work until nothing is left to do at this moment; the stages in the order they ran."""
    ran: list[str] = []
    for _ in range(rounds):
        added = tick(runtime)
        before = len(ran)
        for stage in stages:
            while run_unit(runtime, stages, stage):
                ran.append(stage)
        if not added and len(ran) == before:
            return ran
    raise AssertionError(f"work does not end: {ran[-20:]}")


def one_unit(runtime: Runtime, stage: str, payload: Mapping[str, Any], key: str) -> None:
    """Write one unit into the ledger and run it."""
    from storage import work

    with runtime.store.write() as tx:
        unit = work.add(tx, stage, key, dict(payload), runtime.clock())
    assert unit is not None, f"{key} was there already"
    assert run_unit(runtime, STAGES, stage, unit)


#: What must be the same however often the work was interrupted: no row ids of links, no times of work.
QUESTIONS = {
    "mentions": "SELECT k.platform, k.external_id, k.text_hash, k.gone_at IS NULL AS here, m.own, m.source "
    "FROM mention_key k JOIN mention m ON m.id = k.id",
    "versions": "SELECT k.external_id, v.version, v.text FROM mention_version v "
    "JOIN mention_key k ON k.id = v.mention_id",
    "reposts": "SELECT platform, external_id, original FROM repost",
    "scores": "SELECT k.external_id, s.text_hash, s.model, s.needs_answer, s.safety FROM score s "
    "JOIN mention_key k ON k.id = s.mention_id",
    "links": "SELECT k.platform, k.external_id, l.verdict, l.rule, l.score, c.code, l.undone_at IS NULL AS stands "
    "FROM case_link l JOIN mention_key k ON k.id = l.mention_id LEFT JOIN cases c ON c.id = l.case_id",
    "cases": "SELECT code, key, title, topic, status FROM cases",
    "alerts": "SELECT key, state FROM alert",
    "hours": "SELECT topic, hour, source, platform, language, sentiment, n, needs_answer FROM mention_hour",
    "days": "SELECT topic, day, source, platform, language, sentiment, n, needs_answer FROM mention_day",
}


def rows(runtime: Runtime, question: str, **values: Any) -> list[tuple[Any, ...]]:
    """What the database answers."""
    with runtime.store.read() as read:
        return [tuple(row) for row in read.execute(text(question), values)]


def holds(runtime: Runtime) -> dict[str, list[tuple[Any, ...]]]:
    """All that must be the same after a crash as without one, in an order of its own."""
    return {name: sorted(rows(runtime, question), key=repr) for name, question in QUESTIONS.items()}


def counts(runtime: Runtime) -> dict[str, int]:
    """How many of each there are."""
    tables = (*QUESTIONS, "audit", "forecast", "sighting")
    named = {"mentions": "mention", "versions": "mention_version", "reposts": "repost", "scores": "score"}
    named |= {"links": "case_link", "alerts": "alert", "hours": "mention_hour", "days": "mention_day"}
    return {name: int(rows(runtime, f"SELECT count(*) FROM {named.get(name, name)}")[0][0]) for name in tables}


def write_csv(file: Path, said: Iterable[Mapping[str, Any]]) -> Path:
    """A file that `openear import` reads."""
    lines = list(said)
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    return file


def invented(count: int, seed: int = 1, until: datetime = NOW, hours: float = 40.0) -> list[dict[str, Any]]:
    """So many posts of forty residents or more over some hours, oldest first: troubles, thanks, replies."""
    rng, residents = random.Random(seed), max(40, count // 4)
    step = timedelta(hours=hours) / max(count, 1)
    posts: list[dict[str, Any]] = []
    for n in range(count):
        parent = rng.choice(posts)["id"] if posts and rng.random() < 0.15 else ""
        post = {"id": f"post-{n:05d}", "text": _sentence(rng, n), "author": f"resident{rng.randrange(residents)}"}
        posts.append(post | {"created": (until - step * (count - n)).isoformat(), "parent_id": parent})
    return posts


def _sentence(rng: random.Random, n: int) -> str:
    place = rng.choice(("Alder Street", "Mill Yard", "Harbor Lane", "Tern Avenue", "the school"))
    said = rng.choice(
        (
            f"The pothole at {place} is back again, bus number {n % 17} nearly lost a wheel",
            f"Trash on {place} was not taken, when will somebody come? House {n % 90}",
            f"No water at {place} since this morning, please fix it now, floor {n % 7}",
            f"The street lamp near {place} is broken, pole {n}",
            f"Thanks to the crew at {place}, lovely work on day {n % 30}",
            f"Sunny day at {place} number {n}",
            f"The band plays at {place} again tonight, seat {n}",
            f"Walking the dog past {place}, round {n}",
        )
    )
    if n % 29 == 3:
        said = f"It smells of gas at {place}, door {n}"
    return f"{said} #mapleharbor"
