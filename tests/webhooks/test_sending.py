"""Messages over real sockets, to a receiver whose bytes each test chooses."""

import asyncio
import socket
from datetime import UTC, datetime
from ipaddress import ip_address

import httpx2
import pytest

from adapters.webhooks import transport
from adapters.webhooks.addresses import Address, AddressRefused
from adapters.webhooks.transport import Sender
from domain.deliveries import SendResult
from tests.webhooks.receiver import Receiver, answering, listening

pytestmark = pytest.mark.anyio


async def outcome(receiver: Receiver) -> SendResult:
    """Send a message to `receiver`; return the result."""
    return await Sender(allow_private=True).send(f"http://127.0.0.1:{receiver.port}/", {}, b"{}")


def pass_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the loop's clock ahead, to where every attempt has taken too long."""
    loop = asyncio.get_running_loop()
    time = loop.time
    monkeypatch.setattr(loop, "time", lambda: time() + transport.TIMEOUT)


async def test_a_message_arrives_as_it_was_given() -> None:
    """Path, query, headers and body reach the endpoint, without the fragment, and its status comes back."""
    async with listening(Receiver()) as receiver:
        sender = Sender(allow_private=True, resolve=answering(["127.0.0.1"]))
        url = f"http://Hook.example:{receiver.port}/a%2Fb/é?c=d#fragment"
        attempt = await sender.send(url, {"webhook-id": "msg_1", "Host": "evil.example"}, b'{"a": 1}')
    assert (200, None, None) == (attempt.status, attempt.error, attempt.retry_after)
    head, body = receiver.requests[0].split(b"\r\n\r\n")
    line, *fields = head.decode().split("\r\n")
    assert "POST /a%2Fb/%C3%A9?c=d HTTP/1.1" == line
    assert {
        f"host: hook.example:{receiver.port}",
        "user-agent: backroom",
        "webhook-id: msg_1",
        "connection: close",
        "content-length: 8",
    } == {name.lower() for name in fields}
    assert b'{"a": 1}' == body


async def test_the_connection_goes_to_the_address_that_was_vetted() -> None:
    """A name is resolved only once, so that it cannot change to another address."""
    async with listening(Receiver()) as receiver:
        sender = Sender(allow_private=True, resolve=answering(["127.0.0.1"], ["127.0.0.2"]))
        attempt = await sender.send(f"http://hook.example:{receiver.port}/", {}, b"")
        assert (200, 1) == (attempt.status, len(receiver.requests))
        later = await sender.send(f"http://hook.example:{receiver.port}/", {}, b"")
    assert (None, 1) == (later.status, len(receiver.requests))


async def test_a_private_address_is_refused_at_the_connection_too() -> None:
    """A name that now resolves to a private address is refused, whatever it was when the webhook was created."""
    async with listening(Receiver()) as receiver:
        sender = Sender(allow_private=False, resolve=answering(["127.0.0.1"]))
        attempt = await sender.send(f"http://hook.example:{receiver.port}/", {}, b"")
    assert "the URL must lead to globally routable addresses only" == attempt.error
    assert 0 == receiver.connections


async def test_a_url_can_be_vetted_before_anything_is_sent() -> None:
    """The address of a new webhook is checked, and returned or refused."""
    expected = tuple(Address(ip=ip_address("127.0.0.1"), port=port) for port in (80, 443, 8443))
    urls = ("http://hook.example/", "https://hook.example/", "https://hook.example:8443/")
    sender = Sender(allow_private=True, resolve=answering(*[["127.0.0.1"]] * 3))
    assert expected == tuple([(await sender.vet(url))[0] for url in urls])
    for url in ("http://127.0.0.1/", "http://user@93.184.215.14/"):
        with pytest.raises(AddressRefused):
            await Sender(allow_private=False).vet(url)


@pytest.mark.parametrize("addresses", [["127.0.0.2", "127.0.0.1"], ["127.0.0.1", "127.0.0.2"]])
async def test_an_address_that_does_not_connect_is_no_obstacle(addresses: list[str]) -> None:
    """An endpoint with several addresses is reached if any of them answers."""
    async with listening(Receiver()) as receiver:
        sender = Sender(allow_private=True, resolve=answering(addresses))
        attempt = await sender.send(f"http://hook.example:{receiver.port}/", {}, b"")
    assert 200 == attempt.status


