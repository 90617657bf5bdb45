"""Messages over TLS: the connection goes to an address, the certificate is checked for the name in the URL."""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable

import pytest
import trustme

from adapters.webhooks.transport import Sender
from tests.webhooks.receiver import Receiver, answering, listening

pytestmark = pytest.mark.anyio

TLS_BROKEN = {"TLS failed: WRONG_VERSION_NUMBER", "TLS failed: RECORD_LAYER_FAILURE"}  # by OpenSSL version


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Return an authority that certifies the endpoints of these tests."""
    return trustme.CA()


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """Return the sender's TLS context, which trusts only that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    return context


def certified(authority: trustme.CA, identity: str) -> ssl.SSLContext:
    """Return the endpoint's TLS context, with a certificate for `identity`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(identity).configure_cert(context)
    return context


async def test_the_certificate_is_checked_for_the_name_in_the_url(
    authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    """The TLS connection to an address requests and verifies the name in the URL."""
    sender = Sender(allow_private=True, resolve=answering(["127.0.0.1"]), tls=trusting)
    async with listening(Receiver(), certified(authority, "hook.example")) as receiver:
        attempt = await sender.send(f"https://hook.example:{receiver.port}/", {}, b"{}")
    assert (200, None) == (attempt.status, attempt.error)
    assert ["hook.example"] == receiver.names
    assert f"host: hook.example:{receiver.port}".encode() in receiver.requests[0]


async def test_an_international_name_is_checked_in_its_ascii_form(
    authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    """A name in xn-- form stays in that form for TLS and for the Host field."""
    sender = Sender(allow_private=True, resolve=answering(["127.0.0.1"]), tls=trusting)
    async with listening(Receiver(), certified(authority, "xn--bcher-kva.example")) as receiver:
        attempt = await sender.send(f"https://xn--bcher-kva.example:{receiver.port}/", {}, b"{}")
    assert (200, ["xn--bcher-kva.example"]) == (attempt.status, receiver.names)
    assert f"host: xn--bcher-kva.example:{receiver.port}".encode() in receiver.requests[0]


@pytest.mark.parametrize("identity", ["other.example", "127.0.0.1"])
async def test_a_certificate_for_something_else_is_refused(
    authority: trustme.CA, trusting: ssl.SSLContext, identity: str
) -> None:
    """A certificate for another name, or for the address, is refused, and nothing is sent."""
    sender = Sender(allow_private=True, resolve=answering(["127.0.0.1"]), tls=trusting)
    async with listening(Receiver(), certified(authority, identity)) as receiver:
        attempt = await sender.send(f"https://hook.example:{receiver.port}/", {}, b"{}")
    expected = "the certificate was refused: Hostname mismatch, certificate is not valid for 'hook.example'."
    assert (None, expected) == (attempt.status, attempt.error)
    assert [] == receiver.requests


async def test_a_url_with_an_address_needs_a_certificate_for_it(
    authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    """An address in the URL needs a certificate for that address."""
    sender = Sender(allow_private=True, tls=trusting)
    async with listening(Receiver(), certified(authority, "127.0.0.1")) as receiver:
        attempt = await sender.send(f"https://127.0.0.1:{receiver.port}/", {}, b"{}")
    assert (200, None) == (attempt.status, attempt.error)


async def test_an_unknown_authority_is_refused(authority: trustme.CA) -> None:
    """By default the sender trusts only the system's authorities."""
    sender = Sender(allow_private=True, resolve=answering(["127.0.0.1"]))
    async with listening(Receiver(), certified(authority, "hook.example")) as receiver:
        attempt = await sender.send(f"https://hook.example:{receiver.port}/", {}, b"{}")
    assert attempt.error is not None
    assert attempt.error.startswith("the certificate was refused: ")
    assert [] == receiver.requests


async def error_from(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], trusting: ssl.SSLContext
) -> str | None:
    """Return the failure of a delivery to an endpoint that serves connections in this way."""
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        sender = Sender(allow_private=True, resolve=answering(["127.0.0.1"]), tls=trusting)
        return (await sender.send(f"https://hook.example:{port}/", {}, b"{}")).error


async def test_broken_tls_after_the_handshake_is_an_error(authority: trustme.CA, trusting: ssl.SSLContext) -> None:
    """An endpoint that starts TLS and goes on without it is a failure."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = certified(authority, "hook.example").wrap_bio(incoming, outgoing, server_side=True)

    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = b""
        while not asked:
            incoming.write(await reader.read(65_536))  # which may hold the end of the handshake and the request
            with contextlib.suppress(ssl.SSLWantReadError):
                tls.do_handshake()
                asked = tls.read()
            writer.write(outgoing.read())
        writer.write(b"this is no record of TLS")
        await reader.read()
        writer.close()

    assert await error_from(break_off, trusting) in TLS_BROKEN


async def test_an_endpoint_that_speaks_no_tls_is_an_error(trusting: ssl.SSLContext) -> None:
    """A plain HTTP response to `https:` is reported as such."""

    async def speak_plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()
        writer.close()

    assert await error_from(speak_plainly, trusting) in TLS_BROKEN
