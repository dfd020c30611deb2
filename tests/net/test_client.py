"""The guarded client on real sockets (loopback) and with a resolver of ours."""

import random
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpcore
import httpx
import pytest

from core.errors import SourceChanged, SourceDown, SourceRefused
from core.settings import Network
from net.address import AddressRefused, Allow, resolve
from net.backend import PinnedBackend, Resolver
from net.client import PinnedTransport, Rules, open_client
from net.fetch import fetch

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
ONCE = Rules(attempts=1, clock=lambda: NOW)


@contextmanager
def server(*answers: bytes, hang: bool = False) -> Iterator[tuple[int, list[bytes]]]:
    """A server on loopback that gives each connection the next answer, then closes; yields its port and what it got."""
    listener = socket.create_server(("127.0.0.1", 0))
    got: list[bytes] = []
    done = threading.Event()

    def serve() -> None:
        for answer in answers:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                got.append(connection.recv(65536))
                connection.sendall(answer)
                if hang:
                    done.wait(5)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], got
    finally:
        done.set()
        listener.close()
        thread.join(5)


def ok(body: bytes = b"[]", head: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n%s\r\n%s" % (len(body), head, body)


def client_to(*allow: str, rules: Rules = ONCE, resolver: Resolver = resolve) -> httpx.Client:
    return open_client(Network(allow=allow), rules=rules, resolver=resolver)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0x7f000001", "127.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"],
)
def test_no_spelling_of_this_machine_is_asked(host: str) -> None:
    with server(ok()) as (port, got), client_to() as client:
        with pytest.raises(SourceRefused):
            fetch(client, "town", "GET", f"http://{host}:{port}/")
        assert got == []


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "100.64.0.1", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "224.0.0.1", "10.0.0.1", "[fe80::1]"],
)
def test_no_address_that_leads_inside_is_asked(host: str) -> None:
    with client_to() as client, pytest.raises(SourceRefused, match=r"network\.allow"):
        fetch(client, "town", "GET", f"http://{host}/latest/meta-data/")


