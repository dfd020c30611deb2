from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.signing import EVENT_HEADER, SIGNATURE_HEADER, WINDOW, BadSignature, check, sign
from tests.conftest import NOW

SECRET = "one secret"
events = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=200)
ages = st.integers(-int(WINDOW.total_seconds()), int(WINDOW.total_seconds()))


@given(events, st.binary(), ages)
def test_what_was_signed_is_believed_within_the_window(event: str, body: bytes, age: int) -> None:
    headers = sign(SECRET, event, body, NOW)
    later = NOW + timedelta(seconds=age)
    assert check(SECRET, headers[EVENT_HEADER], headers[SIGNATURE_HEADER], body, later) == event


@given(events, st.binary(), st.sampled_from(["secret", "event", "body", "time", "old"]))
def test_whatever_was_changed_is_not_believed(event: str, body: bytes, changed: str) -> None:
    signature = sign(SECRET, event, body, NOW)[SIGNATURE_HEADER]
    if changed == "time":
        at = int(NOW.timestamp())
        signature = signature.replace(f"t={at}", f"t={at + 1}")
    with pytest.raises(BadSignature) as error:
        check(
            "another" if changed == "secret" else SECRET,
            event + "x" if changed == "event" else event,
            signature,
            body + b" " if changed == "body" else body,
            NOW + timedelta(minutes=6) if changed == "old" else NOW,
        )
    assert SECRET not in str(error.value)


@pytest.mark.parametrize(
    "signature", [None, "", "t=1", "v1=" + "0" * 64, "t=1,v1=" + "0" * 63, "t=1,v1=" + "G" * 64, "t=" + "1" * 99]
)
def test_a_signature_that_is_none_is_not_believed(signature: str | None) -> None:
    with pytest.raises(BadSignature):
        check(SECRET, "1", signature, b"", NOW)


@pytest.mark.parametrize("event", [None, "", "a b", "é", "x" * 201, "a\n"])
def test_an_event_id_is_plain(event: str | None) -> None:
    with pytest.raises(BadSignature):
        check(SECRET, event, "t=1,v1=" + "0" * 64, b"", NOW)


def test_no_secret_signs_nothing() -> None:
    with pytest.raises(BadSignature, match="no secret"):
        sign("", "1", b"", NOW)


def test_the_scheme_is_the_one_in_the_docs() -> None:
    """As openssl dgst -sha256 -hmac 'one secret' says over 1772463600.e1.{}"""
    digest = "0fd14b59fbfb09af315b07a8daffab060c67c3e2e30072cac621f6c1c87c47c6"
    assert sign(SECRET, "e1", b"{}", NOW)[SIGNATURE_HEADER] == f"t=1772463600,v1={digest}"
