"""The stage that tells people: one row of one alert, by its way, once."""

from core.errors import OpenearError
from jobs.alert import DESK, NotSent, alert_of, send
from jobs.build import Runtime
from storage import alerts, cases, mentions
from storage.work import Unit


def alert(runtime: Runtime, unit: Unit) -> None:
    """Send one alert; it is tried again until it is known to have arrived, or given up where an operator sees it.

    Raises:
        OutcomeUnknown: it may have arrived.
        OpenearError: it did not.
    """
    number = int(unit.payload["alert"])
    with runtime.store.read() as read:
        row = next((one for one in alerts.unsent(read, 1000) if one.id == number), None)
        if row is None or row.channel == DESK:
            return
        view = mentions.one(read, row.mention_id) if row.mention_id is not None else None
        at = next((link.case_id for link in view.links if link.case_id and not link.undone_at), None) if view else None
        case = cases.one(read, at) if at else None
    told = alert_of(row, view, case.case.code if case else "")
    try:
        with runtime.client("") as client:
            send(row, told, runtime.settings, runtime.store, client, runtime.clock)
    except NotSent as error:
        raise OpenearError(str(error)) from error
