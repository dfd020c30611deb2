"""An empty database and a full small one, filled through storage alone: no model, no network, no clock."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import cycle, islice
from pathlib import Path

from sqlalchemy import Connection

from core.actor import Actor, Role, job
from core.batch import Batch, Coverage, Missed
from core.case import CaseDraft, Link, Rule, Status, Verdict
from core.mention import Kind, Mention
from core.scores import Scores, Sentiment, Topic
from storage import alerts, cases, coverage, mentions, people, scores, series, sources, work
from storage.engine import Store, open_store
from tests.dashboard import phoned
from tests.dashboard.texts import ALIKE, HARM, HOSTILE, LONG, MAIN, ORDINARY, Said

ZONE = "America/New_York"
PASSWORD = "four plain words here"
PEOPLE = {"maria": Role.AGENT, "vera": Role.VIEWER, "max": Role.MANAGER}
LINKER = job("link")
MARIA = Actor(kind="person", issuer="local", subject="maria")
N_MENTIONS = 300
#: Markdown where a label would read it.
HOSTILE_HANDLE = "[maria](https://evil.example/h)"
HOSTILE_TITLE = "![pwned](https://evil.example/case.png) **Main** burst"
SETTINGS = """
[agency]
names = ["City of Maple Harbor"]
timezone = "America/New_York"

