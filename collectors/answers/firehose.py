"""Frames of a repository stream: https://atproto.com/specs/event-stream and https://atproto.com/specs/sync. Pure.

A frame is two DAG-CBOR values: a header and a body. A commit's body carries a CAR file with the records it changed.
"""

import base64
import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_DEEPEST = 32
_CID = b"\x01\x71\x12\x20"  # version 1, DAG-CBOR, SHA-256, 32 bytes: what records have


class Malformed(Exception):
    """These bytes are no frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One record that was made, changed or deleted.

    Attributes:
        action: create, update or delete.
        cid: of the new record; "" for a deletion.
        record: None for a deletion.
        time: when the server saw it, as it writes it.
    """

    repo: str
    path: str
    action: str
    cid: str
    record: dict[str, Any] | None
    time: str


def changes(frame: bytes) -> list[Change]:
    """The changes in one frame; none for a frame that is no commit.

    Raises:
        Malformed: it is no frame.
    """
    reader = Reader(frame)
    header, body = reader.value(), reader.value()
    if not isinstance(header, dict) or not isinstance(body, dict):
        raise Malformed("a frame is a header and a body")
    if header.get("op") != 1 or header.get("t") != "#commit":
        return []
    ops, blocks = body.get("ops"), body.get("blocks")
    records = dict(_blocks(blocks)) if isinstance(blocks, bytes) and blocks else {}
    return [_change(op, body, records) for op in (ops if isinstance(ops, list) else ()) if isinstance(op, dict)]


def _change(op: dict[str, Any], body: dict[str, Any], records: dict[bytes, bytes]) -> Change:
    cid = op.get("cid")
    data = records.get(cid) if isinstance(cid, bytes) else None
    record = Reader(data).value() if data is not None else None
    return Change(
        repo=str(body.get("repo", "")),
        path=str(op.get("path", "")),
        action=str(op.get("action", "")),
        cid=cid_text(cid) if isinstance(cid, bytes) else "",
        record=record if isinstance(record, dict) else None,
        time=str(body.get("time", "")),
    )


def cid_text(cid: bytes) -> str:
    """A content id as it is written: base32, lower case, after a "b"."""
    return "b" + base64.b32encode(cid).decode().lower().rstrip("=")


def _blocks(car: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The blocks of a CAR file, by content id, each checked against its id (https://ipld.io/specs/transport/car/)."""
    length, at = _varint(car, 0)
    at += length
    while at < len(car):
        length, start = _varint(car, at)
        at = start + length
        section = car[start:at]
        if len(section) != length or section[:4] != _CID:
            raise Malformed("a block is cut off, or has an id of another kind")
        cid, data = section[:36], section[36:]
        if hashlib.sha256(data).digest() != cid[4:]:
            raise Malformed("a block does not have the content that its id says")
        yield cid, data


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 63:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise Malformed("a length is cut off")


class Reader:
    """DAG-CBOR, one value after another (https://ipld.io/specs/codecs/dag-cbor/spec/)."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def value(self, depth: int = 0) -> Any:
        """The next value; a link is its content id, as bytes.

        Raises:
            Malformed: it is not DAG-CBOR.
        """
        if depth > _DEEPEST:
            raise Malformed("nested too deep")
        first = self._take(1)[0]
        kind, small = first >> 5, first & 0x1F
        if kind == 7:
            return self._simple(small)
        number = self._number(small)
        if kind == 0:
            return number
        if kind == 1:
            return -1 - number
        return self._long(kind, number, depth)

    def _long(self, kind: int, number: int, depth: int) -> Any:
        if kind == 2:
            return self._take(number)
        if kind == 3:
            return self._text(number)
        if kind == 4:
            return [self.value(depth + 1) for _ in range(self._count(number))]
        if kind == 5:
            pairs = ((self.value(depth + 1), self.value(depth + 1)) for _ in range(self._count(number)))
            return {key: value for key, value in pairs if isinstance(key, str)}
        link = self.value(depth + 1)
        if number != 42 or not isinstance(link, bytes) or link[:1] != b"\x00":
            raise Malformed("the only tag is that of a link")
        return link[1:]

    def _simple(self, small: int) -> bool | float | None:
        if small in (20, 21, 22):
            return {20: False, 21: True, 22: None}[small]
        if small == 27:
            return float(struct.unpack(">d", self._take(8))[0])
        raise Malformed("a value of a kind that is not allowed")

    def _number(self, small: int) -> int:
        if small < 24:
            return small
        if small > 27:
            raise Malformed("a length without an end is not allowed")
        return int.from_bytes(self._take(1 << (small - 24)))

    def _count(self, number: int) -> int:
        if number > len(self._data) - self._at:
            raise Malformed("more values than bytes")
        return number

    def _text(self, number: int) -> str:
        try:
            return self._take(number).decode("utf-8")
        except UnicodeDecodeError:
            raise Malformed("text that is not UTF-8") from None

    def _take(self, number: int) -> bytes:
        piece = self._data[self._at : self._at + number]
        if len(piece) != number:
            raise Malformed("cut off")
        self._at += number
        return piece
