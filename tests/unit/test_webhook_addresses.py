"""Which addresses a delivery may go to."""

import asyncio
from collections.abc import Sequence
from ipaddress import ip_address

import pytest
from attrs import define, field

from adapters.webhooks import addresses
from adapters.webhooks.addresses import (
    Address,
    AddressRefused,
    AddressUnresolved,
    is_globally_routable,
    vet,
)

PUBLIC = "93.184.215.14"
PUBLIC_IPV6 = "2606:2800:21f:cb07:6820:80da:af6b:8b2c"


@define
class Resolver:
    """Answers each question with the next of its answers and remembers what it was asked."""

    answers: list[Sequence[str]]
    asked: list[tuple[str, int]] = field(factory=list)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Give the next answer."""
        self.asked.append((host, port))
        return self.answers.pop(0)


@pytest.mark.parametrize(
    "ip",
    [
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",  # IPv4-compatible
        f"::{PUBLIC}",
        "::ffff:127.0.0.1",  # IPv4-mapped
        f"::ffff:{PUBLIC}",
        "::ffff:0:127.0.0.1",  # IPv4-translated (RFC 2765)
        "64:ff9b::127.0.0.1",  # NAT64
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::a00:1",
        "100::1",  # discard
        "2001::1",  # Teredo
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:2::1",  # benchmarking
        "2001:10::1",  # ORCHID
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::",  # 6to4 of 127.0.0.1
        "2002:a00:1::1",
        "3fff::1",
        "5f00::1",  # segment routing
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "2606:2800::5efe:10.0.0.1",  # ISATAP
        "2606:2800::200:5efe:10.0.0.1",
    ],
)
def test_an_address_that_not_everyone_can_reach_is_not_globally_routable(ip: str) -> None:
    """Private, special and embedded addresses are no destination."""
    assert False is is_globally_routable(ip_address(ip))


@pytest.mark.parametrize("ip", [PUBLIC, "1.1.1.1", "172.15.255.255", "172.32.0.0", PUBLIC_IPV6, "2001:200::1"])
def test_a_public_address_is_globally_routable(ip: str) -> None:
    """An ordinary address of the Internet is a destination, up to the very edge of what is refused."""
    assert True is is_globally_routable(ip_address(ip))


@pytest.mark.anyio
async def test_a_name_is_resolved_once_and_every_answer_is_kept_in_order() -> None:
    """The resolver is asked one time, and its order of preference stays."""
    resolver = Resolver([[PUBLIC, PUBLIC_IPV6, PUBLIC]])
    expected = tuple(Address(ip=ip_address(ip), port=443) for ip in (PUBLIC, PUBLIC_IPV6))
    assert expected == await vet("example.com", 443, allow_private=False, resolve=resolver)
    assert [("example.com", 443)] == resolver.asked


@pytest.mark.anyio
async def test_one_private_answer_among_public_ones_refuses_the_host() -> None:
    """A host with both public and private addresses is refused, whatever their order."""
    for answers in ([PUBLIC, "10.0.0.1"], ["::1", PUBLIC]):
        with pytest.raises(AddressRefused) as caught:
            await vet("example.com", 443, allow_private=False, resolve=Resolver([answers]))
        assert "must lead to globally routable addresses only" == caught.value.reason


@pytest.mark.anyio
@pytest.mark.parametrize("allow_private", [False, True])
@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "①②⑦.0.0.1", "127.0.0.1.", "::1%lo"])
async def test_a_misspelled_address_is_refused_without_asking_the_resolver(host: str, allow_private: bool) -> None:
    """An ambiguous spelling never reaches a resolver, even if private addresses are allowed."""
    resolver = Resolver([])
    with pytest.raises(AddressRefused):
        await vet(host, 80, allow_private=allow_private, resolve=resolver)
    assert [] == resolver.asked


@pytest.mark.anyio
@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "localhost"])
async def test_loopback_is_refused_by_the_system_resolver_as_well(host: str) -> None:
    """Loopback by address and by name is refused with nothing of the outside world replaced."""
    with pytest.raises(AddressRefused):
        await vet(host, 80, allow_private=False)


@pytest.mark.anyio
async def test_a_private_address_passes_where_it_is_allowed() -> None:
    """With `allow_private` an intranet is a destination."""
    expected = (Address(ip=ip_address("10.0.0.1"), port=80),)
    assert expected == await vet("intranet", 80, allow_private=True, resolve=Resolver([["10.0.0.1"]]))


@pytest.mark.anyio
async def test_an_address_needs_no_resolver() -> None:
    """A host that is an address already is judged as it stands."""
    expected = (Address(ip=ip_address(PUBLIC), port=80),)
    assert expected == await vet(PUBLIC, 80, allow_private=False, resolve=Resolver([]))


@pytest.mark.anyio
async def test_a_name_without_an_address_is_unresolved() -> None:
    """A resolver that finds nothing, by an empty answer or by an error, leaves the host unresolved."""

    async def failing(_host: str, _port: int) -> Sequence[str]:
        raise OSError(-2, "Name or service not known")

    for resolver in (Resolver([[]]), failing):
        with pytest.raises(AddressUnresolved) as caught:
            await vet("example.com", 80, allow_private=False, resolve=resolver)
        assert "example.com" == caught.value.host


@pytest.mark.anyio
async def test_a_resolver_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time that a lookup may take is bounded."""
    monkeypatch.setattr(addresses, "RESOLVE_TIMEOUT", 0.01)

    async def silent(_host: str, _port: int) -> Sequence[str]:
        await asyncio.get_running_loop().create_future()
        return []

    with pytest.raises(AddressUnresolved):
        await vet("example.com", 80, allow_private=False, resolve=silent)
