"""What servers say about their limits, in every dialect, and what an answer's status means for us. Pure but the store.

Dialects: Retry-After (seconds or a date, RFC 9110); ratelimit-reset as epoch seconds (Bluesky) or seconds left
(IETF draft); X-RateLimit-Reset as an ISO time (Mastodon), epoch (GitHub) or seconds left, perhaps a float (Reddit);
x-rate-limit-reset as epoch seconds (X); RateLimit: "policy";r=0;t=30 (IETF draft).
"""

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol

from core.errors import SourceBusy, SourceChanged, SourceDown, SourceError, SourceRefused, SourceRetired

#: What we wait when told to wait without being told how long.
DEFAULT_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(days=1)
_SHORTEST = timedelta(seconds=1)
_PREFIXES = ("ratelimit-", "x-ratelimit-", "x-rate-limit-")
_DOWN = frozenset({408, 421, 425, 500, 502, 503, 504, 507, 520, 521, 522, 523, 524, 525, 526, 527, 529, 530})
_REFUSED = frozenset({401, 402, 403, 407, 451, 511})


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What is left of a limit.

    Attributes:
        limit, remaining: requests in the window; None if not said.
        reset_at: when the window starts anew, aware; None if not said.
    """

    limit: int | None = None
    remaining: int | None = None
    reset_at: datetime | None = None


def quota(headers: Mapping[str, str], now: datetime) -> Quota:
    """What `headers` say about the limit, whatever their dialect."""
    low = {name.lower(): value for name, value in headers.items()}
    for prefix in _PREFIXES:
        if any(f"{prefix}{word}" in low for word in ("remaining", "reset")):
            return Quota(
                limit=_count(low.get(f"{prefix}limit")),
                remaining=_count(low.get(f"{prefix}remaining")),
                reset_at=_moment(low.get(f"{prefix}reset"), now),
            )
    if line := low.get("ratelimit"):
        return _structured(line, now)
    return Quota()


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long the server asks us to wait; None if it does not say. Between a second and a day."""
    low = {name.lower(): value for name, value in headers.items()}
    until = _moment(low.get("retry-after"), now, seconds_left=True)
    if until is None:
        until = quota(headers, now).reset_at
    if until is None:
        return None
    return min(max(until - now, _SHORTEST), LONGEST_WAIT)


def problem(
    source: str, status: int, headers: Mapping[str, str], body: bytes = b"", now: datetime | None = None
) -> SourceError | None:
    """The error that an answer means; None if it is a success."""
    if 200 <= status < 300 or status == 304:
        return None
    moment = now or datetime.now(UTC)
    said = f"answered {status}{_words(body)}"
    wait = retry_after(headers, moment)
    spent = quota(headers, moment).remaining == 0
    if status == 429 or (status == 403 and spent) or (status == 503 and "retry-after" in {h.lower() for h in headers}):
        wait = wait or DEFAULT_WAIT
        return SourceBusy(source, f"{said}: asked to wait {round(wait.total_seconds())} s", wait)
    if status == 410:
        return SourceRetired(source, f"{said}: it is gone for good")
    if status in _REFUSED:
        return SourceRefused(source, f"{said}: check the account, its token and what it may read")
    if status in _DOWN or (status >= 500 and status != 501):
        return SourceDown(source, f"{said}: tried again in the next run")
    return SourceChanged(source, f"{said}: not what this address used to answer")


class BudgetStore(Protocol):
    """Until when a host must be left alone; shared by all workers if it lives in the database."""

    def blocked_until(self, host: str) -> datetime | None:
        """The moment until which `host` must not be asked; None if it may be."""

    def block(self, host: str, until: datetime) -> None:
        """Leave `host` alone until then; a later moment wins over an earlier one."""


class LocalBudget:
    """A BudgetStore for one process."""

    def __init__(self) -> None:
        self._until: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def blocked_until(self, host: str) -> datetime | None:
        """See BudgetStore."""
        with self._lock:
            return self._until.get(host)

    def block(self, host: str, until: datetime) -> None:
        """See BudgetStore."""
        with self._lock:
            if until > self._until.get(host, until - _SHORTEST):
                self._until[host] = until


def wait_for(store: BudgetStore, host: str, now: datetime) -> timedelta | None:
    """How long `host` must still be left alone; None if it may be asked now."""
    until = store.blocked_until(host)
    return until - now if until is not None and until > now else None


def note(store: BudgetStore, host: str, status: int, headers: Mapping[str, str], now: datetime) -> None:
    """Remember what an answer of `host` says about the next question."""
    wait = retry_after(headers, now)
    if status == 429 or (status == 503 and wait is not None):
        store.block(host, now + (wait or DEFAULT_WAIT))
    elif quota(headers, now).remaining == 0 and wait is not None:
        store.block(host, now + wait)


def _structured(line: str, now: datetime) -> Quota:
    found = {key: float(value) for key, value in re.findall(r"\b(limit|remaining|reset|q|r|t)=(\d{1,12})", line)}
    seconds = found.get("reset", found.get("t"))
    limit, remaining = found.get("limit", found.get("q")), found.get("remaining", found.get("r"))
    return Quota(
        limit=None if limit is None else int(limit),
        remaining=None if remaining is None else int(remaining),
        reset_at=None if seconds is None else _moment(str(seconds), now),
    )


def _count(text: str | None) -> int | None:
    found = re.match(r"\s*(\d{1,12})(\.\d+)?", text or "")
    return int(found[1]) if found else None


def _moment(text: str | None, now: datetime, *, seconds_left: bool = False) -> datetime | None:
    if text is None:
        return None
    text = text.strip()
    try:
        if re.fullmatch(r"\d{1,15}(\.\d+)?", text, re.ASCII):
            number = float(text)
            if seconds_left or number < 1e9:
                return now + timedelta(seconds=min(number, LONGEST_WAIT.total_seconds()))
            return datetime.fromtimestamp(number / (1000 if number > 1e11 else 1), UTC)
        moment = datetime.fromisoformat(text) if re.match(r"\d{4}-", text) else parsedate_to_datetime(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError, OSError, IndexError):
        return None


def _words(body: bytes) -> str:
    """The server's own words, short and on one line: they are data from outside."""
    try:
        answer = json.loads(body[:20_000])
    except (ValueError, RecursionError):
        return ""
    if not isinstance(answer, dict):
        return ""
    parts = [answer[key] for key in ("error", "error_description", "message", "detail") if key in answer]
    words = ": ".join(part for part in parts if isinstance(part, str))
    words = re.sub(r"[^\x20-\x7e\xa1-\uffff]+", " ", words).strip()[:200]
    return f" ({words})" if words else ""
