"""The sample run: an invented city that a newcomer sees first. New posts come over HTTP, old ones are imported."""

import os
from datetime import datetime, timedelta

from core.actor import Actor, Role, job
from core.batch import Backfill
from core.case import Status
from jobs.build import Runtime
from jobs.collect import store_batch
from jobs.forecast import call_series, make, midnight
from sample import calls as phones
from sample import history
from sample.story import tell
from sample.world import world
from storage import calls, cases, forecasts, people, queue, replies, work
from storage.work import Unit

ACTOR = job("sample")
PERSON = "demo"
#: The history is imported once the newest posts had time to come over HTTP.
FIRST_LISTEN = timedelta(seconds=15)
#: Cases whose last words are older than this were dealt with, as in a city that works.
SETTLED = timedelta(days=2)
LOOKED_BACK = timedelta(days=7)
SETTLE_EVERY = 97  # of so many old cases one is left open, as in any city


def anchor_of(runtime: Runtime) -> datetime:
    """The moment the story is laid around."""
    return datetime.fromisoformat((runtime.settings.data_dir / "anchor").read_text("utf-8"))


def prepare(runtime: Runtime) -> None:
    """What must be there when the first page opens: somebody to sit at the desk, and the calls."""
    now = runtime.clock()
    operator = Actor(kind="person", issuer="operator", subject="sample")
    with runtime.store.write() as tx:
        if people.one(tx, PERSON) is None:
            people.add(tx, PERSON, os.urandom(16).hex(), Role.MANAGER, operator, now)
        if not calls.queues(tx):
            calls.add(tx, phones.records(tell(anchor_of(runtime)), now))
        work.add(tx, "sample", "sample:history", {"do": "history"}, now, "backfill", not_before=now + FIRST_LISTEN)


def sample(runtime: Runtime, unit: Unit) -> None:
    """The stage: import the history, or let the city live on: new calls, old cases dealt with."""
    if unit.payload["do"] == "history":
        _import_history(runtime)
    else:
        _live_on(runtime)


def _import_history(runtime: Runtime) -> None:
    """The newest weeks first, because they are looked at first; within a batch a reply comes after what it answers."""
    now = runtime.clock()
    for batch in history.batches(world(anchor_of(runtime)), now):
        store_batch(runtime, "history", batch, Backfill(since=None, until=now), "sample:history")


def _live_on(runtime: Runtime) -> None:
    now = runtime.clock()
    _look_back(runtime, now)
    with runtime.store.write() as tx:
        newest = calls.newest(tx)
        calls.add(tx, phones.records(tell(anchor_of(runtime)), now, since=newest))
    while _settle(runtime):
        pass


def _look_back(runtime: Runtime, now: datetime) -> None:
    """Each queue's forecast as of the night before the last open day: what the day of the story is held against."""
    with runtime.store.read() as read:
        newest = calls.newest(read)
        until = newest or now
        names = [n for n in calls.queues(read) if not forecasts.made_between(read, n, now - LOOKED_BACK, until)]
    for name in names:
        history = call_series(runtime, name, now)
        if history is None or newest is None:
            continue
        night = midnight(history, newest)
        made = make(runtime, history, night, timedelta(days=3))
        with runtime.store.write() as tx:
            forecasts.add(tx, made, now)


def _settle(runtime: Runtime) -> bool:
    """Deal with some old cases; False if none is left."""
    now = runtime.clock()
    with runtime.store.write() as tx:
        old = queue.settled(tx, now - SETTLED, 200)
        done = [row for row in old if row.id % SETTLE_EVERY]
        for row in done:
            view = cases.one(tx, row.id)
            for mention_id in view.mention_ids if view else ():
                replies.mark_answered(tx, mention_id, ACTOR, "answered, as the story goes", now)
            cases.set_status(tx, row.id, Status.RESOLVED, ACTOR, "the story goes so", now)
    return bool(done)
