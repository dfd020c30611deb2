"""The sample server: `python -m sample.server --port 8710 --seed 7`. Listens on 127.0.0.1 and nowhere else.

What it shows grows with the clock. It is bounded: a few connections at a time, small requests, short waits.
"""

import argparse
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from core.protocols import Clock
from sample import city, routes
from sample.site import Answer, Faults, Request, Site
from sample.world import World, world

HOST = "127.0.0.1"
PORT = city.PORT
MOST_CONNECTIONS = 32
MOST_BODY = 64 * 1024
_WAIT = 10  # seconds


class _Server(ThreadingHTTPServer):
    """Threads for MOST_CONNECTIONS at a time; more wait in the queue of the socket."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, port: int, site_for: Callable[[str], Site]) -> None:
        self._free = threading.BoundedSemaphore(MOST_CONNECTIONS)
        super().__init__((HOST, port), _Handler)
        self.site = site_for(f"http://{HOST}:{self.server_address[1]}")

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._free.acquire(timeout=_WAIT):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:
        """A client that goes away is no news."""


class _Handler(BaseHTTPRequestHandler):
    """HTTP in, Request out; Answer in, HTTP out."""

    protocol_version = "HTTP/1.1"
    server_version = "MapleHarbor"
    sys_version = ""
    timeout: ClassVar[int] = _WAIT
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024  # head and body leave together
    server: _Server

    def do_GET(self) -> None:
        self._respond()

    def do_HEAD(self) -> None:
        self._respond()

    def do_POST(self) -> None:
        self._respond()

    def _respond(self) -> None:
        length = self.headers.get("content-length") or "0"
        if not length.isdecimal() or int(length) > MOST_BODY:
            self.close_connection = True
            self._write(Answer(status=413, body=b"too much", content_type="text/plain"))
            return
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query=parse_qs(parts.query, max_num_fields=100),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(length)),
        )
        self._write(routes.answer(self.server.site, request))

    def _write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("content-type", answer.content_type)
        self.send_header("content-length", str(len(answer.body)))
        self.send_header("x-notice", city.NOTICE)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: a newcomer's terminal has better things to show."""


@contextmanager
def serve(port: int, world: World, clock: Clock, faults: Faults | None = None) -> Iterator[Site]:
    """Serve `world` while the context is open; port 0 takes a free one. `site.base` is the address."""
    server = _Server(port, lambda base: Site(world, clock, base, faults))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="sample-server", daemon=True)
    thread.start()
    try:
        yield server.site
    finally:
        server.shutdown()
        server.server_close()
        thread.join(_WAIT)


def _moment(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="sample.server", description=city.NOTICE)
    parser.add_argument("--port", type=int, default=PORT, help=f"port on {HOST} (default {PORT})")
    parser.add_argument("--seed", type=int, default=7, help="another seed, another city")
    parser.add_argument("--anchor", type=_moment, help="moment that the story is laid around (default: --now)")
    parser.add_argument("--now", type=_moment, help="let the city's clock begin here (default: the real time)")
    parser.add_argument("--withhold", type=int, default=0, help="so many posts are counted but not shown")
    parser.add_argument("--limit", type=int, help="requests in five minutes before 429")
    return parser.parse_args(argv)


def clock_from(began: datetime | None) -> Clock:
    """The real time, or one that began at `began` when this was called and runs on."""
    if began is None:
        return lambda: datetime.now(UTC)
    ahead = began - datetime.now(UTC)
    return lambda: datetime.now(UTC) + ahead


def main(argv: list[str] | None = None) -> int:
    """Serve until told to stop."""
    options = _options(argv)
    clock = clock_from(options.now)
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    faults = Faults(withhold=options.withhold, limit=options.limit)
    try:
        with serve(options.port, world(options.anchor or clock(), options.seed), clock, faults) as site:
            sys.stdout.write(f"{site.base} {city.NOTICE}\n")
            sys.stdout.flush()
            stop.wait()
    except OSError as error:
        sys.stderr.write(f"the sample server cannot listen on {HOST}:{options.port}: {error}; choose another --port\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
