"""The judgement of an address, against a plain model of the ranges."""

import asyncio
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.webhooks.addresses import AddressRefused, is_globally_routable, vet

# First and last of each refused range, counted by hand from the registries rather than by prefix lengths.
REFUSED_IPV4 = [
    ("0.0.0.0", "0.255.255.255"),
    ("10.0.0.0", "10.255.255.255"),
    ("100.64.0.0", "100.127.255.255"),
    ("127.0.0.0", "127.255.255.255"),
    ("168.63.129.16", "168.63.129.16"),
    ("169.254.0.0", "169.254.255.255"),
    ("172.16.0.0", "172.31.255.255"),
    ("192.0.0.0", "192.0.0.255"),
    ("192.0.2.0", "192.0.2.255"),
    ("192.88.99.0", "192.88.99.255"),
    ("192.168.0.0", "192.168.255.255"),
    ("198.18.0.0", "198.19.255.255"),
    ("198.51.100.0", "198.51.100.255"),
    ("203.0.113.0", "203.0.113.255"),
    ("224.0.0.0", "255.255.255.255"),
]
REFUSED_IPV6 = [
    ("::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
]
RANGES_IPV4 = [(int(IPv4Address(first)), int(IPv4Address(last))) for first, last in REFUSED_IPV4]
RANGES_IPV6 = [(int(IPv6Address(first)), int(IPv6Address(last))) for first, last in REFUSED_IPV6]


def numbers(ranges: list[tuple[int, int]], largest: int) -> st.SearchStrategy[int]:
    """Return any number up to the `largest`, with the edges of the ranges and their neighbours often among them."""
    edges = sorted({request_context + step for pair in ranges for request_context in pair for step in (-1, 0, 1)})
    inside = st.sampled_from(ranges).flatmap(lambda pair: st.integers(*pair))
    return st.one_of(
        st.sampled_from([request_context for request_context in edges if 0 <= request_context <= largest]),
        inside,
        st.integers(0, largest),
    )


@given(numbers(RANGES_IPV4, 2**32 - 1))
def test_an_ipv4_address_is_routable_outside_of_the_refused_ranges(number: int) -> None:
    """An IPv4 address is judged as the model judges it, and never passes what Python itself calls private."""
    address = IPv4Address(number)
    expected = not any(first <= number <= last for first, last in RANGES_IPV4)
    assert expected == is_globally_routable(address)
    assert not (expected and not address.is_global)


@given(numbers(RANGES_IPV6, 2**128 - 1))
def test_an_ipv6_address_is_routable_outside_of_the_refused_ranges(number: int) -> None:
    """An IPv6 address is judged as the model judges it, and never passes what Python itself calls private."""
    address = IPv6Address(number)
    isatap = address.exploded[20:29] in {"0000:5efe", "0200:5efe"}
    expected = not isatap and not any(first <= number <= last for first, last in RANGES_IPV6)
    assert expected == is_globally_routable(address)
    assert not (expected and not address.is_global)


def embeddings(inner: int) -> list[int]:
    """Return the IPv6 addresses that carry the IPv4 address `inner` in some well-known way."""
    low = [
        int(IPv6Address(prefix)) | inner for prefix in ("::", "::ffff:0:0", "::ffff:0:0:0", "64:ff9b::", "64:ff9b:1::")
    ]
    isatap = [int(IPv6Address(f"2606:2800::{word}:0:0")) | inner for word in ("5efe", "200:5efe")]
    six_to_four = int(IPv6Address("2002::")) | inner << 80
    teredo = int(IPv6Address("2001::")) | inner ^ 0xFFFF_FFFF
    return [*low, *isatap, six_to_four, teredo]


@given(numbers(RANGES_IPV4, 2**32 - 1))
def test_no_embedded_ipv4_address_is_routable(inner: int) -> None:
    """Wherever an IPv6 address carries an IPv4 address, another machine decides where it leads: none passes."""
    assert [] == [str(IPv6Address(n)) for n in embeddings(inner) if is_globally_routable(IPv6Address(n))]


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, str]:
    """Return an IPv4 address, and the same one as some resolver reads it: fewer parts, octal, hexadecimal, padded."""
    number = draw(st.integers(0, 2**32 - 1))
    parts = draw(st.integers(1, 4))
    tail = 8 * (5 - parts)  # the last part takes all the bits that are left
    values = [number >> 32 - 8 * (n + 1) & 0xFF for n in range(parts - 1)] + [number & (1 << tail) - 1]
    forms = st.sampled_from(["{}", "0{:o}", "0x{:x}", "0X{:X}", "0{}"])
    text = ".".join(draw(forms).format(value) for value in values)
    return str(IPv4Address(number)), text + draw(st.sampled_from(["", "."]))


@given(spellings())
def test_an_ipv4_address_has_one_spelling(pair: tuple[str, str]) -> None:
    """An address that is spelled in any way but the usual one is refused before a resolver sees it."""
    usual, spelled = pair
    if usual == spelled:
        return

    async def resolve(host: str, _port: int) -> Sequence[str]:
        raise AssertionError(f"{host} reached the resolver")

    with pytest.raises(AddressRefused):
        asyncio.run(vet(spelled, 80, allow_private=True, resolve=resolve))
