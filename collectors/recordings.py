"""Recorded answers: a plain body, one {request, response} exchange as JSON, or a cassette of VCR or vcrpy.

A recording is read as data: nothing is fetched, and no YAML tag is obeyed.
"""

import base64
import binascii
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import yaml

from core.errors import BadInput

LARGEST = 64 * 1024 * 1024
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A question and its answer; for a plain body, the answer alone.

    Attributes:
        method: upper case; "GET" where it is not recorded.
        url: "" where it is not recorded.
        headers: names in lower case.
        body: as it was before compression.
        sent: the body of the question.
    """

    method: str = "GET"
    url: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    sent: bytes = b""

    @property
    def path(self) -> str:
        """The path that was asked."""
        return urlsplit(self.url).path

    def asked(self, name: str) -> list[str]:
        """The values of one parameter of the question."""
        return [value for key, value in parse_qsl(urlsplit(self.url).query) if key == name]


def exchanges(path: Path) -> list[Exchange]:
    """All exchanges of one recording, in order.

    Raises:
        BadInput: the file is missing, too large, or a cassette that cannot be read.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise BadInput(f"{path} is larger than {LARGEST} bytes")
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from None
    recorded = _structure(path, data)
    try:
        found = [_exchange(one) for one in _recorded(recorded)]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(f"{path} looks like a recording but cannot be read: {error!r}") from None
    return found or [Exchange(body=data)]


def _structure(path: Path, data: bytes) -> Any:
    if path.suffix.lower() in (".yml", ".yaml"):
        try:
            return yaml.load(data, Loader=_LOADER)
        except (yaml.YAMLError, RecursionError) as error:
            raise BadInput(f"{path} is not readable YAML: {str(error)[:200]}") from None
    if path.suffix.lower() == ".json":
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            return None  # a body like any other: its parser says what is wrong
    return None


def _recorded(data: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(data, dict):
        if isinstance(data.get("response"), dict):
            yield data
        for name in ("interactions", "http_interactions"):
            if isinstance(data.get(name), list):
                yield from data[name]
    elif isinstance(data, list) and data and all(isinstance(one, dict) and "response" in one for one in data):
        yield from data


def _exchange(recorded: Mapping[str, Any]) -> Exchange:
    request, response = recorded.get("request") or {}, recorded["response"]
    status = response.get("status", response.get("status_code", 200))
    headers = _headers(response.get("headers"))
    return Exchange(
        method=str(request.get("method") or "GET").upper(),
        url=str(request.get("uri") or request.get("url") or ""),
        status=int(status["code"] if isinstance(status, dict) else status),
        headers=headers,
        body=_expanded(_body(response.get("body", response.get("content"))), headers),
        sent=_body(request.get("body")),
    )


def _headers(headers: Any) -> dict[str, str]:
    pairs = headers.items() if isinstance(headers, dict) else (headers or ())
    return {
        str(name).lower(): ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in pairs
    }


def _body(body: Any) -> bytes:
    if isinstance(body, dict):
        if (coded := body.get("base64_string")) is not None:
            try:
                return base64.b64decode(coded)
            except binascii.Error as error:
                raise ValueError(f"base64: {error}") from None
        if "string" not in body:
            return json.dumps(body).encode()
        body = body["string"]
    if body is None:
        return b""
    if isinstance(body, bytes):
        return body
    return body.encode("utf-8", "surrogateescape") if isinstance(body, str) else json.dumps(body).encode()


def _expanded(body: bytes, headers: Mapping[str, str]) -> bytes:
    if "gzip" not in headers.get("content-encoding", "") or body[:2] != b"\x1f\x8b":
        return body  # most recorders store what their client had already expanded
    try:
        with gzip.open(io.BytesIO(body)) as file:
            return file.read(LARGEST)
    except (OSError, EOFError, zlib.error):
        return body
