"""Whose address counts when a request came through proxies, whatever it says of itself."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.region.addresses import (
    TrustedProxies,
    find_client,
    is_https,
    place_of,
    read_address,
)

PROXIES = TrustedProxies.parse(["10.1.0.0/16", "2001:db8:aa::/48", "198.51.100.7"])
PROXY, CLIENT = "10.1.2.3", "203.0.113.9"
addresses = st.ip_addresses().map(str)
strangers = addresses.filter(lambda text: not PROXIES.trusts_peer(text))
anything = st.lists(
    st.one_of(addresses, st.text(alphabet="0123456789.:[]%,; abcdefx\x00é²", max_size=20))
).map(",".join)


def seen(peer: str, header: str, proxies: TrustedProxies = PROXIES) -> str:
    return str(find_client(peer, header, proxies) or "")


@pytest.mark.parametrize(
    ("peer", "header", "is_from"),
    [
        (PROXY, CLIENT, CLIENT),
        (PROXY, f"192.0.2.1, {CLIENT}", CLIENT),
        (PROXY, f"{CLIENT}, 10.1.9.9,198.51.100.7", CLIENT),
        (PROXY, f"10.1.5.5, {CLIENT}, 10.1.9.9", CLIENT),
        (PROXY, f"{CLIENT}:4711", CLIENT),
        (PROXY, "[2001:db8::5]:4711", "2001:db8::5"),
        (PROXY, "[2001:db8::5]", "2001:db8::5"),
        (PROXY, "2001:db8::5", "2001:db8::5"),
        (PROXY, f"::ffff:{CLIENT}", CLIENT),
        ("::ffff:10.1.2.3", CLIENT, CLIENT),
        ("2001:db8:aa::1", CLIENT, CLIENT),
        (PROXY, "", PROXY),
        (PROXY, "10.1.7.7, 10.1.8.8", "10.1.7.7"),
    ],
)
def test_the_right_most_address_that_is_no_proxy_is_the_clients(peer: str, header: str, is_from: str) -> None:
    assert seen(peer, header) == is_from


@pytest.mark.parametrize(
    "end",
    [
        "unknown", "_hidden", "", " ", "garbage", "203.0.113", "203.0.113.9.9", "203.0.113.9:", "203.0.113.9:x",
        "203.0.113.9:123456", "203.0.113.9%eth0", "[203.0.113.9]", "[2001:db8::5", "2001:db8::5]",
        "[2001:db8::5]x", "for=203.0.113.9", '"203.0.113.9"', "203.0.113.9 203.0.113.10", "²03.0.113.9", "\x00",
    ],
)  # fmt: skip
def test_what_cannot_be_read_counts_as_the_proxy_that_said_it(end: str) -> None:
    assert seen(PROXY, f"{CLIENT}, {end}") == PROXY
    assert seen(PROXY, f"{CLIENT}, {end}, 198.51.100.7") == "198.51.100.7"


@given(stranger=strangers, header=anything)
def test_whoever_is_no_proxy_is_counted_where_they_are_whatever_they_say(stranger: str, header: str) -> None:
    assert seen(stranger, header) == seen(stranger, "")
    assert seen(stranger, header, TrustedProxies()) == seen(stranger, "")


@given(client=strangers, made_up=anything)
def test_what_a_client_writes_before_its_own_address_changes_nothing(client: str, made_up: str) -> None:
    assert seen(PROXY, f"{made_up}, {client}") == seen(PROXY, client) == seen(client, "")


@given(peer=anything, header=anything)
def test_no_header_and_no_peer_makes_an_error(peer: str, header: str) -> None:
    for proxies in (PROXIES, TrustedProxies(), TrustedProxies(unix=True)):
        find_client(peer, header, proxies)


def test_a_unix_socket_has_no_address_and_is_trusted_only_where_that_is_said() -> None:
    assert seen("", CLIENT) == ""
    with_socket = TrustedProxies.parse(["unix", "10.1.0.0/16"])
    assert seen("", CLIENT, with_socket) == CLIENT
    assert seen("", f"{CLIENT}, 10.1.2.3", with_socket) == CLIENT
    assert seen("", "garbage", with_socket) == ""
    assert not with_socket.trusts_peer("garbage")


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (CLIENT, CLIENT, True),
        (CLIENT, "203.0.113.10", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::7", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::1", True),
        (f"::ffff:{CLIENT}", CLIENT, True),
    ],
)
def test_machines_are_counted_by_address_and_of_ipv6_by_network(one: str, other: str, is_same: bool) -> None:
    first, second = read_address(one), read_address(other)
    assert first is not None
    assert second is not None
    assert (place_of(first) == place_of(second)) == is_same
    ipaddress.ip_address(str(place_of(first)))


@pytest.mark.parametrize(
    ("said", "is_secure"),
    [
        ("https", True), (" HTTPS ", True), ("https, https", True), ("http", False), ("https, http", False),
        ("http, https", False), ("", False), ("https,", False), ("httpss", False), ("on", False),
    ],
)  # fmt: skip
def test_a_request_is_secure_where_every_proxy_says_so(said: str, is_secure: bool) -> None:
    assert is_https(said) == is_secure
