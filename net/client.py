"""The one door to the network: an httpx client that looks at each address before it dials it.

The host is resolved once; if any of its addresses is private, or otherwise not for us, nobody is dialled; else the
checked address itself is, so that a second look-up cannot lead elsewhere. TLS still asks for the name.
The environment (proxies, .netrc) is not read: proxy and private CA come from the settings.
"""

import random
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpcore
import httpx

from core.protocols import Clock
from core.settings import Network
from net.address import PORTS, AddressRefused, Allow, check, literal, normal, resolve
from net.backend import PinnedBackend, Resolver
from net.limits import BudgetStore, LocalBudget


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How a client behaves. The defaults are for an API; a test brings its own clock, sleep and chance.

    Attributes:
        max_bytes: most bytes of a body, after decompression.
        max_seconds: most seconds from the question to the last byte.
        attempts: how often an idempotent question is asked in all.
        longest_wait: a server that asks for more is not waited for: the error is raised.
        budget: until when hosts must be left alone.
    """

    max_bytes: int = 16 * 1024 * 1024
    max_seconds: float = 60.0
    max_redirects: int = 5
    attempts: int = 3
    longest_wait: timedelta = timedelta(seconds=5)
    clock: Clock = lambda: datetime.now(UTC)
    timer: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    rng: random.Random = field(default_factory=random.Random)
    budget: BudgetStore = field(default_factory=LocalBudget)


class Client(httpx.Client):
    """An httpx client that knows its rules. Use it through net.fetch, which applies them."""

    rules: Rules


def open_client(
    network: Network,
    *,
    base_url: str = "",
    rules: Rules | None = None,
    transport: httpx.BaseTransport | None = None,
    resolver: Resolver = resolve,
) -> Client:
    """A client for `base_url` that keeps to `network`'s allow-list, proxy and CA.

    Args:
        network: settings.network.
        base_url: what relative addresses are relative to.
        rules: caps, retries and budget; one Rules shared by all clients of a process shares the budget.
        transport: instead of the network, in tests.
        resolver: name and port -> addresses.
    """
    allow = Allow.parse(network.allow)
    inner = transport or PinnedTransport(network, allow, resolver)
    client = Client(
        base_url=base_url,
        transport=GuardedTransport(inner, allow),
        timeout=httpx.Timeout(15.0, connect=10.0),
        headers={"user-agent": network.user_agent, "accept-encoding": "gzip, deflate"},
        trust_env=False,
        follow_redirects=False,
    )
    client.rules = rules or Rules()
    return client


def rules_of(client: httpx.Client) -> Rules:
    """The rules of a client; the defaults for one that has none."""
    return client.rules if isinstance(client, Client) else Rules()


class GuardedTransport(httpx.BaseTransport):
    """Refuses what can be refused by looking at the address alone: scheme, literal addresses, ports."""

    def __init__(self, inner: httpx.BaseTransport, allow: Allow) -> None:
        self._inner, self._allow = inner, allow

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request`.

        Raises:
            AddressRefused: its address must not be asked.
        """
        url = request.url
        if url.scheme not in ("http", "https"):
            raise AddressRefused(f"{url.scheme}: is not http or https")
        port = url.port or {"http": 80, "https": 443}[url.scheme]
        if (ip := literal(url.host)) is not None:
            check(url.host, port, [str(ip)], self._allow)
        elif normal(url.host) == "localhost" or normal(url.host).endswith(".localhost"):
            self._check_loopback(url.host, port)
        return self._inner.handle_request(request)

    def _check_loopback(self, host: str, port: int) -> None:
        if not any(self._allow.covers(normal(host), literal(ip), port) for ip in ("127.0.0.1", "::1")):
            raise AddressRefused(f"{host} is this machine: add it to network.allow if that is meant")

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


class PinnedTransport(httpx.HTTPTransport):
    """httpx's transport over a pool that dials checked addresses only.

    httpx gives no way in, so its pool is replaced: `_pool` is private, httpx is pinned, and a test watches it.
    """

    def __init__(self, network: Network, allow: Allow, resolver: Resolver) -> None:
        context = ssl.create_default_context(cafile=str(network.ca_file)) if network.ca_file else _default_context()
        super().__init__(verify=context, trust_env=False)
        if network.proxy:
            proxy = httpx.Proxy(network.proxy)
            self._pool = httpcore.HTTPProxy(
                proxy_url=str(proxy.url),
                proxy_auth=proxy.raw_auth,
                ssl_context=context,
                keepalive_expiry=5.0,
            )
            self._resolver: Resolver | None = resolver
        else:
            backend = PinnedBackend(httpcore.SyncBackend(), allow, resolver)
            self._pool = httpcore.ConnectionPool(ssl_context=context, keepalive_expiry=5.0, network_backend=backend)
            self._resolver = None
        self._allow = allow

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request`; behind a proxy, which resolves names itself, refuse names known here to be private."""
        if self._resolver is not None:
            port = request.url.port or {"http": 80, "https": 443}[request.url.scheme]
            try:
                addresses = self._resolver(request.url.host, port)
            except OSError:
                addresses = []  # a network that leaves names to its proxy
            if not addresses and port not in PORTS and not self._allow.covers(normal(request.url.host), None, port):
                raise AddressRefused(f"port {port} of {request.url.host} is not 80 or 443")
            if addresses:
                check(request.url.host, port, addresses, self._allow)
        return super().handle_request(request)


def _default_context() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)
