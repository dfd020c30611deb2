"""Which addresses may be asked. Pure: used by the HTTP client and by the crawler's resolver alike."""

import ipaddress
import re
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.errors import SettingsError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Ports that may be asked without the operator's word.
PORTS = frozenset({80, 443})

# ipaddress calls these global although they lead inside, or to everybody: service operators rarely expect that.
_TRAPS: tuple[tuple[Network, str], ...] = tuple(
    (ipaddress.ip_network(network), why)
    for network, why in (
        ("::ffff:0:0/96", "an IPv4 address in disguise"),
        ("::/96", "an IPv4 address in disguise"),
        ("64:ff9b::/96", "a NAT64 address"),
        ("64:ff9b:1::/48", "a NAT64 address"),
        ("2002::/16", "a 6to4 address"),
        ("2001::/32", "a Teredo address"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("100.64.0.0/10", "carrier-grade NAT"),
        ("fec0::/10", "site-local"),
    )
)
_NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+)){0,3}\.?", re.IGNORECASE)


class AddressRefused(Exception):
    """A host, address or port that must not be asked."""


def refusal(address: str | Address) -> str | None:
    """Why `address` must not be asked, in words; None if it is an ordinary public address.

    >>> refusal("127.0.0.1")
    'loopback'
    >>> refusal("9.9.9.9") is None
    True
    """
    ip = ipaddress.ip_address(address) if isinstance(address, str) else address
    plain = ipaddress.ip_address(int(ip)) if ip.version == 4 else ipaddress.IPv6Address(int(ip))  # drops a %zone
    for words in ("unspecified", "loopback", "link_local", "multicast"):
        if getattr(plain, f"is_{words}"):
            return words.replace("_", "-")
    for network, why in _TRAPS:
        if plain.version == network.version and plain in network:
            return why
    if plain.is_reserved:
        return "reserved"
    return "private" if plain.is_private or not plain.is_global else None


def literal(host: str) -> Address | None:
    """The address that `host` spells out, in any form a resolver takes; None for a name.

    >>> str(literal("0x7f.1")), str(literal("2130706433")), literal("city.example")
    ('127.0.0.1', '127.0.0.1', None)
    """
    try:
        return ipaddress.ip_address(host.strip("[]").split("%")[0])
    except ValueError:
        pass
    if _NUMERIC.fullmatch(host):
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host.rstrip(".")))
        except OSError:
            raise AddressRefused(f"{host} is neither a name nor an address") from None
    return None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the allow-list: a host name or a network, and perhaps one port only."""

    host: str
    network: Network | None
    port: int | None

    def covers(self, host: str, address: Address | None, port: int) -> bool:
        """Whether this line speaks about that target."""
        if self.port is not None and self.port != port:
            return False
        if self.network is None:
            return self.host == host
        return address is not None and address.version == self.network.version and address in self.network


@dataclass(frozen=True, slots=True)
class Allow:
    """The operator's allow-list: what may be asked although it is private, or on an unusual port."""

    entries: tuple[Entry, ...] = ()

    @classmethod
    def parse(cls, lines: Iterable[str]) -> "Allow":
        """Read lines such as "10.2.0.0/16", "127.0.0.1:8700", "[::1]:8700", "intranet.city.example".

        Raises:
            SettingsError: names the line that cannot be read.
        """
        return cls(tuple(_entry(line) for line in lines))

    def covers(self, host: str, address: Address | None, port: int) -> bool:
        """Whether any line allows that target."""
        return any(entry.covers(host, address, port) for entry in self.entries)


def check(host: str, port: int, addresses: Sequence[str], allow: Allow) -> list[str]:
    """The addresses that may be dialled for `host`: all of them, or none.

    One bad address among good ones refuses the host: nobody but an attacker mixes them.

    Raises:
        AddressRefused: says which address and why.
    """
    name = normal(host)
    if not addresses:
        raise AddressRefused(f"{name} has no address")
    for text in addresses:
        ip = ipaddress.ip_address(text.split("%")[0])
        if allow.covers(name, ip, port):
            continue
        if why := refusal(ip):
            raise AddressRefused(f"{name} leads to {ip}, which is {why}: add it to network.allow if that is meant")
        if port not in PORTS:
            raise AddressRefused(f"port {port} of {name} is not 80 or 443: add '{name}:{port}' to network.allow")
    return list(addresses)


def resolve(host: str, port: int) -> list[str]:
    """All addresses of `host`, asked once.

    Raises:
        OSError: it has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def normal(host: str) -> str:
    """A host name as we compare it: lower case, no trailing dot, no brackets."""
    return host.strip("[]").rstrip(".").lower()


def _entry(line: str) -> Entry:
    text = line.strip()
    split = re.fullmatch(r"(\[[^\]]+\]|[^:]+):(\d{1,5})", text)
    host, port = (split[1], int(split[2])) if split else (text, None)
    if not host or "://" in text or (port is not None and not 0 < port < 65536):
        raise SettingsError(f"network.allow: {line!r} is not a host, an address or a network such as '10.0.0.0/8'")
    try:
        return Entry(normal(host), ipaddress.ip_network(host.strip("[]"), strict=False), port)
    except ValueError:
        if "/" in host:
            raise SettingsError(f"network.allow: {line!r} is not a network such as '10.0.0.0/8'") from None
        return Entry(normal(host), None, port)
