"""Signed messages between machines, in and out: who sent this, that nobody changed it, that it is not an old one.

    X-Openear-Event: an id of the sender's choice, never used twice
    X-Openear-Signature: t=1772463600,v1=5257a869e7...

`t` is when it was sent, in seconds since 1970; `v1` is the HMAC-SHA256, in hex, of `t`, a dot, the event id, a dot
and the raw body, under a secret both sides know.
"""

import hashlib
import hmac
import re
from datetime import datetime, timedelta

from core.errors import OpenearError

EVENT_HEADER = "X-Openear-Event"
SIGNATURE_HEADER = "X-Openear-Signature"
#: How far the clocks of two machines may be apart.
WINDOW = timedelta(minutes=5)
_EVENT = re.compile(r"[\x21-\x7e]{1,200}")
_HEADER = re.compile(r"t=(\d{1,12}),\s*v1=([0-9a-f]{64})", re.ASCII)


class BadSignature(OpenearError):
    """It is not shown who sent this."""


def sign(secret: str, event: str, body: bytes, now: datetime) -> dict[str, str]:
    """The headers that a message must carry."""
    if not _EVENT.fullmatch(event):
        raise ValueError(f"an event id is 1 to 200 printable ASCII characters, got {event[:40]!r}")
    at = int(now.timestamp())
    return {EVENT_HEADER: event, SIGNATURE_HEADER: f"t={at},v1={_digest(secret, at, event, body)}"}


def check(secret: str, event: str | None, signature: str | None, body: bytes, now: datetime) -> str:
    """The event id of a message that is what it says.

    Raises:
        BadSignature: it is not; says what to look at, and nothing that helps to forge one.
    """
    if not event or not _EVENT.fullmatch(event):
        raise BadSignature(f"{EVENT_HEADER} is missing or not 1 to 200 printable ASCII characters")
    found = _HEADER.fullmatch(signature or "")
    if found is None:
        raise BadSignature(f"{SIGNATURE_HEADER} is missing or not like t=1772463600,v1=<64 hex digits>")
    at = int(found[1])
    right = _digest(secret, at, event, body)
    if not hmac.compare_digest(right, found[2]):
        raise BadSignature("the signature does not fit: another secret, or the body was changed on the way")
    if abs(now.timestamp() - at) > WINDOW.total_seconds():
        raise BadSignature("the message was signed more than 5 minutes ago or ahead: check the clocks")
    return event


def _digest(secret: str, at: int, event: str, body: bytes) -> str:
    if not secret:
        raise BadSignature("no secret is set")
    return hmac.new(secret.encode(), f"{at}.{event}.".encode() + body, hashlib.sha256).hexdigest()
