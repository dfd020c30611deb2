"""Tells a person at once that somebody may come to harm: by e-mail and by a signed webhook.

Each way has its own row in storage.alerts: it is marked unknown before it is tried, and sent or failed after. A way
that is known to have worked is never used again for the same alert. One whose outcome is unknown is tried again:
nobody can look into a mailbox, both ways carry the same id each time (Message-ID, X-Openear-Event) so that the second
one can be told for what it is, and being told twice is better than not at all.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

import httpx
from sqlalchemy import Connection

from core.errors import OpenearError, OutcomeUnknown
from core.protocols import Clock
from core.settings import Alerts, Settings
from jobs.alert_ways import by_email, by_webhook
from jobs.alert_words import Alert, NotSent
from storage import alerts
from storage.alerts import AlertRow
from storage.engine import Store
from storage.views import MentionView

__all__ = ["Alert", "NotSent", "alert_of", "raise_alerts", "send", "ways"]

Way = Callable[[Alert, Settings, httpx.Client, Clock], None]
#: The way of an alert that nobody can be told about: it stands on the Desk alone, and says so.
DESK = "desk"
HARM = "somebody may come to harm"


def ways(chosen: Alerts) -> Mapping[str, Way]:
    """The ways the operator set up, by the name of their channel."""
    found: dict[str, Way] = {}
    if chosen.smtp_host and chosen.email_to:
        found["email"] = by_email
    if chosen.webhook_url:
        found["webhook"] = by_webhook
    return found


def raise_alerts(tx: Connection, settings: Settings, mention_id: int, now: datetime, subject: str = HARM) -> list[int]:
    """Write down, once, that people must be told about a mention, one row each way; the ids of the new rows."""
    channels = tuple(ways(settings.alerts)) or (DESK,)
    added = [
        alerts.add(tx, f"safety:{mention_id}:{channel}", channel, subject, now, mention_id=mention_id)
        for channel in channels
    ]
    return [one for one in added if one is not None]


def alert_of(row: AlertRow, view: MentionView | None, case_code: str = "") -> Alert:
    """What is told; of a mention that was deleted since, that it was."""
    text = "(its text is not here any more)"
    if view is not None and view.gone is None:
        text = view.text
    return Alert(
        key=row.key,
        why=row.subject,
        text=text,
        platform=view.platform if view else "a place not known any more",
        said_at=view.at if view else row.raised_at,
        raised_at=row.raised_at,
        chance=view.scores.safety if view and view.scores else 0.0,
        case_code=case_code,
        url=view.url if view else "",
    )


def send(row: AlertRow, told: Alert, settings: Settings, store: Store, client: httpx.Client, clock: Clock) -> None:
    """Tell by the way of this row, once: nothing happens if it is known to have worked before.

    Args:
        row: whose state is kept, each change in a transaction of its own.
        told: what to tell.
        settings: the mail server, the webhook.
        store: the open database.
        client: a guarded client of net/, for the webhook.
        clock: the present moment.

    Raises:
        OutcomeUnknown: it may have arrived.
        NotSent: it surely did not.
    """
    with store.write() as tx:
        if not alerts.start(tx, row.id, clock()):
            return
    way = ways(settings.alerts).get(row.channel)
    try:
        if way is None:
            raise NotSent("nobody can be told: set alerts.smtp_host and alerts.email_to, or alerts.webhook_url")
        way(told, settings, client, clock)
    except OpenearError as error:
        state = "unknown" if isinstance(error, OutcomeUnknown) else "failed"
        with store.write() as tx:
            alerts.set_state(tx, row.id, state, clock(), str(error))
        raise
    with store.write() as tx:
        alerts.set_state(tx, row.id, "sent", clock())
