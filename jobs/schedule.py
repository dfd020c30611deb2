"""The one tick: claims what is due and writes it into the ledger of work. No logic of its own beyond "what is due".

Units are keyed by what they do and when it was due, so that a tick that runs twice adds nothing twice. Times advance
from now, never from the missed moment: after a pause there is one run, not fifty.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Connection

from core.batch import Missed
from jobs.alert import DESK
from jobs.build import Runtime
from storage import alerts, calls, cases, coverage, mentions, requests, series, sources, work

log = logging.getLogger("openear.schedule")

TICK = timedelta(seconds=5)
#: A gap that brought nothing is asked again after this long, and after longer when it is older.
BACKFILL_EVERY = timedelta(minutes=10)
#: What a source counts but does not show may be shown later; after this long it is given up.
GIVE_UP = timedelta(days=2)
RECHECK_EVERY = timedelta(days=1)
FOLDER_EVERY = timedelta(minutes=1)
SWEEP_ATTEMPTS = 6
#: Sources claimed by one tick; the rest is a tick later.
AT_ONCE = 200
MOST_WAITING = 2000


def tick(runtime: Runtime) -> list[tuple[str, int]]:
    """Write what is due now into the ledger; the (stage, unit) pairs that were added or must be resubmitted."""
    now = runtime.clock()
    added: list[tuple[str, int]] = []
    with runtime.store.write() as tx:
        for part in (
            _sweep,
            _sources,
            _backfills,
            _scoring,
            _linking,
            _series,
            _requests,
            _alerts,
            _daily,
            _calls,
            _forecasts,
        ):
            added += part(tx, runtime, now)
    return added


def _add(
    tx: Connection, now: datetime, stage: str, key: str, payload: dict[str, object], lane: str = "live"
) -> list[tuple[str, int]]:
    unit = work.add(tx, stage, key, payload, now, lane)
    return [] if unit is None else [(stage, unit)]


def bucket(now: datetime, length: timedelta) -> int:
    """The number of the stretch of `length` in which `now` lies."""
    return int(now.timestamp() // length.total_seconds())


def _sweep(tx: Connection, runtime: Runtime, now: datetime) -> list[tuple[str, int]]:
    del runtime
    return list(work.sweep(tx, now, SWEEP_ATTEMPTS))


def _sources(tx: Connection, runtime: Runtime, now: datetime) -> list[tuple[str, int]]:
    """One head a due source, unless the last one still waits: it will read all there is."""
    due = sources.claim_due(tx, now, AT_ONCE, rng=runtime.rng)
    waiting = _waiting(tx, "head") if due else set()
    units: list[tuple[str, int]] = []
    for row in due:
        if row.name not in waiting:
            payload: dict[str, object] = {"source": row.name, "task": "head"}
            units += _add(tx, now, "collect", f"collect:{row.name}:{now.isoformat()}", payload)
    return units


def _waiting(tx: Connection, task: str) -> set[str]:
    """The sources for which such a unit waits."""
    units = work.pending(tx, ["collect"], MOST_WAITING)
    return {str(unit.payload.get("source")) for unit in units if unit.payload.get("task", "head") == task}


def _backfills(tx: Connection, runtime: Runtime, now: datetime) -> list[tuple[str, int]]:
    """Newest gap first, one a source at a time, so that no back-fill starves live listening.

    A gap that brought nothing lets the older ones go first until it is its turn again.
    """
    units: list[tuple[str, int]] = []
    gaps = coverage.open_gaps(tx)
    seen = _waiting(tx, "backfill") if gaps else set()
    for gap in gaps:
        if gap.reason == Missed.WINDOW and gap.resume is None and gap.opened_at < now - GIVE_UP:
            coverage.give_up(tx, gap.id, Missed.WINDOW, now)  # the source will not show it: missed for good, on record
            continue
        if gap.source in seen or gap.source not in runtime.settings.sources:
            continue
        key = f"backfill:{gap.id}:{gap.resume}:{bucket(now, pause(now - gap.opened_at))}"
        payload: dict[str, object] = {"source": gap.source, "task": "backfill", "gap": gap.id}
        if added := _add(tx, now, "collect", key, payload, "backfill"):
            seen.add(gap.source)
            units += added
    return units


def pause(age: timedelta) -> timedelta:
    """How long a gap of that age rests after a back-fill that brought nothing: it grows with the age, in steps."""
    length = BACKFILL_EVERY
    while length * 4 < age:
        length *= 2
    return length


def _scoring(tx: Connection, runtime: Runtime, now: datetime) -> list[tuple[str, int]]:
    """What no unit will score: mentions read by other weights, or stored before there were any."""
    if work.pending(tx, ["score"], 1):
        return []
    ids = mentions.unscored(tx, runtime.model, 0, 500)
    return (
        _add(tx, now, "score", f"score:{runtime.model}:{ids[0]}-{ids[-1]}:{now.isoformat()}", {"ids": ids})
        if ids
        else []
    )


def _linking(tx: Connection, runtime: Runtime, now: datetime) -> list[tuple[str, int]]:
    del runtime
    if work.pending(tx, ["link"], 1) or not cases.unlinked(tx, 0, 1):
        return []
    return _add(tx, now, "link", f"link:{now.isoformat()}", {})


def _series(tx: Connection, runtime: Runtime, now: datetime) -> list[tuple[str, int]]:
    del runtime
    if work.pending(tx, ["series"], 1) or not series.dirty(tx, 1):
        return []
    return _add(tx, now, "series", f"series:{now.isoformat()}", {})


def _requests(tx: Connection, runtime: Runtime, now: datetime) -> list[tuple[str, int]]:
    del runtime
    units: list[tuple[str, int]] = []
    for request in requests.waiting(tx, 50):
        units += _add(tx, now, "request", f"request:{request.id}", {"request": request.id})
    return units


def _alerts(tx: Connection, runtime: Runtime, now: datetime) -> list[tuple[str, int]]:
    del runtime
    units: list[tuple[str, int]] = []
    for alert in alerts.unsent(tx, 50):
        if alert.channel == DESK:
            continue  # nobody can be told: it stands on the page
        units += _add(tx, now, "alert", f"alert:{alert.id}", {"alert": alert.id})
    return units


def _daily(tx: Connection, runtime: Runtime, now: datetime) -> list[tuple[str, int]]:
    day = now.astimezone(runtime.settings.agency.zone).date().isoformat()
    units = _add(tx, now, "retain", f"retain:{day}", {})
    for name in runtime.settings.sources:
        ids = mentions.due_recheck(tx, name, now - RECHECK_EVERY, 100)
        if ids:
            payload: dict[str, object] = {"source": name, "task": "recheck", "ids": ids}
            units += _add(
                tx, now, "collect", f"recheck:{name}:{bucket(now, RECHECK_EVERY)}:{ids[0]}", payload, "backfill"
            )
    return units


def _calls(tx: Connection, runtime: Runtime, now: datetime) -> list[tuple[str, int]]:
    units: list[tuple[str, int]] = []
    if runtime.settings.phones.folder is not None:
        units += _add(tx, now, "calls", f"calls:{bucket(now, FOLDER_EVERY)}", {})
    if runtime.settings.sample:
        units += _add(tx, now, "sample", f"sample:{bucket(now, FOLDER_EVERY)}", {"do": "live on"})
    return units


def _forecasts(tx: Connection, runtime: Runtime, now: datetime) -> list[tuple[str, int]]:
    """One a queue and night, and one when calls came in since: keyed by the newest record known."""
    day = now.astimezone(runtime.settings.agency.zone).date().isoformat()
    units: list[tuple[str, int]] = []
    for queue in calls.queues(tx):
        newest = calls.newest(tx, queue)
        units += _add(tx, now, "forecast", f"forecast:{queue}:{day}:{newest}", {"queue": queue})
    return units


def start(runtime: Runtime, submit: Callable[[str, int], None]) -> BackgroundScheduler:
    """Tick every TICK until shut down.

    APScheduler's own defaults would drop a firing that is a second late; ours coalesces and never runs two at once.
    """

    def run() -> None:
        try:
            for stage, unit in tick(runtime):
                submit(stage, unit)
        except Exception:
            log.exception("tick failed; the next one comes in %s", TICK)

    scheduler = BackgroundScheduler(
        timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    scheduler.add_job(run, "interval", seconds=TICK.total_seconds(), id="tick", next_run_time=runtime.clock())
    scheduler.start()
    return scheduler
