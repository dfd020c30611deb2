"""Bluesky: logging in at an account's server, and what its error names mean.

API: https://docs.bsky.app/docs/api/com-atproto-server-create-session (limits: 30 in 5 minutes, 300 a day an account,
https://docs.bsky.app/docs/advanced-guides/rate-limits), so a session is kept and refreshed for as long as it lives.
Tokens live in memory alone, and are never printed.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
from pydantic import SecretStr

from core.errors import SourceChanged, SourceError, SourceRefused
from net.client import rules_of
from net.fetch import Answer, fetch, read_json
from net.limits import problem

_STALE = frozenset({"ExpiredToken", "InvalidToken"})
_ACCOUNT = frozenset({"AccountTakedown", "AccountDeactivated", "AccountSuspended", "AuthFactorTokenRequired"})
_READ = frozenset({400, 401})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Session:
    """A logged-in account. Never printed."""

    did: str
    access: str
    refresh: str


@dataclass(slots=True, repr=False)
class Sessions:
    """The sessions of this process, by server and account, shared by its threads."""

    kept: dict[tuple[str, str], Session] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)


SESSIONS = Sessions()


def error_of(source: str, status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> SourceError | None:
    """The error that an XRPC answer means; None if it is a success."""
    code = error_name(body) if status >= 400 else ""
    if code in _ACCOUNT:
        return SourceRefused(source, f"the account cannot be used ({code}): see to it at its server")
    if code == "BadQueryString":
        return SourceRefused(source, "the search text is not understood (BadQueryString): change the query")
    return problem(source, status, headers, body, now)


def error_name(body: bytes) -> str:
    """The name of an error, e.g. "ExpiredToken"; "" if there is none."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    name = answer.get("error") if isinstance(answer, dict) else None
    return name if isinstance(name, str) else ""


class Account:
    """An account at its server, logged in when first needed."""

    def __init__(
        self,
        client: httpx.Client,
        source: str,
        identifier: str,
        password: SecretStr,
        *,
        sessions: Sessions = SESSIONS,
        before: Callable[[], None] = lambda: None,
    ) -> None:
        self._client, self._source = client, source
        self._identifier, self._password = identifier, password
        self._sessions, self._before = sessions, before
        self._key = (str(client.base_url), identifier)

    def get(self, method: str, **params: Any) -> Any:
        """Ask an XRPC query as this account.

        Raises:
            SourceError: its class says what to do next.
        """
        session = self._session(None)
        answer = self._ask("GET", method, session.access, params=params)
        if answer.status in _READ and error_name(answer.body) in _STALE:
            answer = self._ask("GET", method, self._session(session).access, params=params)
        return self._read(answer)

    def _session(self, stale: Session | None) -> Session:
        """The kept session; a new one if there is none, or if the kept one is `stale`."""
        with self._sessions.lock:
            kept = self._sessions.kept.get(self._key)
            if kept is None or kept is stale:
                kept = (self._refreshed(stale) if stale else None) or self._created()
                self._sessions.kept[self._key] = kept
            return kept

    def _refreshed(self, stale: Session) -> Session | None:
        answer = self._ask("POST", "com.atproto.server.refreshSession", stale.refresh)
        self._sessions.kept.pop(self._key, None)
        if answer.status in _READ and error_name(answer.body) not in _ACCOUNT:
            return None  # the refresh token is stale too: log in anew
        return self._opened(self._read(answer))

    def _created(self) -> Session:
        payload = {"identifier": self._identifier, "password": self._password.get_secret_value()}
        answer = self._ask("POST", "com.atproto.server.createSession", None, payload=payload)
        if answer.status in _READ and error_name(answer.body) in ("AuthenticationRequired", "InvalidRequest"):
            raise SourceRefused(self._source, "user name or app password is wrong: make a new app password")
        return self._opened(self._read(answer))

    def _opened(self, answer: Any) -> Session:
        fields = [answer.get(name) for name in ("did", "accessJwt", "refreshJwt")] if isinstance(answer, dict) else []
        texts = [text for text in fields if isinstance(text, str)]
        if len(texts) != 3:
            raise SourceChanged(self._source, "the answer to the log-in has no tokens")
        if answer.get("active") is False:
            raise SourceRefused(self._source, f"the account is {str(answer.get('status'))[:40]}: see to it")
        return Session(did=texts[0], access=texts[1], refresh=texts[2])

    def _ask(self, verb: str, method: str, token: str | None, **rest: Any) -> Answer:
        self._before()
        headers = {"accept": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
        return fetch(self._client, self._source, verb, f"/xrpc/{method}", headers=headers, allowed=_READ, **rest)

    def _read(self, answer: Answer) -> Any:
        now = rules_of(self._client).clock()
        if error := error_of(self._source, answer.status, answer.headers, answer.body, now):
            raise error
        return read_json(self._source, answer)
