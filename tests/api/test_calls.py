import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from api.app import create_app
from api.door import LARGEST_BODY
from core.settings import Settings
from crm.signing import EVENT_HEADER, SIGNATURE_HEADER, sign
from storage import calls, work
from storage.engine import Store
from tests.api.conftest import SECRET, Clock, Send
from tests.conftest import NOW

ROWS = [{"start": "2026-03-02T08:00", "calls": 41, "answered": 40}, {"start": "2026-03-02T08:30", "calls": 12}]


def stored(store: Store, queue: str = "main") -> list[float]:
    with store.read() as read:
        return [one.offered for one in calls.series(read, queue)]


def test_signed_calls_are_stored(send: Send, store: Store) -> None:
    answer = send({"queue": "water", "step": "30min", "calls": ROWS})
    assert answer.status_code == 200
    assert answer.json() == {
        "event": "e1",
        "repeated": False,
        "new": 2,
        "corrected": 0,
        "same": 0,
        "rejected": 0,
        "why": [],
    }
    with store.read() as read:
        first, second = calls.series(read, "water")
    assert (first.start.isoformat(), first.step, first.answered) == (
        "2026-03-02T13:00:00+00:00",
        timedelta(minutes=30),
        40,
    )
    assert second.recorded_at == NOW


def test_csv_works_too(send: Send, store: Store) -> None:
    answer = send(b"start,calls\n2026-03-02 08:00,7\n2026-03-02 08:15,8\n", kind="text/csv; charset=utf-8")
    assert (answer.status_code, answer.json()["new"]) == (200, 2)
    assert stored(store) == [7, 8]


def test_an_event_counts_once_so_that_it_may_be_sent_again(send: Send, store: Store, clock: Clock) -> None:
    send(ROWS)
    clock.wait(minutes=1)
    corrected = [{"start": "2026-03-02T08:00", "calls": 50}, {"start": "2026-03-02T08:30", "calls": 12}]
    assert send(corrected, event="e2").json()["corrected"] == 1
    again = send(ROWS, event="e1").json()
    assert (again["repeated"], again["new"], again["corrected"]) == (True, 0, 0)
    assert stored(store) == [50, 12]
    with store.read() as read:
        assert work.counts(read) == {"calls": {"done": 2}}


def test_rows_that_cannot_be_used_are_named_and_the_others_count(send: Send, store: Store) -> None:
    bad = [{"start": "2026-03-02T09:00", "calls": -3}, {"start": "whenever", "calls": 1}, {}]
    answer = send({"step": 30, "calls": [*ROWS, *bad]}).json()
    assert (answer["new"], answer["rejected"]) == (2, 3)
    assert [row["line"] for row in answer["why"]] == [3, 4, 5]
    assert "calls '-3'" in answer["why"][0]["why"]


def test_many_rejected_rows_are_counted_but_not_all_told(send: Send) -> None:
    answer = send([{"calls": 1}] * 500).json()
    assert (answer["rejected"], len(answer["why"])) == (500, 100)


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({EVENT_HEADER: "e9"}, "does not fit"),
        ({SIGNATURE_HEADER: f"t={int(NOW.timestamp())},v1={'0' * 64}"}, "does not fit"),
        ({SIGNATURE_HEADER: "nonsense"}, "missing or not like"),
        ({EVENT_HEADER: "a b"}, "missing or not"),
    ],
)
def test_what_is_not_signed_by_the_phones_is_refused(
    send: Send, store: Store, headers: dict[str, str], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "openear.api"):
        answer = send(ROWS, **headers)
    assert answer.status_code == 401
    assert words in answer.json()["error"]
    assert stored(store) == []
    assert "refused POST" in caplog.text
    assert SECRET not in caplog.text + answer.text


def test_an_old_message_is_refused(client: TestClient, clock: Clock, store: Store) -> None:
    content = json.dumps(ROWS).encode()
    headers = {"content-type": "application/json", **sign(SECRET, "e1", content, clock())}
    clock.wait(minutes=5, seconds=1)
    answer = client.post("/calls", content=content, headers=headers)
    assert (answer.status_code, "5 minutes" in answer.json()["error"]) == (401, True)
    assert stored(store) == []


def test_without_a_secret_nothing_is_taken(settings: Settings, store: Store, clock: Clock) -> None:
    open_door = settings.model_copy(update={"phones": settings.phones.model_copy(update={"calls_secret": None})})
    with TestClient(create_app(open_door, store, clock)) as client:
        answer = client.post("/calls", content=b"[]")
    assert answer.status_code == 503
    assert "OPENEAR_PHONES__CALLS_SECRET" in answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "application/json", 422),
        (b"[" * 50_000, "application/json", 422),
        (b"a,b\n1,2\n", "text/csv", 422),
        (b"\xff\xff\xff", "text/csv", 422),
        (b"<calls/>", "application/xml", 415),
        (b"[]", "", 415),
    ],
)
def test_a_body_that_is_no_call_file_is_refused_and_its_event_is_free(
    send: Send, body: bytes, kind: str, status: int
) -> None:
    answer = send(body, kind=kind)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert send(ROWS).json()["repeated"] is False


def test_a_long_or_compressed_body_is_refused_before_it_is_read(send: Send, client: TestClient) -> None:
    assert send(b" " * (LARGEST_BODY + 1)).status_code == 413
    assert send(b"[]", **{"content-encoding": "gzip"}).status_code == 415

    def parts() -> Iterator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    assert client.post("/calls", content=parts()).status_code == 413  # nobody said how long it would be
    assert client.post("/calls", content=b"[]", headers={"content-length": "many"}).status_code in (400, 413)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["start", "calls", "x"]), inner),
    max_leaves=10,
)
hostile = st.binary(max_size=200) | anything.map(lambda value: json.dumps(value).encode())


@profile(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(hostile, st.sampled_from(["application/json", "text/csv"]), st.booleans())
def test_no_body_and_no_header_breaks_it(send: Send, body: bytes, kind: str, believed: bool) -> None:
    more: dict[str, Any] = {} if believed else {SIGNATURE_HEADER: body.hex()[:100]}
    answer = send(body, kind=kind, **more)
    assert answer.status_code in (200, 401, 422)
    assert answer.json()
