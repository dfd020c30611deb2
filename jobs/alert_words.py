"""What an alert says: as a mail and as a webhook's payload. Pure; what residents wrote is quoted, never markup."""

import textwrap
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from zoneinfo import ZoneInfo

from core.errors import OpenearError
from core.settings import Settings
from crm.cases import plain

TEXT = 2000  # characters of the resident's words


class NotSent(OpenearError):
    """A way of telling did not work, and surely told nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What a person is told.

    Attributes:
        key: unique, e.g. "safety:4711": the same key is the same alert.
        why: our own words for the subject line, e.g. "somebody may come to harm".
        text: the resident's words, masked.
        said_at: when they were said.
        chance: 0..1, how sure the model is.
        case_code: of the case it was put to, if any.
        url: where it was said.
    """

    key: str
    why: str
    text: str
    platform: str
    said_at: datetime
    raised_at: datetime
    chance: float
    case_code: str = ""
    url: str = ""


def mail(alert: Alert, settings: Settings) -> bytes:
    """The mail as it is sent.

    Raises:
        NotSent: an address in the settings is none.
    """
    try:
        return message(alert, settings).as_bytes()
    except ValueError as error:
        raise NotSent(f"alerts.email_from or alerts.email_to is no mail address ({error})") from error


def message(alert: Alert, settings: Settings) -> EmailMessage:
    """The mail: plain text; nothing a resident wrote gets into a header. Raises ValueError for no address."""
    alerts = settings.alerts
    mail = EmailMessage(policy=POLICY)
    mail["Subject"] = " ".join(filter(None, ("openear:", one_line(alert.why), one_line(alert.case_code))))
    mail["From"] = alerts.email_from
    mail["To"] = ", ".join(alerts.email_to)
    mail["Date"] = alert.raised_at
    mail["Message-ID"] = f"<{token(alert.key)}@{domain(alerts.email_from)}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Priority"] = "1"
    mail.set_content(body(alert, ZoneInfo(settings.agency.timezone)), cte="quoted-printable")
    return mail


def body(alert: Alert, zone: ZoneInfo) -> str:
    """What the mail says; the resident's words are quoted line by line, so that nothing in them looks like ours."""
    said = alert.said_at.astimezone(zone)
    words = plain(alert.text)
    cut = words[:TEXT] + (" […]" if len(words) > TEXT else "")
    quote = "\n".join(
        f"> {part}" for line in cut.split("\n") for part in (textwrap.wrap(line, 74, break_on_hyphens=False) or [""])
    )
    lines = [
        f"{one_line(alert.why).capitalize()} (chance {alert.chance:.0%}). Please look at once.",
        "",
        f"Said on {one_line(alert.platform)}, {said:%A %d %B %Y, %H:%M} ({zone.key}):",
        "",
        quote,
        "",
        *([f"Where: {one_line(alert.url)}"] if alert.url else []),
        *([f"Case: {one_line(alert.case_code)}"] if alert.case_code else []),
        "",
        "A machine read this and may be wrong. Only a person decides what is done.",
    ]
    return "\n".join(lines) + "\n"


def payload(alert: Alert) -> dict[str, object]:
    """What the webhook is told."""
    return {
        "id": alert.key,
        "why": alert.why,
        "text": plain(alert.text)[:TEXT],
        "platform": alert.platform,
        "said_at": alert.said_at.astimezone(UTC).isoformat(),
        "raised_at": alert.raised_at.astimezone(UTC).isoformat(),
        "chance": round(alert.chance, 3),
        "case": alert.case_code,
        "url": alert.url,
    }


def one_line(text: str) -> str:
    """One line without anything that steers."""
    return " ".join(plain(text).split())[:300]


def token(key: str) -> str:
    """The key as an id that any header takes."""
    return "".join(sign if sign.isascii() and (sign.isalnum() or sign in "._-") else "-" for sign in key)[:200]


def domain(address: str) -> str:
    """Where an address lives; localhost if it does not say."""
    name = address.rpartition("@")[2].strip("> ")
    return name if name and name.isascii() and name.isprintable() and " " not in name else "localhost"
