from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import SettingsError
from net.address import AddressRefused, Allow, check, literal, refusal

BAD = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.127.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "192.88.99.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:9.9.9.9",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::9.9.9.9",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2001:0:53aa:64c::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "fc00::1",
    "fd12:3456::1",
    "ff02::1",
    "2001:db8::1",
]
GOOD = ["9.9.9.9", "93.184.216.34", "2620:fe::fe", "2606:4700:4700::1111"]


@pytest.mark.parametrize("address", BAD)
def test_an_address_that_leads_inside_is_refused(address: str) -> None:
    assert refusal(address)
    with pytest.raises(AddressRefused):
        check("town.example", 443, [address], Allow())


@pytest.mark.parametrize("address", GOOD)
def test_a_public_address_is_not(address: str) -> None:
    assert refusal(address) is None
    assert check("town.example", 443, [address], Allow()) == [address]


@pytest.mark.parametrize("bad", BAD)
def test_one_bad_address_among_good_ones_refuses_the_host(bad: str) -> None:
    with pytest.raises(AddressRefused):
        check("town.example", 443, [*GOOD, bad], Allow())


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("[::1]", "::1"),
        ("[::ffff:127.0.0.1]", "::ffff:127.0.0.1"),
        ("town.example", None),
        ("1password.example", None),
    ],
)
def test_a_host_that_spells_an_address_is_read_as_a_resolver_would(host: str, address: str | None) -> None:
    found = literal(host)
    assert (None if found is None else refusal(found) is not None) is (None if address is None else True)
    if address and found and found.version == 4:
        assert str(found) == address


def test_numbers_that_are_no_address_are_refused() -> None:
    with pytest.raises(AddressRefused):
        literal("99999999999999")


@pytest.mark.parametrize(
    ("line", "address", "port", "allowed"),
    [
        ("127.0.0.1/32", "127.0.0.1", 8700, True),
        ("127.0.0.1/32", "127.0.0.2", 8700, False),
        ("127.0.0.1:8700", "127.0.0.1", 8700, True),
        ("127.0.0.1:8700", "127.0.0.1", 8701, False),
        ("10.0.0.0/8", "10.2.3.4", 443, True),
        ("[::1]:8700", "::1", 8700, True),
        ("::1", "::1", 80, True),
        ("town.example", "10.2.3.4", 8443, True),
        ("TOWN.example.", "10.2.3.4", 8443, True),
        ("town.example:8443", "10.2.3.4", 8443, True),
        ("town.example:8443", "10.2.3.4", 443, False),
        ("other.example", "10.2.3.4", 443, False),
    ],
)
def test_the_allow_list_says_what_may_be_asked_all_the_same(line: str, address: str, port: int, allowed: bool) -> None:
    allow = Allow.parse([line])
    if allowed:
        assert check("town.example", port, [address], allow) == [address]
    else:
        with pytest.raises(AddressRefused):
            check("town.example", port, [address], allow)


def test_a_port_needs_the_operators_word() -> None:
    with pytest.raises(AddressRefused, match="port 8443"):
        check("town.example", 8443, ["9.9.9.9"], Allow())


def test_a_host_without_an_address_is_refused() -> None:
    with pytest.raises(AddressRefused):
        check("town.example", 443, [], Allow())


@pytest.mark.parametrize("line", ["", "http://town.example", "10.0.0.0/99", "town.example:99999", "town.example/x"])
def test_a_line_of_the_allow_list_that_cannot_be_read_is_named(line: str) -> None:
    with pytest.raises(SettingsError, match=r"network\.allow"):
        Allow.parse([line])


@given(st.ip_addresses())
def test_every_address_is_judged(address: object) -> None:
    why = refusal(str(address))
    assert why is None or why.strip()


@given(st.text(max_size=30))
def test_any_host_is_a_name_an_address_or_refused(host: str) -> None:
    with suppress(AddressRefused):
        found = literal(host)
        assert found is None or any(letter.isdigit() or letter == ":" for letter in host)