@pytest.mark.parametrize("address", ["127.0.0.1", "100.64.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "224.0.0.1"])
def test_a_name_that_leads_inside_is_not_asked(address: str) -> None:
    with client_to(resolver=lambda host, port: [address]) as client, pytest.raises(SourceRefused, match="town"):
        fetch(client, "town", "GET", "http://town.example/")


def test_a_name_with_one_bad_address_is_not_asked_at_all() -> None:
    with client_to(resolver=lambda host, port: ["9.9.9.9", "127.0.0.1"]) as client, pytest.raises(SourceRefused):
        fetch(client, "town", "GET", "http://town.example/")


class Dialled(httpcore.NetworkBackend):
    """Notes what is dialled, and answers nothing."""

    def __init__(self) -> None:
        self.addresses: list[str] = []

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: object = None,
    ) -> httpcore.NetworkStream:
        self.addresses.append(host)
        raise httpcore.ConnectError("nobody there")


def test_a_name_is_resolved_once_and_the_checked_address_is_dialled() -> None:
    answers = iter([["9.9.9.9"], ["127.0.0.1"]])  # a resolver that changes its mind: DNS rebinding
    asked: list[str] = []

    def resolver(host: str, port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    inner = Dialled()
    with pytest.raises(httpcore.ConnectError):
        PinnedBackend(inner, Allow(), resolver).connect_tcp("town.example", 443)
    assert asked == ["town.example"]
    assert inner.addresses == ["9.9.9.9"]


def test_the_second_look_up_of_a_rebinding_name_is_refused() -> None:
    answers = iter([["9.9.9.9"], ["127.0.0.1"]])
    backend = PinnedBackend(Dialled(), Allow(), lambda host, port: next(answers))
    with pytest.raises(httpcore.ConnectError):
        backend.connect_tcp("town.example", 443)
    with pytest.raises(AddressRefused):
        backend.connect_tcp("town.example", 443)


def test_all_good_addresses_are_tried_in_turn() -> None:
    inner = Dialled()
    backend = PinnedBackend(inner, Allow(), lambda host, port: ["9.9.9.9", "149.112.112.112"])
    with pytest.raises(httpcore.ConnectError):
        backend.connect_tcp("town.example", 80)
    assert inner.addresses == ["9.9.9.9", "149.112.112.112"]


def test_a_socket_file_is_never_opened() -> None:
    with pytest.raises(AddressRefused):
        PinnedBackend(Dialled(), Allow(), lambda host, port: []).connect_unix_socket("/run/docker.sock")


def test_an_allowed_address_is_asked_with_the_name_in_the_host_header() -> None:
    with server(ok(b'["here"]')) as (port, got):
        with client_to("127.0.0.1/32", resolver=lambda host, _: ["127.0.0.1"]) as client:
            answer = fetch(client, "town", "GET", f"http://town.example:{port}/x")
        assert answer.body == b'["here"]'
        assert f"Host: town.example:{port}\r\n".encode() in got[0]


def test_an_allowed_port_is_that_port_only() -> None:
    with server(ok()) as (port, _), client_to(f"127.0.0.1:{port}") as client:
        assert fetch(client, "town", "GET", f"http://127.0.0.1:{port}/").status == 200
        with pytest.raises(SourceRefused):
            fetch(client, "town", "GET", f"http://127.0.0.1:{port + 1 if port < 65535 else 1024}/")


def test_a_redirect_is_looked_at_like_a_first_address() -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/\r\nContent-Length: 0\r\n\r\n"
    with (
        server(moved) as (port, _),
        client_to("127.0.0.1/32") as client,
        pytest.raises(SourceRefused, match=r"169\.254\.169\.254"),
    ):
        fetch(client, "town", "GET", f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://town.example/", "gopher://town.example/"])
def test_only_http_is_followed(target: str) -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % target.encode()
    with server(moved) as (port, _), client_to("127.0.0.1/32") as client, pytest.raises((SourceRefused, SourceDown)):
        fetch(client, "town", "GET", f"http://127.0.0.1:{port}/")


def test_the_environment_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with server(ok()) as (port, _), client_to("127.0.0.1/32") as client:
        assert fetch(client, "town", "GET", f"http://127.0.0.1:{port}/").status == 200


def test_a_proxy_of_the_settings_is_used_and_private_literals_are_refused_all_the_same() -> None:
    with server(ok(b'"by proxy"')) as (port, got):
        network = Network(proxy=f"http://127.0.0.1:{port}")
        with open_client(network, rules=ONCE, resolver=lambda host, _: ["9.9.9.9"]) as client:
            with pytest.raises(SourceRefused):
                fetch(client, "town", "GET", "http://10.0.0.1/")
            assert fetch(client, "town", "GET", "http://town.example/a").body == b'"by proxy"'
        assert got[0].startswith(b"GET http://town.example/a HTTP/1.1\r\n")


def test_behind_a_proxy_a_name_known_to_lead_inside_is_refused() -> None:
    network = Network(proxy="http://127.0.0.1:9")
    with (
        open_client(network, rules=ONCE, resolver=lambda host, _: ["10.0.0.1"]) as client,
        pytest.raises(SourceRefused),
    ):
        fetch(client, "town", "GET", "http://town.example/")


def test_a_private_ca_is_read_from_the_settings() -> None:
    with pytest.raises((FileNotFoundError, ssl.SSLError)):
        open_client(Network(ca_file=Path("no/such/ca.pem")))


def test_httpx_still_has_the_pool_that_we_replace() -> None:
    transport = PinnedTransport(Network(), Allow(), lambda host, port: [])
    assert isinstance(transport._pool, httpcore.ConnectionPool)
    assert isinstance(transport._pool._network_backend, PinnedBackend)
    assert "_pool" in vars(httpx.HTTPTransport())


def test_a_host_that_cannot_be_found_is_down() -> None:
    def resolver(host: str, port: int) -> list[str]:
        raise socket.gaierror("no such name")

    with client_to(resolver=resolver) as client, pytest.raises(SourceDown, match="no such name"):
        fetch(client, "town", "GET", "https://town.example/")


def test_an_answer_that_is_cut_short_is_down() -> None:
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n[1, 2"
    with server(cut) as (port, _), client_to("127.0.0.1/32") as client, pytest.raises(SourceDown):
        fetch(client, "town", "GET", f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    "start", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n["]
)
def test_an_answer_that_never_ends_is_given_up(start: bytes) -> None:
    rules = Rules(attempts=1, max_seconds=0.4)
    with (
        server(start, hang=True) as (port, _),
        client_to("127.0.0.1/32", rules=rules) as client,
        pytest.raises(SourceDown),
    ):
        fetch(client, "town", "GET", f"http://127.0.0.1:{port}/")


def test_a_connection_that_is_refused_is_asked_again_then_down() -> None:
    waits: list[float] = []
    rules = Rules(attempts=3, sleep=waits.append, rng=random.Random(7))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with client_to("127.0.0.1/32", rules=rules) as client, pytest.raises(SourceDown):
        fetch(client, "town", "GET", f"http://127.0.0.1:{port}/")
    assert len(waits) == 2
    assert 0.5 <= waits[0] <= 0.75 < waits[1] <= 1.5


def test_what_is_not_http_is_down() -> None:
    with (
        server(b"SSH-2.0-OpenSSH_9.6\r\n") as (port, _),
        client_to("127.0.0.1/32") as client,
        pytest.raises((SourceDown, SourceChanged)),
    ):
        fetch(client, "town", "GET", f"http://127.0.0.1:{port}/")
