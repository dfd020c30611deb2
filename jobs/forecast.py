"""Calls to forecasts: once a night from all that is known, then moved by what the day brings."""

import logging
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from core.errors import BadInput
from core.series import Forecast, Known, Series
from forecast import intraday
from forecast.product import Product, cut
from forecast.series import from_calls
from jobs.build import Runtime
from storage import calls, forecasts
from storage.work import Unit

log = logging.getLogger("openear.forecast")

HORIZON = timedelta(days=28)
#: How much history a forecast reads.
HISTORY = timedelta(days=3 * 366)


def forecast(runtime: Runtime, unit: Unit) -> None:
    """The stage: the queue's forecast of this night if there is none yet, and what it means now."""
    queue = str(unit.payload["queue"])
    now = runtime.clock()
    history = call_series(runtime, queue, now)
    if history is None:
        return
    night = midnight(history, now)
    with runtime.store.read() as read:
        made = forecasts.made_between(read, queue, night, night + timedelta(seconds=1))
    try:
        frozen = made[0] if made else make(runtime, history, night, HORIZON)
        current = move(frozen, history, now)
    except BadInput as error:  # too little history is no fault: the page says so
        log.warning("%s: %s", queue, error)
        return
    with runtime.store.write() as tx:
        if not made:
            forecasts.add(tx, frozen, now)
        if current is not None:
            forecasts.add(tx, current, now)


def make(runtime: Runtime, history: Series, night: datetime, horizon: timedelta) -> Forecast:
    """The forecast of that night; it reads nothing that came after."""
    agency = runtime.settings.agency
    known = Known(country=agency.country, subdivision=agency.subdivision, closed_days=frozenset(agency.closed_days))
    steps = int(horizon / history.step)
    return Product(runtime.settings.phones.spike_ratio).forecast(history, known, night, steps)


def move(frozen: Forecast, history: Series, now: datetime) -> Forecast | None:
    """The night's forecast, moved by what came since; None for daily series and at midnight itself."""
    origin = history.start + ((now - history.start) // history.step) * history.step
    if history.step >= timedelta(days=1) or origin <= frozen.made_at:
        return None
    return cut(intraday.update(frozen, history, origin), origin, int(HORIZON / history.step))


def call_series(runtime: Runtime, queue: str, now: datetime) -> Series | None:
    """The queue's history as an even series up to now; None if there is none."""
    with runtime.store.read() as read:
        records = calls.series(read, queue, since=now - HISTORY)
    if not records:
        return None
    agency = runtime.settings.agency
    return from_calls(records, timezone=agency.timezone, hours=agency.hours, until=now)


def midnight(history: Series, now: datetime) -> datetime:
    """The local midnight before now."""
    zone = ZoneInfo(history.timezone)
    local = now.astimezone(zone)
    return local.replace(hour=0, minute=0, second=0, microsecond=0)
