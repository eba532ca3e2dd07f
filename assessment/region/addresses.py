"""Whose address a request comes from, when it came through proxies. Pure.

A proxy appends to ``X-Forwarded-For`` the address that it was asked from; what stands left of that may be made
up by whoever asked. So the header is read from the right, and believed only as far as trusted proxies wrote it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
#: Trusts what asks by a Unix socket, which has no address.
UNIX = "unix"


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """Who may say for whom they ask; nobody, as long as none is named."""

    networks: tuple[Network, ...] = ()
    unix: bool = False

    @classmethod
    def parse(cls, stated: Iterable[str]) -> TrustedProxies:
        """Return the proxies that are stated as networks (``10.1.2.0/24``), addresses, or `UNIX`.

        Raises
        ------
        ValueError
            One of them is no network, or holds everybody: then the caller could make up any address.
        """
        networks, unix = [], False
        for text in stated:
            if text == UNIX:
                unix = True
                continue
            try:
                network = ipaddress.ip_network(text)
            except ValueError as trouble:
                raise ValueError(f"{trouble}; state 10.1.2.3, 10.1.2.0/24 or {UNIX}") from trouble
            if network.prefixlen == 0:
                raise ValueError(f"{text!r} is everybody, and everybody cannot be trusted; state the proxies")
            networks.append(network)
        return cls(tuple(networks), unix)

    def trusts(self, address: Address) -> bool:
        """Whether a proxy has this address."""
        return any(address in network for network in self.networks)

    def trusts_peer(self, peer: str) -> bool:
        """Whether a connection is a proxy's; ``peer`` is empty for a Unix socket's."""
        if not peer:
            return self.unix
        address = read_address(peer)
        return address is not None and self.trusts(address)


def read_address(text: str) -> Address | None:
    """Return an address without its port, brackets or zone, as IPv4 where it is mapped into IPv6."""
    text = text.strip()
    if text.startswith("["):
        text, closing, port = text[1:].partition("]")
        if not closing or (port and not _is_port(port)) or ":" not in text:
            return None
    elif text.count(":") == 1:
        text, _, port = text.partition(":")
        if not _is_port(f":{port}"):
            return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or ipaddress.IPv6Address(int(address))
    return address


def _is_port(text: str) -> bool:
    return text[:1] == ":" and text[1:].isascii() and text[1:].isdigit() and len(text) <= len(":65535")


def find_client(peer: str, forwarded_for: str, proxies: TrustedProxies) -> Address | None:
    """Return the address of who asks.

    Parameters
    ----------
    peer
        The address of the connection; empty for a Unix socket.
    forwarded_for
        ``X-Forwarded-For``, empty where there is none.

    Returns
    -------
    Address or None
        The right-most address that is no trusted proxy's. Where the header cannot be read on, the last that
        could: the proxy's, so that all whom it does not name count as one. None when even the connection
        has no address.
    """
    found = read_address(peer)
    if not forwarded_for or not proxies.trusts_peer(peer):
        return found
    for text in reversed(forwarded_for.split(",")):
        address = read_address(text)
        if address is None:
            return found
        found = address
        if not proxies.trusts(address):
            return found
    return found


def place_of(address: Address) -> Address:
    """Return by what an address is counted: of IPv6 the network's first, since a machine has all of a /64."""
    if isinstance(address, ipaddress.IPv6Address):
        return ipaddress.ip_network((int(address), 64), strict=False).network_address
    return address


def is_https(forwarded_proto: str) -> bool:
    """Whether ``X-Forwarded-Proto`` says so all the way; a header that says anything else is not believed."""
    return all(part.strip().lower() == "https" for part in forwarded_proto.split(","))