async def test_a_message_that_was_sent_is_not_sent_again_to_the_next_address() -> None:
    """After a message may have arrived, no other address is tried; only the schedule sends it again."""
    async with listening(Receiver(answer=b"", hangs_up=True)) as receiver:
        sender = Sender(allow_private=True, resolve=answering(["127.0.0.1", "127.0.0.2"]))
        attempt = await sender.send(f"http://hook.example:{receiver.port}/", {}, b"")
    assert ("there was no valid HTTP answer", 1) == (attempt.error, receiver.connections)


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    """The sender does not follow redirects."""
    async with listening(Receiver()) as target:
        location = f"HTTP/1.1 307 Go\r\nlocation: http://127.0.0.1:{target.port}/\r\ncontent-length: 0\r\n\r\n"
        async with listening(Receiver(answer=location.encode())) as receiver:
            attempt = await outcome(receiver)
    assert (307, 0) == (attempt.status, target.connections)


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxy variables are ignored, because a proxy would resolve the name again."""
    async with listening(Receiver()) as proxy, listening(Receiver()) as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        attempt = await outcome(receiver)
    assert (200, 0, 1) == (attempt.status, proxy.connections, receiver.connections)


async def test_nothing_is_kept_between_messages() -> None:
    """No cookie or connection is reused for another message."""
    answer = b"HTTP/1.1 204 No Content\r\nset-cookie: a=b\r\n\r\n"
    async with listening(Receiver(answer=answer)) as receiver:
        await outcome(receiver)
        await outcome(receiver)
    assert 2 == receiver.connections
    assert [False, False] == [b"cookie" in request.lower() for request in receiver.requests]


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\nx-slow:", b"HTTP/1.1 103 Early Hints\r\n\r\n"], ids=["none", "part", "early"]
)
async def test_an_endpoint_that_does_not_answer_in_time_is_given_up(
    answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole attempt has a time limit, and the connection is closed at its end."""
    async with listening(Receiver(answer=answer)) as receiver:
        sending = asyncio.create_task(outcome(receiver))
        await receiver.answered.wait()
        pass_time(monkeypatch)
        attempt = await sending
        await receiver.left.wait()
    assert (None, "there was no answer in time") == (attempt.status, attempt.error)


async def test_a_body_that_never_ends_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A status counts as arrival, even if the rest of the response is late; the attempt's time limit still holds."""
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nslow"
    drain = transport._drain

    async def slowly(response: httpx2.Response, deadline: float) -> None:
        pass_time(monkeypatch)
        await drain(response, deadline)

    monkeypatch.setattr(transport, "_drain", slowly)
    async with listening(Receiver(answer=answer)) as receiver:
        attempt = await outcome(receiver)
        await receiver.left.wait()
    assert (200, None) == (attempt.status, attempt.error)


async def test_a_huge_body_is_not_read() -> None:
    """The sender closes the connection long before an endpoint has sent 64 MiB."""
    size = 64 * 1024 * 1024
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + bytes(size)
    async with listening(Receiver(answer=answer)) as receiver:
        attempt = await outcome(receiver)
        await receiver.left.wait()
    assert (200, False) == (attempt.status, receiver.answered.is_set())


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_a_short_body_is_read_to_its_end(encoding: str) -> None:
    """The sender reads a short body to its end, and never decompresses it."""
    answer = f"HTTP/1.1 200 OK\r\ncontent-encoding: {encoding}\r\ncontent-length: 6\r\n\r\nfir"
    async with listening(Receiver(answer=answer.encode(), rest=b"st.")) as receiver:
        attempt = await outcome(receiver)
        await receiver.left.wait()
    assert (200, False) == (attempt.status, receiver.was_interrupted)


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 2x0 OK\r\n\r\n", b"x" * 200_000])
async def test_an_answer_that_is_not_http_is_an_error(answer: bytes) -> None:
    """Silence, another protocol, broken HTTP and endless headers are failures."""
    async with listening(Receiver(answer=answer, hangs_up=True)) as receiver:
        attempt = await outcome(receiver)
    assert (None, "there was no valid HTTP answer") == (attempt.status, attempt.error)


async def test_the_wish_to_be_left_alone_comes_back() -> None:
    """`Retry-After` is read as seconds and as a date."""
    now = datetime(2026, 7, 1, 12, 0, 0, tzinfo=UTC)
    for value, seconds in (("7", 7.0), ("Wed, 01 Jul 2026 12:01:00 GMT", 60.0)):
        answer = f"HTTP/1.1 503 Busy\r\nretry-after: {value}\r\ncontent-length: 0\r\n\r\n".encode()
        async with listening(Receiver(answer=answer)) as receiver:
            sender = Sender(allow_private=True, now=lambda: now)
            attempt = await sender.send(f"http://127.0.0.1:{receiver.port}/", {}, b"")
        assert (503, seconds) == (attempt.status, attempt.retry_after)


async def test_errors_are_told_in_words() -> None:
    """The failure says what is wrong: the URL, the name, or the connection."""
    sender = Sender(allow_private=True, resolve=answering([]))
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # so that no other process listens on this port meanwhile
        for url, error in (
            ("http://user@example.com/", "the URL must not name a user"),
            ("http://hook.example/", "the host name could not be resolved"),
            (f"http://127.0.0.1:{silent.getsockname()[1]}/", "the connection failed: Connection refused"),
        ):
            assert error == (await sender.send(url, {}, b"")).error


async def test_a_cancelled_message_leaves_no_connection() -> None:
    """A delivery can be cancelled at once, as at a shutdown."""
    async with listening(Receiver(answer=b"")) as receiver:
        sending = asyncio.create_task(outcome(receiver))
        await receiver.answered.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await receiver.left.wait()