[agency.hours]
mon = "06:00-22:00"
tue = "06:00-22:00"
wed = "06:00-22:00"
thu = "06:00-22:00"
fri = "06:00-22:00"
sat = "06:00-22:00"
sun = "06:00-22:00"
"""


@dataclass(frozen=True, slots=True)
class World:
    """A database that pages can be shown on. `ids` are mention ids by external id, `cases` case ids by key."""

    folder: Path
    store: Store
    ids: dict[str, int]
    cases: dict[str, int]

    @property
    def environment(self) -> dict[str, str]:
        """What tells a process where it is."""
        return {"OPENEAR_CONFIG": str(self.folder / "openear.toml"), "OPENEAR_DATA_DIR": str(self.folder)}

    def sign_in(self, name: str, now: datetime) -> str:
        """Open a session without the price of a password; its token."""
        with self.store.write() as tx:
            who = people.one(tx, name)
            assert who is not None
            return people.open_session(tx, who, now)


def opened(folder: Path, ids: dict[str, int] | None = None, case_ids: dict[str, int] | None = None) -> World:
    """The world whose migrated database lies in `folder`."""
    return World(folder, open_store(f"sqlite:///{folder / 'openear.db'}"), ids or {}, case_ids or {})


def settle(world: World, now: datetime) -> None:
    """Settings and people: what both worlds have."""
    (world.folder / "openear.toml").write_text(SETTINGS, "utf-8")
    with world.store.write() as tx:
        for name, role in PEOPLE.items():
            people.add(tx, name, PASSWORD, role, MARIA, now)


def fill(world: World, now: datetime) -> World:
    """Two weeks of a town: mentions, scores, cases, gaps, calls, forecasts, alerts, work that failed."""
    with world.store.write() as tx:
        _sources(tx, now)
        ids = _mentions(tx, now)
        case_ids = _cases(tx, ids, now)
        _ledger(tx, now)
        _rest(tx, ids, now)
    with world.store.write() as tx:
        series.rebuild(tx, series.dirty(tx, 10_000), timezone=ZONE)
        phoned.fill(tx, now, ZONE)
    return replace(world, ids=ids, cases=case_ids)


def _sources(tx: Connection, now: datetime) -> None:
    sources.sync(
        tx, {"reviews": ("reviews_page", 3600, True), "tag": ("mastodon", 300, True), "paper": ("feed", 900, True)}, now
    )
    sources.set_state(tx, "tag", "ok", "", now - timedelta(minutes=3))
    sources.set_state(tx, "paper", "ok", "", now - timedelta(hours=5))
    sources.set_state(tx, "paper", "waiting", "the server answers 503", now, retry_at=now + timedelta(minutes=20))
    sources.set_state(tx, "reviews", "refused", "robots.txt forbids it: **ask** the [site](https://evil.example)", now)


def _mentions(tx: Connection, now: datetime) -> dict[str, int]:
    said = [(f"o{n}", each) for n, each in enumerate(islice(cycle(ORDINARY), N_MENTIONS - len(HOSTILE) - 5))]
    said += [(f"hostile-{name}", Said(text, "other", needs=0.7)) for name, text in HOSTILE.items()]
    said += [("long", Said(LONG, "noise", needs=0.8)), ("main", MAIN), ("alike", ALIKE), ("harm", HARM)]
    said.append(("reply", Said("That is not true, nobody came to us", "trash_dumping_cleaning", needs=0.9)))
    rng = random.Random(7)
    ids: dict[str, int] = {}
    for source, platform in (("tag", "mastodon"), ("paper", "news"), ("reviews", "reviews")):
        batch = [
            _mention(name, each, platform, now - timedelta(minutes=20 + 60 * (len(said) - n) + rng.randrange(50)), now)
            for n, (name, each) in enumerate(said)
            if _platform(name, n) == platform
        ]
        if platform == "mastodon":
            batch.insert(
                0, replace(_mention("own", Said("Recycling is late today", "other"), platform, now, now), own=True)
            )
        whole = Coverage(since=now - timedelta(days=14), until=now, complete=True)
        added = mentions.add(tx, source, Batch(mentions=tuple(batch), coverage=whole), now=now)
        coverage.record(tx, source, f"{source}:1", whole, batch, added, now)
        in_order = sorted(batch, key=lambda m: mentions.said_at(m, now))
        ids |= {m.external_id: i for m, i in zip(in_order, added.new, strict=True)}
    read = [(ids[name], mentions.text_hash(each.text), _scores(each)) for name, each in said]
    scores.add(tx, read, now)
    return ids


def arrive(world: World, name: str, said: Said, now: datetime) -> int:
    """One more mention, read; its id."""
    batch = Batch(
        mentions=(_mention(name, said, "mastodon", now, now),), coverage=Coverage(since=None, until=now, complete=True)
    )
    with world.store.write() as tx:
        (number,) = mentions.add(tx, "tag", batch, now=now).new
        scores.add(tx, [(number, mentions.text_hash(said.text), _scores(said))], now)
    return number


def _platform(name: str, n: int) -> str:
    if not name.startswith("o"):
        return "mastodon"
    return "reviews" if n % 7 == 0 else "news" if n % 5 == 0 else "mastodon"


def _mention(name: str, said: Said, platform: str, at: datetime, now: datetime) -> Mention:
    kind = {"reviews": Kind.REVIEW, "news": Kind.ARTICLE}.get(platform, Kind.POST)
    return Mention(
        platform=platform,
        external_id=name,
        version="1",
        kind=Kind.REPLY if name == "reply" else kind,
        text=said.text,
        seen_at=now,
        posted_at=at,
        url=f"https://{platform}.example/{name}",
        parent="own" if name == "reply" else None,
        stars=2.0 if kind is Kind.REVIEW else None,
    )


def _scores(said: Said) -> Scores:
    likely = {"negative": 0.1, "neutral": 0.1, "positive": 0.1} | {said.label: 0.8}
    return Scores(
        model="by hand",
        revision="1",
        language="es" if said.text.startswith("¿") else "en",
        about_us=0.95,
        needs_answer=said.needs,
        sentiment=Sentiment(**likely),
        topics=(Topic(name=said.topic, probability=0.9),),
        urgency=said.safety,
        safety=said.safety,
        unsure=frozenset({"sentiment"}) if "library" in said.text else frozenset(),
    )


def _cases(tx: Connection, ids: dict[str, int], now: datetime) -> dict[str, int]:
    """Eighteen cases: one overdue, one soon due, one that a mention is suggested for, one with a hostile title."""
    found: dict[str, int] = {}
    drafts = [("main", HOSTILE_TITLE, MAIN.topic), ("harm", HARM.text, HARM.topic)]
    drafts += [(f"o{n}", ORDINARY[n % 10].text, ORDINARY[n % 10].topic) for n in (0, 1, 5, 7, *range(10, 280, 20))]
    for n, (name, title, topic) in enumerate(drafts):
        draft = CaseDraft(
            key=f"mention:test:{name}", title=title, body=title, topic=topic, urgency=0.4, safety=0.1, url=""
        )
        opened_at = now - timedelta(hours=2 + 9 * n)
        case_id = cases.open(tx, draft.key, draft, opened_at, LINKER)
        cases.set_due(tx, case_id, opened_at + timedelta(hours=24))
        seen: dict[str, object] = {"needs_answer": 0.9}
        if name == "harm":
            seen["suggestion"] = {"may_belong_to": found["main"], "by": "similar", "cosine": 0.81}
        opens = Link(verdict=Verdict.OPEN, rule=Rule.NEW, case_id=case_id, score=0.9, evidence=seen)
        cases.link(tx, ids[name], opens, opened_at, LINKER)
        found[name] = case_id
    cases.assign(tx, found["o1"], "maria", MARIA, now)
    cases.set_status(tx, found["o7"], Status.RESOLVED, MARIA, "the tree is gone", now)
    _decisions(tx, ids, found, now)
    return found


def _decisions(tx: Connection, ids: dict[str, int], found: dict[str, int], now: datetime) -> None:
    seen = {"cosine": 0.93, "words": ["burst", "main", "mill", "water"], "hours": 1.5}
    cases.link(
        tx,
        ids["alike"],
        Link(verdict=Verdict.SUGGEST, rule=Rule.SIMILAR, case_id=found["main"], score=0.6, evidence=seen),
        now,
        LINKER,
    )
    unsure = {"needs_answer": 0.7, "about_us": 0.6, "unsure": ["about_us"]}
    cases.link(
        tx,
        ids["long"],
        Link(verdict=Verdict.SUGGEST, rule=Rule.NEW, score=0.7, evidence=unsure),
        now,
        LINKER,
    )
    joined = Link(verdict=Verdict.JOIN, rule=Rule.AUTHOR_TOPIC, case_id=found["o0"], score=0.9, evidence={"hours": 3.0})
    taken_out = cases.link(tx, ids["o20"], joined, now, LINKER)
    cases.unlink(tx, taken_out, MARIA, "another street", now)
    cases.link(tx, ids["o25"], joined, now, LINKER)


def _ledger(tx: Connection, now: datetime) -> None:
    """A gap of 37 that a back-fill will close, one of unknown size, and one that was closed."""
    hour = timedelta(hours=1)
    gaps: Sequence[tuple[str, str, int, int, int | None, Missed, str | None]] = (
        ("tag", "tag:2", 30, 26, 37, Missed.PENDING, "max_id=9"),
        ("paper", "paper:2", 76, 70, None, Missed.OUTAGE, None),
        ("reviews", "reviews:2", 50, 48, 12, Missed.QUOTA, "page=2"),
    )
    for source, run, since, until, missed, reason, resume in gaps:
        left = Coverage(
            since=now - since * hour,
            until=now - until * hour,
            complete=False,
            missed=missed,
            reason=reason,
            resume=resume,
        )
        coverage.record(tx, source, run, left, (), None, now - until * hour)
    closed = coverage.open_gaps(tx, "reviews")[0]
    filled = Coverage(since=closed.since, until=closed.until, complete=True)
    coverage.record(tx, "reviews", closed.run_key, filled, (), None, now - hour)


def _rest(tx: Connection, ids: dict[str, int], now: datetime) -> None:
    for channel, state in (("email", "failed"), ("webhook", "sent")):
        raised = alerts.add(
            tx,
            f"safety:{ids['harm']}:{channel}",
            channel,
            "somebody may come to harm",
            now - timedelta(minutes=12),
            mention_id=ids["harm"],
        )
        assert raised is not None
        alerts.set_state(tx, raised, state, now, "the mail server refused" if state == "failed" else "")
    for n in range(2):
        unit = work.add(tx, "collect", f"collect:tag:{n}", {"source": "tag"}, now)
        assert unit is not None
        work.fail(tx, unit, f"![x](https://evil.example/{n}.png) **failed**", now, None)
