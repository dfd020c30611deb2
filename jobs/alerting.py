"""The stage that tells people: one alert, each way, once."""

from jobs import alert as sending
from jobs.build import Runtime
from storage import alerts
from storage.work import Unit


def alert(runtime: Runtime, unit: Unit) -> None:
    """Send one alert. Where nothing is set up, it stands on the page alone, and says so there."""
    now = runtime.clock()
    number = int(unit.payload["alert"])
    with runtime.store.read() as read:
        row = alerts.one(read, number)
    if row is None or row.state == "sent":
        return
    with runtime.store.write() as tx:
        alerts.begin(tx, number, now)
    outcome = sending.send(row, runtime)
    with runtime.store.write() as tx:
        alerts.end(tx, number, outcome.state, outcome.error, runtime.clock())
