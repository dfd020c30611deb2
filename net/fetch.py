"""Ask, and get a whole, checked, uncompressed answer or one of our errors."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx

from core.errors import SourceBusy, SourceChanged, SourceDown, SourceError, SourceRefused
from net.address import AddressRefused
from net.backend import ends_at
from net.body import pieces
from net.client import Rules, rules_of
from net.limits import note, problem, wait_for

#: What may follow a redirect to another origin: anything that could be a credential may not.
_HARMLESS = frozenset({"accept", "accept-encoding", "accept-language", "user-agent"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One whole answer.

    Attributes:
        url: where it came from, after redirects.
        headers: names in lower case.
        body: after decompression.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


def get_json(
    client: httpx.Client, source: str, path: str, /, *, headers: Mapping[str, str] | None = None, **params: Any
) -> Any:
    """The JSON that `path` answers. Parameters that are None are left out; a list repeats its name.

    Raises:
        SourceError: its class says what to do next.
    """
    wanted = {"accept": "application/json", **(headers or {})}
    return read_json(source, fetch(client, source, "GET", path, headers=wanted, params=params))


def post_json(
    client: httpx.Client, source: str, path: str, payload: Any = None, /, *, headers: Mapping[str, str] | None = None
) -> Any:
    """What `path` answers to `payload`. Asked once only: a POST may have happened although no answer came."""
    wanted = {"accept": "application/json", **(headers or {})}
    return read_json(source, fetch(client, source, "POST", path, headers=wanted, payload=payload))


def read_json(source: str, answer: Answer) -> Any:
    """The JSON in `answer`.

    Raises:
        SourceDown: a web page came instead: maintenance, a log-in page, a filter on the way.
        SourceChanged: neither.
    """
    kind = answer.headers.get("content-type", "").lower()
    if "html" in kind or answer.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        title = re.search(rb"<title[^>]*>([^<]{1,80})", answer.body[:4000], re.IGNORECASE)
        words = title[1].decode("utf-8", "replace").strip() if title else "no title"
        words = re.sub(r"[^\x20-\x7e\xa1-\uffff]+", " ", words)
        raise SourceDown(source, f"sent a web page ({words!r}) instead of data: maintenance, a log-in or a filter")
    return json_of(source, answer.body)


def json_of(source: str, body: bytes) -> Any:
    """`body` as JSON.

    Raises:
        SourceChanged: it is not.
    """
    try:
        return json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        raise SourceChanged(source, f"sent something that is not JSON: {str(error)[:100]}") from None


def fetch(
    client: httpx.Client,
    source: str,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, Any] | None = None,
    payload: Any = None,
    allowed: frozenset[int] = frozenset(),
) -> Answer:
    """Ask `path` and give the whole answer.

    GET and HEAD are asked again, after a wait with jitter, if the server is down or asks for a short wait.

    A status in `allowed` is an answer for the caller, not an error.

    Raises:
        SourceError: its class says what to do next.
    """
    rules = rules_of(client)
    asked = {name: value for name, value in (params or {}).items() if value is not None}
    try:
        request = client.build_request(method, path, headers=headers, params=asked or None, json=payload)
    except (httpx.InvalidURL, ValueError) as error:
        raise SourceChanged(source, f"{path[:200]!r} is not an address: {error}") from None
    attempts = rules.attempts if method in ("GET", "HEAD") else 1
    ends = rules.timer() + rules.max_seconds  # redirects, waits and further attempts included
    for attempt in range(1, attempts + 1):
        try:
            answer = _follow(client, source, request, rules, ends)
            if answer.status not in allowed and (meant := _meaning(source, answer, rules)):
                raise meant
            return answer
        except (SourceDown, SourceBusy) as error:
            if attempt == attempts or not _worth_waiting(error, attempt, rules, ends):
                raise
    raise SourceDown(source, "was not asked")


def _meaning(source: str, answer: Answer, rules: Rules) -> SourceError | None:
    return problem(source, answer.status, answer.headers, answer.body, rules.clock())


def _worth_waiting(error: SourceError, attempt: int, rules: Rules, ends: float) -> bool:
    wait = error.retry_after if isinstance(error, SourceBusy) else timedelta(seconds=2 ** (attempt - 1) / 2)
    if wait > rules.longest_wait or rules.timer() + wait.total_seconds() >= ends:
        return False
    rules.sleep(wait.total_seconds() * (1 + rules.rng.random() / 2))
    return True


def _follow(client: httpx.Client, source: str, request: httpx.Request, rules: Rules, ends: float) -> Answer:
    for _ in range(rules.max_redirects + 1):
        answer, following = _once(client, source, request, rules, ends)
        if following is None:
            return answer
        if request.method not in ("GET", "HEAD"):
            raise SourceChanged(source, f"moved its {request.method} address to another place")
        request = _redirected(request, following)
    raise SourceChanged(source, f"redirected more than {rules.max_redirects} times")


def _redirected(old: httpx.Request, new: httpx.Request) -> httpx.Request:
    """`new` without anything secret, if it leads to another origin."""
    if _origin(old.url) != _origin(new.url):
        for name in [name for name in new.headers if name.lower() not in _HARMLESS | {"host"}]:
            del new.headers[name]
    return new


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _once(
    client: httpx.Client, source: str, request: httpx.Request, rules: Rules, ends: float
) -> tuple[Answer, httpx.Request | None]:
    host = request.url.netloc.decode("ascii")
    if wait := wait_for(rules.budget, host, rules.clock()):
        raise SourceBusy(source, f"{host} asked to be left alone for {round(wait.total_seconds())} s more", wait)
    try:
        with ends_at(ends):
            response = client.send(request, stream=True, auth=None, follow_redirects=False)
    except AddressRefused as error:
        raise SourceRefused(source, str(error)) from None
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        raise SourceDown(source, f"{_place(request.url)}: {_said(error)}") from None
    try:
        note(rules.budget, host, response.status_code, response.headers, rules.clock())
        if response.has_redirect_location:
            return Answer(url="", status=response.status_code, headers={}, body=b""), response.next_request
        with ends_at(ends):
            found = pieces(source, response, max_bytes=rules.max_bytes, in_time=lambda: rules.timer() <= ends)
            body = b"".join(found)
    except (httpx.HTTPError, httpx.StreamError) as error:
        raise SourceDown(source, f"{_place(request.url)}: broke off: {_said(error)}") from None
    finally:
        response.close()
    named = {name.lower(): value for name, value in response.headers.items()}
    return Answer(url=str(request.url), status=response.status_code, headers=named, body=body), None


def _place(url: httpx.URL) -> str:
    """Where, without a query, which may hold a secret."""
    parts = urlsplit(str(url))
    return f"{parts.scheme}://{parts.hostname}{parts.path}"


def _said(error: Exception) -> str:
    return f"{type(error).__name__} {str(error)[:200]}".strip()
