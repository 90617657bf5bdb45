"""The handshake of a WebSocket, up to the application's answer."""

import asyncio

import pytest
from starlette.types import Receive, Scope, Send

from tests.protocol.frames import (
    HANDSHAKE,
    TEXT,
    Frame,
    frame,
    open_websocket,
    read_frame,
)
from tests.protocol.sockets import Echo
from tests.protocol.wire import GET, Client, Held, Running, running

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("silence")]


async def test_message_before_accept() -> None:
    """Messages before accept are not lost, and do not fill the memory."""
    asked, accept = asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        asked.set()
        await accept.wait()
        await send({"type": "websocket.accept"})
        await send({**await receive(), "type": "websocket.send"})

    async with running(app) as server:
        client = await server.connect()
        await client.send(HANDSHAKE + b"\r\n")
        await asked.wait()
        client.writer.write(frame(TEXT, b"early"))
        accept.set()

        assert 101 == (await client.head())[0]
        assert Frame(TEXT, b"early") == await read_frame(client)


async def test_application_refuses() -> None:
    """If the application does not accept, the response is 403, or the application's own."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        if scope["path"] == "/ws":
            await send({"type": "websocket.close"})
        else:
            headers = [(b"content-length", b"2")]
            await send({"type": "websocket.http.response.start", "status": 404, "headers": headers})
            await send({"type": "websocket.http.response.body", "body": b"no"})

    async with running(app) as server:
        refused = await (await server.connect()).ask(HANDSHAKE + b"\r\n")
        unknown = await (await server.connect()).ask(HANDSHAKE.replace(b"/ws", b"/xy") + b"\r\n")

        assert 403 == refused.status
        assert (404, b"no") == (unknown.status, unknown.body)


VERSION, KEY = b"Sec-WebSocket-Version: 13\r\n", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
BAD_HANDSHAKES = {
    "another method": HANDSHAKE.replace(b"GET", b"POST"),
    "HTTP/1.0": HANDSHAKE.replace(b"HTTP/1.1", b"HTTP/1.0"),
    "a body": HANDSHAKE + b"Content-Length: 5\r\n",
    "a body in chunks": HANDSHAKE + b"Transfer-Encoding: chunked\r\n",
    "no key": HANDSHAKE.replace(KEY, b""),
    "two keys": HANDSHAKE + KEY,
    "a key that is too short": HANDSHAKE.replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"dGhlIHNhbXBsZQ=="),
    "a key that is no base64": HANDSHAKE.replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"????????????????????????"),
    "a host that no name can be": HANDSHAKE.replace(b"Host: a", b"Host: " + b"a" * 64),
    "a host that is no Punycode": HANDSHAKE.replace(b"Host: a", b"Host: xn--a-"),
    "no host": HANDSHAKE.replace(b"Host: a\r\n", b""),
}


@pytest.mark.parametrize("handshake", BAD_HANDSHAKES.values(), ids=BAD_HANDSHAKES.keys())
async def test_bad_handshake(server: Running, echo: Echo, handshake: bytes) -> None:
    """An invalid handshake is a malformed request, and never reaches the application."""
    client = await server.connect()

    response = await client.ask(handshake + b"\r\n")

    assert (400, "malformed_request") == (response.status, response.json()["code"])
    assert b"" == await client.rest()
    assert {} == echo.scope


@pytest.mark.parametrize("version", [b"", VERSION.replace(b"13", b"8"), VERSION * 2])
async def test_wrong_version(server: Running, version: bytes) -> None:
    """A client with another version of the protocol learns which version the server has."""
    response = await (await server.connect()).ask(HANDSHAKE.replace(VERSION, version) + b"\r\n")

    assert 400 == response.status
    assert "13" == response.headers["sec-websocket-version"]


async def test_handshake_behind_a_request_in_progress() -> None:
    """A WebSocket cannot open while an earlier request on the connection waits for its response."""
    held = Held()
    async with running(held) as server:
        client = await server.connect()
        await client.send(GET + HANDSHAKE + b"\r\n")
        await held.began.wait()
        held.go.set()

        assert [200, 400] == [(await client.response()).status for _ in range(2)]


async def test_handshake_behind_an_answered_request(server: Running) -> None:
    """A connection that has served requests may become a WebSocket."""
    client = await server.connect()
    await client.ask()
    await open_websocket(client)
    await client.send(frame(TEXT, b"a"))

    assert Frame(TEXT, b"a") == await read_frame(client)


async def test_no_compression(server: Running) -> None:
    """The server declines compression, because a small frame could then become a large message."""
    headers = await open_websocket(await server.connect(), b"Sec-WebSocket-Extensions: permessage-deflate")

    assert "sec-websocket-extensions" not in headers


@pytest.mark.parametrize("host", ["xn--bcher-kva.example:8000", "127.0.0.1:8000", "[::1]:8000", "A.example"])
async def test_host_is_told_as_sent(server: Running, echo: Echo, host: str) -> None:
    """The application sees the Host as the client wrote it, and can compare it with the Origin."""
    await open_websocket_at(await server.connect(), host)

    assert [(b"host", host.encode())] == [header for header in echo.scope["headers"] if header[0] == b"host"]


async def open_websocket_at(client: Client, host: str) -> None:
    """Shake hands with a host."""
    await client.send(HANDSHAKE.replace(b"Host: a", b"Host: " + host.encode()) + b"\r\n")
    assert 101 == (await client.head())[0]
