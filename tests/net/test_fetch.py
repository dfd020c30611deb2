import gzip
import json
import random
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import Any

import httpx
import pytest

from core.errors import SourceBusy, SourceChanged, SourceDown, SourceError, SourceRefused
from core.settings import Network
from net.client import Rules, open_client
from net.fetch import fetch, get_json, post_json

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
Handler = Callable[[httpx.Request], httpx.Response]


MANY: Any = {"any[]": ["x", "y"]}


def client_of(handler: Handler, rules: Rules | None = None) -> httpx.Client:
    return open_client(
        Network(),
        base_url="https://town.example",
        rules=rules or Rules(clock=lambda: NOW, sleep=lambda seconds: None),
        transport=httpx.MockTransport(handler),
    )


def noting(asked: list[httpx.Request], answer: httpx.Response) -> Handler:
    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answer

    return handler


def streamed(*chunks: bytes, **headers: str) -> httpx.Response:
    """A response that comes in pieces, as from a network: nothing has read or expanded it yet."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(200, headers=named, stream=Pieces(chunks))


class Pieces(httpx.SyncByteStream):
    def __init__(self, chunks: object) -> None:
        self.chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        yield from self.chunks  # type: ignore[misc]


def test_json_is_asked_for_and_read() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert request.method == "GET"
        assert str(request.url) == "https://town.example/api?q=a+b&any%5B%5D=x&any%5B%5D=y"
        assert request.headers["accept"] == "application/json"
        assert request.headers["accept-encoding"] == "gzip, deflate"
        assert request.headers["user-agent"].startswith("openear/")
        return httpx.Response(200, json={"n": 1})

    assert get_json(client_of(handler), "town", "/api", q="a b", cursor=None, **MANY) == {"n": 1}


def test_a_post_is_asked_once_even_if_the_server_is_down() -> None:
    asked: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(503)

    with pytest.raises(SourceDown):
        post_json(client_of(handler), "town", "/api", {"text": "hello"})
    assert [json.loads(request.content) for request in asked] == [{"text": "hello"}]


def test_a_get_is_asked_again_after_a_wait_with_jitter() -> None:
    answers = iter([httpx.Response(502), httpx.Response(500), httpx.Response(200, json=[])])
    waits: list[float] = []
    rules = Rules(clock=lambda: NOW, sleep=waits.append, rng=random.Random(1))
    assert get_json(client_of(lambda request: next(answers), rules), "town", "/") == []
    assert 0.5 <= waits[0] <= 0.75
    assert 1.0 <= waits[1] <= 1.5


def test_a_short_wait_is_waited_and_a_long_one_is_raised() -> None:
    clock = [NOW]
    rules = Rules(
        clock=lambda: clock[0], sleep=lambda seconds: clock.__setitem__(0, clock[0] + timedelta(seconds=seconds))
    )
    answers = iter([httpx.Response(429, headers={"retry-after": "2"}), httpx.Response(200, json=["ok"])])
    assert get_json(client_of(lambda request: next(answers), rules), "town", "/") == ["ok"]
    assert clock[0] >= NOW + timedelta(seconds=2)
    long = httpx.Response(429, headers={"retry-after": "600"})
    asked: list[httpx.Request] = []
    with pytest.raises(SourceBusy) as caught:
        get_json(client_of(noting(asked, long), rules), "town", "/")
    assert caught.value.retry_after == timedelta(seconds=600)
    assert len(asked) == 1


def test_a_host_that_asked_for_rest_is_not_asked_by_another_client() -> None:
    rules = Rules(clock=lambda: NOW, sleep=lambda seconds: None)
    with pytest.raises(SourceBusy):
        get_json(client_of(lambda request: httpx.Response(429, headers={"retry-after": "600"}), rules), "town", "/")
    asked: list[httpx.Request] = []
    with pytest.raises(SourceBusy, match="left alone"):
        get_json(client_of(noting(asked, httpx.Response(200)), rules), "other", "/")
    assert asked == []


def test_redirects_are_followed_up_to_five() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        left = int(request.url.path.strip("/"))
        return httpx.Response(302, headers={"location": f"/{left - 1}"}) if left else httpx.Response(200, json="there")

    assert get_json(client_of(handler), "town", "/5") == "there"
    with pytest.raises(SourceChanged, match="5 times"):
        get_json(client_of(handler), "town", "/6")


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        ("https://town.example/b", True),
        ("https://other.example/b", False),
        ("http://town.example/b", False),
        ("https://sub.town.example/b", False),
    ],
)
def test_credentials_do_not_follow_to_another_origin(target: str, kept: bool) -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        moved = httpx.Response(302, headers={"location": target})
        return moved if request.url.path == "/a" else httpx.Response(200, json=[])

    secrets = {"authorization": "Bearer secret", "x-api-key": "secret", "api-username": "secret"}
    get_json(client_of(handler), "town", "/a", headers=secrets)
    assert all(name in seen[0].headers for name in secrets)
    assert all((name in seen[1].headers) is kept for name in secrets)


def test_a_post_is_never_sent_on() -> None:
    moved = httpx.Response(307, headers={"location": "https://other.example/"})
    with pytest.raises(SourceChanged, match="moved its POST"):
        post_json(client_of(lambda request: moved), "town", "/login", {"password": "secret"})


def test_compressed_answers_are_expanded() -> None:
    body = json.dumps(["ñ"] * 100).encode()
    raw = zlib.compressobj(wbits=-15)
    for data, coding in (
        (gzip.compress(body), "gzip"),
        (gzip.compress(body[:50]) + gzip.compress(body[50:]), "gzip"),
        (zlib.compress(body), "deflate"),
        (raw.compress(body) + raw.flush(), "deflate"),
        (body, "identity"),
    ):
        halves = (data[: len(data) // 2], data[len(data) // 2 :])
        answer = get_json(client_of(noting([], streamed(*halves, content_encoding=coding))), "town", "/")
        assert answer == ["ñ"] * 100


def test_a_compressed_answer_that_breaks_off_is_down() -> None:
    data = gzip.compress(json.dumps(list(range(5000))).encode())
    with pytest.raises(SourceDown, match="breaks off"):
        get_json(client_of(lambda request: streamed(data[:-40], content_encoding="gzip")), "town", "/")


def test_a_broken_compressed_answer_is_down() -> None:
    data = gzip.compress(json.dumps(list(range(5000))).encode())
    broken = data[:100] + b"\xff" * 50 + data[150:]
    with pytest.raises(SourceDown):
        get_json(client_of(lambda request: streamed(broken, content_encoding="gzip")), "town", "/")


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "compress"])
def test_a_coding_nobody_asked_for_is_refused(coding: str) -> None:
    with pytest.raises(SourceChanged, match="content-encoding"):
        get_json(client_of(lambda request: streamed(b"x", content_encoding=coding)), "town", "/")


@pytest.mark.parametrize("length", ["3", "900"])
def test_a_wrong_length_is_down(length: str) -> None:
    with pytest.raises(SourceDown, match="bytes"):
        get_json(client_of(lambda request: streamed(b"[1, 2, 3]", content_length=length)), "town", "/")


def test_a_bomb_is_refused_before_it_is_whole() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    rules = Rules(max_bytes=100_000, clock=lambda: NOW)
    with pytest.raises(SourceChanged, match="more than 100000 bytes"):
        get_json(client_of(lambda request: streamed(bomb, content_encoding="gzip"), rules), "town", "/")


def test_a_body_without_end_is_refused() -> None:
    endless = httpx.Response(200, stream=Pieces(repeat(b"x" * 1000)))
    with pytest.raises(SourceChanged, match="more than"):
        get_json(client_of(lambda request: endless, Rules(max_bytes=100_000, clock=lambda: NOW)), "town", "/")


def test_a_slow_drip_is_given_up() -> None:
    moments = iter(range(0, 10_000, 5))
    rules = Rules(max_seconds=60, timer=lambda: float(next(moments)), attempts=1, clock=lambda: NOW)
    drip = httpx.Response(200, stream=Pieces(repeat(b" ")))
    with pytest.raises(SourceDown, match="too long"):
        get_json(client_of(lambda request: drip, rules), "town", "/")


def test_a_connection_that_breaks_in_the_body_is_down() -> None:
    def broken() -> Iterator[bytes]:
        yield b"[1,"
        raise httpx.ReadError("reset by peer")

    with pytest.raises(SourceDown, match="reset by peer"):
        get_json(client_of(lambda request: httpx.Response(200, stream=Pieces(broken()))), "town", "/")


HTML = "<!doctype html><html><head><title>Sign in to \x1b[31mWi-Fi</title></head></html>"


@pytest.mark.parametrize("headers", [{"content-type": "text/html"}, {"content-type": "application/json"}, {}])
def test_a_web_page_with_200_is_down_and_says_so(headers: dict[str, str]) -> None:
    page = httpx.Response(200, content=HTML.encode(), headers=headers)
    with pytest.raises(SourceDown, match="web page") as caught:
        get_json(client_of(lambda request: page), "town", "/")
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    "body", [b"", b"not json", b"{", b"[" * 100_000, b'{"n": 1e999999' + b"9" * 50_000, b"\xff\xfe"]
)
def test_what_is_not_json_is_a_change(body: bytes) -> None:
    with pytest.raises(SourceChanged, match="not JSON"):
        get_json(client_of(lambda request: httpx.Response(200, content=body)), "town", "/")


def test_a_byte_order_mark_does_no_harm() -> None:
    assert get_json(client_of(lambda request: httpx.Response(200, content=b"\xef\xbb\xbf[1]")), "town", "/") == [1]


def test_a_status_that_the_caller_allows_is_an_answer() -> None:
    client = client_of(lambda request: httpx.Response(404, json={"error": "gone"}))
    assert fetch(client, "town", "GET", "/x", allowed=frozenset({404})).status == 404
    with pytest.raises(SourceChanged):
        fetch(client, "town", "GET", "/x")


def test_no_error_holds_a_query_which_may_hold_a_secret() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("timed out")

    with pytest.raises(SourceDown) as caught:
        get_json(client_of(handler), "town", "/x", headers={"authorization": "Bearer hush"}, key="hush")
    assert "hush" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_private_address_is_refused_even_without_a_network() -> None:
    with pytest.raises(SourceRefused):
        get_json(client_of(lambda request: httpx.Response(200, json=[])), "town", "http://169.254.169.254/")


@pytest.mark.parametrize("address", ["http://", "https://[", "http://town.example:99999/", "//", "http://\x00/"])
def test_an_address_that_is_none_is_an_error_of_ours(address: str) -> None:
    with pytest.raises(SourceError):
        get_json(client_of(lambda request: httpx.Response(404)), "town", address)


def test_all_attempts_together_keep_to_the_time() -> None:
    seconds = [0.0]
    asked: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        seconds[0] += 40
        raise httpx.ReadTimeout("slow")

    rules = Rules(max_seconds=60, attempts=5, timer=lambda: seconds[0], sleep=lambda s: None, clock=lambda: NOW)
    with pytest.raises(SourceDown):
        get_json(client_of(handler, rules), "town", "/")
    assert len(asked) == 2
