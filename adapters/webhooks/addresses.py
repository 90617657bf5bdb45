"""The addresses that a delivery may go to: only those that anyone on the Internet can reach.

A webhook's owner chooses where this service connects, and must not reach its internal network that way (server-side
request forgery). A host is resolved once and all its addresses are checked. The caller connects to a checked address
and never resolves the name again.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from attrs import frozen

from domain.urls import check_host

RESOLVE_TIMEOUT = 5.0  # seconds

IP = IPv4Address | IPv6Address

# The list does not use `ipaddress.is_global`: that changes with the patch release of Python, and accepts addresses that
# another machine turns into private ones (NAT64, 6to4). The list holds all that is not globally reachable in the IANA
# special-purpose address registries (RFC 6890), and all ranges without hosts.
_REFUSED_IPV4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this host; 0.0.0.0 connects to it
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # shared by the customers of a provider
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # virtual machines of one cloud reach their host here; the range itself is public
            "169.254.0.0/16",  # link-local, and the metadata services of clouds
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarking
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
# Everything else is refused: loopback, unspecified, IPv4-mapped and IPv4-compatible, NAT64 (64:ff9b::/96 and
# 64:ff9b:1::/48), unique local, link-local, multicast, and unassigned space.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_REFUSED_IPV6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4, which carries an IPv4 address
            "3fff::/20",  # documentation
        ),
    )
)
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)  # bits 64 to 95, before the IPv4 address that they carry (RFC 5214, section 6.1)


@frozen(kw_only=True)
class Address:
    """The target of a connection: an IP address and a TCP port."""

    ip: IP
    port: int


@frozen
class AddressRefused(Exception):
    """A host must not be connected to. `reason` completes the sentence "<field> …"."""

    reason: str


@frozen
class AddressUnresolved(Exception):
    """A host has no address, or the resolver did not answer in time."""

    host: str


Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Looks a host name up for a TCP port and returns its IP addresses as text, best first. Raises `OSError`."""


async def look_up(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver, which sorts by preference (RFC 6724). Raises `OSError`."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


async def vet(host: str, port: int, *, allow_private: bool, resolve: Resolve = look_up) -> tuple[Address, ...]:
    """Resolve `host`, once, and return the addresses to connect to, best first; there is at least one.

    `host` is written as in a URL, without the brackets of IPv6; `port` is from 1 to 65535. One address that is not
    globally routable refuses the host, even beside routable ones: a public name has no use for it, and the order of the
    addresses must not decide whether a delivery works. `allow_private` accepts every address, but never a misspelled
    host.

    Raises:
        AddressRefused: the host is misspelled, or an address of it is not globally routable.
        AddressUnresolved: the host has no address, or the resolver took longer than 5 seconds.
    """
    if reason := check_host(host):
        raise AddressRefused(reason)
    ips = await _ips(host, port, resolve)
    if not allow_private and not all(map(is_globally_routable, ips)):
        raise AddressRefused("must lead to globally routable addresses only")
    return tuple(Address(ip=ip, port=port) for ip in ips)


async def _ips(host: str, port: int, resolve: Resolve) -> list[IP]:
    try:
        return [ip_address(host)]
    except ValueError:
        pass  # a name, not an address
    try:
        async with asyncio.timeout(RESOLVE_TIMEOUT):
            found = await resolve(host, port)
    except OSError as error:  # TimeoutError is one, too
        raise AddressUnresolved(host) from error
    if not found:
        raise AddressUnresolved(host)
    return [ip_address(text) for text in dict.fromkeys(found)]


def is_globally_routable(ip: IP) -> bool:
    """Return whether anyone on the Internet can reach `ip` as this host does, without translation on the way."""
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in _REFUSED_IPV4)
    if int(ip) >> 32 & 0xFFFF_FFFF in _ISATAP:
        return False
    return ip in _GLOBAL_UNICAST and not any(ip in network for network in _REFUSED_IPV6)
