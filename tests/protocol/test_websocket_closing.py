"""The end of a WebSocket: by the client, the application, the server, or silence."""

import asyncio
import struct
from contextlib import suppress

import pytest
from starlette.types import Receive, Scope, Send

from tests.protocol.frames import (
    CLOSE,
    HANDSHAKE,
    PING,
    TEXT,
    Frame,
    close,
    frame,
    read_frame,
)
from tests.protocol.sockets import Chatter, Echo, connected
from tests.protocol.wire import Running, running

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("silence")]


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1012, 3000, 4999])
async def test_client_closes(server: Running, echo: Echo, code: int) -> None:
    """The server returns the client's close code, and tells it to the application."""
    client = await connected(server)

    await client.send(close(code, "tschüß".encode()))

    assert code == (await read_frame(client)).code
    assert b"" == await client.rest()
    assert code == await echo.end


async def test_client_closes_without_a_code(server: Running, echo: Echo) -> None:
    """A close needs no code."""
    client = await connected(server)

    await client.send(frame(CLOSE))

    assert Frame(CLOSE, b"") == await read_frame(client)
    assert 1005 == await echo.end


async def test_client_hangs_up(server: Running, echo: Echo) -> None:
    """A client that disconnects without a close frame causes no complaint."""
    client = await connected(server)

    client.close()

    assert 1005 == await echo.end


async def test_application_closes() -> None:
    """The application's close is sent with its code. The connection ends after the client's close frame."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 4410, "reason": "expired"})

    async with running(app) as server:
        client = await connected(server)

        assert Frame(CLOSE, struct.pack("!H", 4410) + b"expired") == await read_frame(client)
        await client.send(close(4410) + frame(TEXT, b"\xff"))
        assert b"" == await client.rest()


async def test_application_closes_a_client_that_does_not_read() -> None:
    """A client that does not read cannot keep the application from closing."""
    closed = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        with suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                while True:
                    await send({"type": "websocket.send", "text": "x" * 100_000})
        await send({"type": "websocket.close", "code": 1013})
        closed.set()

    async with running(app) as server:
        client = await server.connect()
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # every transport of a socket has it
        await client.send(HANDSHAKE + b"\r\n")

        assert await asyncio.wait_for(closed.wait(), 10)


async def test_nothing_follows_the_close_of_the_application() -> None:
    """Messages that still wait when the application closes are not sent, and their sender gets an error."""
    waiting = asyncio.Event()
    told: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def fill(send: Send) -> None:
        try:
            for _ in range(100):  # more than fits into the buffers
                waiting.clear()
                asyncio.get_running_loop().call_soon(waiting.set)  # runs only when the sending waits
                await send({"type": "websocket.send", "text": "x" * 100_000})
        except OSError:
            told.set_result(True)
        else:
            told.set_result(False)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        filling = asyncio.create_task(fill(send))
        await waiting.wait()
        await send({"type": "websocket.close", "code": 1013})
        await filling

    async with running(app) as server:
        client = await server.connect()
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # every transport of a socket has it
        await client.send(HANDSHAKE + b"\r\n")
        assert await told

        client.writer.transport.resume_reading()  # type: ignore[attr-defined]
        await client.head()
        while (last := await read_frame(client)).opcode == TEXT:
            pass
        assert 1013 == last.code
        await client.send(close(1013))
        assert b"" == await client.rest()


async def test_ping_is_not_answered() -> None:
    """A client that does not return a ping is closed. An application that sends to it learns that it has gone."""
    app = Chatter(pause=0.01)
    async with running(app, ws_ping_interval=0.05, ws_ping_timeout=0.05) as server:
        client = await connected(server)
        opcodes = set()
        while (last := await read_frame(client)).opcode != CLOSE:
            opcodes.add(last.opcode)

        assert {PING, TEXT} == opcodes
        assert 1011 == last.code
        await app.ended.wait()


async def test_shutdown(server: Running, echo: Echo) -> None:
    """A server that stops tells its clients, and the application, that it restarts."""
    client = await connected(server)

    server.server.stop.set()

    assert 1012 == (await read_frame(client)).code
    assert b"" == await client.rest()
    assert 1012 == await echo.end


async def test_shutdown_while_a_websocket_is_closing(server: Running) -> None:
    """A server that stops sends no second close frame."""
    client = await connected(server)
    await client.send(frame(TEXT, b"\xff"))
    assert 1007 == (await read_frame(client)).code

    server.server.stop.set()

    assert b"" == await client.rest()
