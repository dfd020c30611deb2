from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import SourceBusy, SourceChanged, SourceDown, SourceError, SourceRefused, SourceRetired
from net.limits import LONGEST_WAIT, LocalBudget, note, problem, quota, retry_after, wait_for

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
EPOCH = int(NOW.timestamp())

# Each with where it is documented.
DIALECTS = [
    ({"retry-after": "30"}, 30),  # https://www.rfc-editor.org/rfc/rfc9110#name-retry-after
    ({"retry-after": "Mon, 02 Mar 2026 15:02:00 GMT"}, 120),
    ({"retry-after": "0"}, 1),
    ({"retry-after": "Mon, 02 Mar 2026 14:00:00 GMT"}, 1),
    # https://docs.bsky.app/docs/advanced-guides/rate-limits
    ({"ratelimit-limit": "30", "ratelimit-remaining": "0", "ratelimit-reset": str(EPOCH + 300)}, 300),
    ({"ratelimit-reset": "77"}, 77),  # https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
    ({"ratelimit": '"default";r=0;t=45'}, 45),
    ({"ratelimit": "limit=100, remaining=0, reset=50"}, 50),
    # https://docs.joinmastodon.org/api/rate-limits/
    ({"x-ratelimit-reset": "2026-03-02T15:05:00.916474Z"}, 300.916474),
    ({"X-RateLimit-Reset": "2026-03-02T15:05:00Z"}, 300),
    # https://support.reddithelp.com/hc/en-us/articles/16160319875092
    ({"x-ratelimit-remaining": "0.0", "x-ratelimit-reset": "34.5"}, 34.5),
    ({"x-rate-limit-reset": str(EPOCH + 900)}, 900),  # https://docs.x.com/x-api/fundamentals/rate-limits
    ({"x-ratelimit-reset": str((EPOCH + 60) * 1000)}, 60),
    ({"retry-after": "9999999"}, LONGEST_WAIT.total_seconds()),
]


@pytest.mark.parametrize(("headers", "seconds"), DIALECTS)
def test_every_dialect_says_how_long_to_wait(headers: dict[str, str], seconds: float) -> None:
    assert retry_after(headers, NOW) == timedelta(seconds=seconds)


@pytest.mark.parametrize("headers", [{}, {"retry-after": "soon"}, {"x-ratelimit-reset": ""}, {"ratelimit": "none"}])
def test_what_says_nothing_is_nothing(headers: dict[str, str]) -> None:
    assert retry_after(headers, NOW) is None


def test_retry_after_wins_over_the_window() -> None:
    assert retry_after({"retry-after": "5", "x-ratelimit-reset": "300"}, NOW) == timedelta(seconds=5)


def test_a_quota_is_read_whole() -> None:
    headers = {"x-ratelimit-limit": "300", "x-ratelimit-remaining": "293.0", "x-ratelimit-reset": "12"}
    found = quota(headers, NOW)
    assert (found.limit, found.remaining, found.reset_at) == (300, 293, NOW + timedelta(seconds=12))


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (400, {}, SourceChanged),
        (401, {}, SourceRefused),
        (402, {}, SourceRefused),
        (403, {}, SourceRefused),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "30"}, SourceBusy),
        (404, {}, SourceChanged),
        (408, {}, SourceDown),
        (410, {}, SourceRetired),
        (422, {}, SourceChanged),
        (429, {}, SourceBusy),
        (451, {}, SourceRefused),
        (500, {}, SourceDown),
        (501, {}, SourceChanged),
        (502, {}, SourceDown),
        (503, {}, SourceDown),
        (503, {"Retry-After": "20"}, SourceBusy),
        (599, {}, SourceDown),
        (302, {}, SourceChanged),
    ],
)
def test_a_status_means_what_to_do_next(status: int, headers: dict[str, str], error: type[SourceError]) -> None:
    found = problem("town", status, headers, b"", NOW)
    assert type(found) is error
    assert str(status) in str(found)


@pytest.mark.parametrize("status", [200, 201, 204, 206, 304])
def test_a_success_is_no_error(status: int) -> None:
    assert problem("town", status, {}, b"", NOW) is None


def test_the_servers_own_words_are_one_short_line() -> None:
    body = b'{"error": "Bad\\n\\u001b[31mthing", "message": "' + b"x" * 500 + b'"}'
    text = str(problem("town", 400, {}, body, NOW))
    assert "Bad" in text
    assert "\n" not in text
    assert "\x1b" not in text
    assert len(text) < 350


@given(st.integers(100, 599), st.dictionaries(st.sampled_from(sorted(DIALECTS[4][0])), st.text(max_size=20)))
def test_any_answer_is_judged(status: int, headers: dict[str, str]) -> None:
    found = problem("town", status, headers, b"", NOW)
    if isinstance(found, SourceBusy):
        assert timedelta(0) < found.retry_after <= LONGEST_WAIT


def test_a_host_that_asked_for_rest_is_left_alone_until_then() -> None:
    budget = LocalBudget()
    note(budget, "town.example", 429, {"retry-after": "60"}, NOW)
    assert wait_for(budget, "town.example", NOW) == timedelta(seconds=60)
    assert wait_for(budget, "town.example", NOW + timedelta(seconds=60)) is None
    assert wait_for(budget, "other.example", NOW) is None


def test_the_last_request_of_a_window_blocks_the_next() -> None:
    budget = LocalBudget()
    note(budget, "town.example", 200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "90"}, NOW)
    assert wait_for(budget, "town.example", NOW) == timedelta(seconds=90)


def test_a_later_word_never_shortens_the_rest() -> None:
    budget = LocalBudget()
    note(budget, "town.example", 429, {"retry-after": "600"}, NOW)
    note(budget, "town.example", 429, {"retry-after": "5"}, NOW)
    assert wait_for(budget, "town.example", NOW) == timedelta(seconds=600)


def test_an_ordinary_answer_blocks_nothing() -> None:
    budget = LocalBudget()
    note(budget, "town.example", 200, {"x-ratelimit-remaining": "12", "x-ratelimit-reset": "90"}, NOW)
    assert wait_for(budget, "town.example", NOW) is None
