"""How a connection is made: to a checked address, and not beyond the moment at which the whole answer must be there."""

import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpcore

from net.address import Address, AddressRefused, Allow, check, literal

Resolver = Callable[[str, int], list[str]]
_ENDS: ContextVar[float | None] = ContextVar("ends", default=None)


@contextmanager
def ends_at(moment: float) -> Iterator[None]:
    """Until then (time.monotonic) all that is read or written within must be done: slow headers count too."""
    token = _ENDS.set(moment)
    try:
        yield
    finally:
        _ENDS.reset(token)


class PinnedBackend(httpcore.NetworkBackend):
    """Resolves once, checks all addresses, dials one of those."""

    def __init__(self, inner: httpcore.NetworkBackend, allow: Allow, resolver: Resolver) -> None:
        self._inner, self._allow, self._resolver = inner, allow, resolver

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to `host`.

        Raises:
            AddressRefused: one of its addresses must not be asked.
        """
        failed: Exception = httpcore.ConnectError(f"{host} cannot be reached")
        for address in check(host, port, self._addresses(host, port), self._allow):
            try:
                stream = self._inner.connect_tcp(address, port, _left(timeout), local_address, socket_options)
                return TimedStream(stream)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed

    def _addresses(self, host: str, port: int) -> list[str]:
        ip: Address | None = literal(host)
        if ip is not None:
            return [str(ip)]
        try:
            return self._resolver(host, port)
        except OSError as error:
            raise httpcore.ConnectError(f"{host} has no address: {error}") from error

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None
    ) -> httpcore.NetworkStream:
        """Never."""
        raise AddressRefused("a socket on this machine is not a source")

    def sleep(self, seconds: float) -> None:
        """Wait, as the pool asks before it reconnects."""
        self._inner.sleep(seconds)


class TimedStream(httpcore.NetworkStream):
    """A connection on which each wait is cut to what is left of the whole."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what is there."""
        return self._inner.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of `buffer`."""
        self._inner.write(buffer, _left(timeout))

    def close(self) -> None:
        """Close it."""
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Encrypt it; the name asked for is the one in the address, not the number that was dialled."""
        return TimedStream(self._inner.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        """What is known about the connection."""
        return self._inner.get_extra_info(info)


def _left(timeout: float | None) -> float | None:
    ends = _ENDS.get()
    if ends is None:
        return timeout
    left = ends - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the whole answer took too long")
    return left if timeout is None else min(timeout, left)
