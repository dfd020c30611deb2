"""What stands between a spider and the network: the same address check as everywhere, and robots.txt to the letter."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Request, Response
from scrapy.robotstxt import ProtegoRobotParser
from twisted.internet.interfaces import IHostnameResolver, IResolutionReceiver
from zope.interface import implementer  # type: ignore[import-untyped]  # it ships no types

from net.address import AddressRefused, Allow, check, literal, normal

LONGEST_DELAY = 60.0  # seconds; a site that asks for more is not read
#: Hosts that must not be asked, and why; a crawler is a process of its own.
REFUSALS: dict[str, str] = {}
_CLOSED = b"User-agent: *\nDisallow: /"


class Refused(IgnoreRequest):
    """A request that is not made. `kind` is robots, address or down."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(why)
        self.kind, self.why = kind, why


@implementer(IResolutionReceiver)
class _Receiver:
    """Hands over the addresses of a host if all may be asked, or none of them."""

    def __init__(self, inner: Any, host: str, port: int, allow: Allow) -> None:
        self.inner, self.host, self.port, self.allow = inner, host, port, allow
        self.addresses: list[Any] = []

    def resolutionBegan(self, resolution: Any) -> None:  # noqa: N802 (Twisted's name)
        self.inner.resolutionBegan(resolution)

    def addressResolved(self, address: Any) -> None:  # noqa: N802
        self.addresses.append(address)

    def resolutionComplete(self) -> None:  # noqa: N802
        try:
            check(self.host, self.port, [str(address.host) for address in self.addresses], self.allow)
        except AddressRefused as why:
            self.addresses, REFUSALS[self.host] = [], str(why)
        for address in self.addresses:
            self.inner.addressResolved(address)
        self.inner.resolutionComplete()


@implementer(IHostnameResolver)
class CheckedResolver:
    """Scrapy's TWISTED_DNS_RESOLVER. What it hands over is what is dialled: no second look-up."""

    def __init__(self, reactor: Any, allow: Allow) -> None:
        self.reactor, self.inner, self.allow = reactor, reactor.nameResolver, allow

    @classmethod
    def from_crawler(cls, crawler: Any, reactor: Any) -> "CheckedResolver":
        """Scrapy's way to build it."""
        return cls(reactor, Allow.parse(crawler.settings.getlist("OPENEAR_ALLOW")))

    def install_on_reactor(self) -> None:
        """Scrapy's way to use it."""
        self.reactor.installNameResolver(self)

    def resolveHostName(  # noqa: N802 (Twisted's name)
        self,
        resolutionReceiver: Any,  # noqa: N803
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Sequence[Any] | None = None,  # noqa: N803
        transportSemantics: str = "TCP",  # noqa: N803
    ) -> Any:
        """See IHostnameResolver."""
        receiver = _Receiver(resolutionReceiver, hostName, portNumber, self.allow)
        return self.inner.resolveHostName(receiver, hostName, portNumber, addressTypes, transportSemantics)


class CheckedAddress:
    """Looks at each request, redirected ones and robots.txt included, before anything is resolved."""

    def __init__(self, allow: Allow, sites: frozenset[str]) -> None:
        self.allow, self.sites = allow, sites

    @classmethod
    def from_crawler(cls, crawler: Any) -> "CheckedAddress":
        """Scrapy's way to build it."""
        settings = crawler.settings
        return cls(Allow.parse(settings.getlist("OPENEAR_ALLOW")), frozenset(settings.getlist("OPENEAR_SITES")))

    def process_request(self, request: Request) -> None:
        """Refuse what is not http(s), not on the list of sites, or an address that must not be asked."""
        url = urlsplit(request.url)
        host = normal(url.hostname or "")
        if url.scheme not in ("http", "https"):
            raise Refused("address", f"{url.scheme}: is not http or https")
        if host not in self.sites:
            raise Refused("address", f"{host} is not among the sites of this source")
        try:
            if (ip := literal(host)) is not None:
                check(host, url.port or (443 if url.scheme == "https" else 80), [str(ip)], self.allow)
        except AddressRefused as why:
            raise Refused("address", str(why)) from None


class StrictRobots(RobotsTxtMiddleware):
    """robots.txt by RFC 9309: if it cannot be had the site is closed; Crawl-delay is kept."""

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        self.closed: set[str] = set()

    def process_request_2(self, rp: Any, request: Request) -> None:
        """Refuse what robots.txt forbids; slow down to what it asks."""
        url = urlsplit(request.url)
        if why := REFUSALS.get(url.hostname or ""):
            raise Refused("address", why)
        if rp is None or url.netloc in self.closed:
            raise Refused("down", "its robots.txt cannot be had: it is not read until it can")
        try:
            super().process_request_2(rp, request)
        except IgnoreRequest:
            raise Refused("robots", f"robots.txt forbids {url.path or '/'}") from None
        self._slow_down(rp, request)

    def _slow_down(self, rp: ProtegoRobotParser, request: Request) -> None:
        delay = rp.rp.crawl_delay(str(self._robotstxt_useragent))
        if delay is None:
            return
        if delay > LONGEST_DELAY:
            raise Refused("robots", f"robots.txt asks for {delay:g} s between pages: too slow to be read")
        downloader = self.crawler.engine.downloader
        slot = downloader.slots.get(downloader.get_slot_key(request))
        if slot is not None:
            slot.delay, slot.jitter = max(slot.delay, float(delay)), 0.0

    async def _parse_robots(self, response: Response, netloc: str, request: Request) -> None:
        closed = response.status >= 500 or response.status == 429
        body = _CLOSED if closed else response.body if response.status < 300 else b""
        await super()._parse_robots(response.replace(body=body), netloc, request)
        if closed:
            self.closed.add(netloc)
