import hashlib
import struct
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.answers.firehose import Malformed, Reader, changes, cid_text


def head(kind: int, number: int) -> bytes:
    for small, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 24:
            return bytes([kind << 5 | number])
        if number < 1 << (8 * size):
            return bytes([kind << 5 | small]) + number.to_bytes(size)
    raise ValueError(number)


class Link(bytes):
    """A content id, to be written as a link."""


def encoded(value: Any) -> bytes:
    """DAG-CBOR, written the plain way: the oracle of the reader."""
    if value is None or isinstance(value, bool):
        return {False: b"\xf4", True: b"\xf5", None: b"\xf6"}[value]
    if isinstance(value, Link):
        return b"\xd8\x2a" + encoded(b"\x00" + value)
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(encoded, value))
    return head(5, len(value)) + b"".join(encoded(key) + encoded(one) for key, one in value.items())


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_written_is_read(value: Any) -> None:
    assert Reader(encoded(value)).value() == value


@given(st.binary(max_size=120))
def test_any_bytes_are_a_frame_or_malformed(data: bytes) -> None:
    with suppress(Malformed):
        changes(data)


def frame(record: dict[str, Any], *, spoil: bool = False) -> tuple[bytes, Link]:
    data = encoded(record)
    cid = Link(b"\x01\x71\x12\x20" + hashlib.sha256(data).digest())
    section = cid + (data[:-1] + b"\x00" if spoil else data)
    top = encoded({"version": 1, "roots": [cid]})
    car = bytes([len(top)]) + top + varint(len(section)) + section
    op = {"action": "create", "path": "app.bsky.feed.post/3k", "cid": cid}
    body = {"repo": "did:plc:wren", "time": "2026-03-02T15:00:00Z", "ops": [op], "blocks": car}
    return encoded({"op": 1, "t": "#commit"}) + encoded(body), cid


def varint(number: int) -> bytes:
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


def test_a_commit_names_its_record() -> None:
    data, cid = frame({"text": "Pothole 🚧" * 30})
    (change,) = changes(data)
    assert change.record == {"text": "Pothole 🚧" * 30}
    assert (change.repo, change.path, change.cid) == ("did:plc:wren", "app.bsky.feed.post/3k", cid_text(cid))
    assert cid_text(cid).startswith("bafyrei")


def test_a_record_that_is_not_what_its_id_says_is_malformed() -> None:
    with pytest.raises(Malformed, match="content"):
        changes(frame({"text": "Pothole"}, spoil=True)[0])


def test_another_frame_changes_nothing() -> None:
    assert changes(encoded({"op": 1, "t": "#identity"}) + encoded({"did": "did:plc:wren"})) == []


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"\x9f\xff", b"\x5f", b"\xd8\x01\x00", b"\x9b" + b"\xff" * 8, b"\x81" * 99]
)
def test_what_is_not_dag_cbor_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        Reader(data).value()
