"""A WebSocket whose client does not read, or sends more frames than its allowance."""

import asyncio
from collections import Counter

import pytest
from wsproto.events import Event

from adapters.http.server.websockets import WebSocketProtocol
from tests.protocol.frames import (
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Frame,
    frame,
    read_frame,
)
from tests.protocol.sockets import Echo, connected
from tests.protocol.wire import running

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("silence")]


async def test_client_that_does_not_read_is_not_read() -> None:
    """If a client sends pings and reads no pongs, they do not fill the memory. In the end it gets every pong."""
    paused = asyncio.Event()
    protocols = []

    class Noting(WebSocketProtocol):
        FRAMES_AT_ONCE = 1_000_000_000

        def pause_writing(self) -> None:
            super().pause_writing()
            protocols.append(self)
            paused.set()

    async with running(Echo(), ws=Noting) as server:
        client = await connected(server)
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # every transport of a socket has it
        ping, sent = frame(PING, b"x" * 125) * 100, 0
        while not paused.is_set():
            client.writer.write(ping)
            sent += 100
            await asyncio.sleep(0)
        is_reading = protocols[0].transport._transport.is_reading()  # type: ignore[attr-defined]

        assert not is_reading
        client.writer.transport.resume_reading()  # type: ignore[attr-defined]
        assert {Frame(PONG, b"x" * 125)} == {await read_frame(client) for _ in range(sent)}
        await client.send(frame(TEXT, b"a"))
        assert Frame(TEXT, b"a") == await read_frame(client)


MANY = {
    "messages": frame(TEXT, b""),
    "pings": frame(PING, b""),
    "pongs": frame(PONG, b""),
    "fragments": frame(CONTINUATION, b"", fin=False),
}


@pytest.mark.parametrize("small", MANY.values(), ids=MANY.keys())
async def test_client_that_sends_too_many_frames(small: bytes) -> None:
    """The server reads only a client's allowance of frames, and closes the connection if the client goes on."""
    handled = Counter[str]()

    class Strict(WebSocketProtocol):
        FRAMES_PER_SECOND = 0.0
        TOLERATED_S = SLOWED = 0.02

        def _handle(self, event: Event) -> None:
            handled[type(event).__name__] += 1
            super()._handle(event)

    echo = Echo()
    async with running(echo, ws=Strict) as server:
        client = await connected(server)
        client.writer.write(frame(TEXT, b"", fin=False) if small is MANY["fragments"] else b"")
        client.writer.write(small * 20_000)
        while (last := await read_frame(client)).opcode != CLOSE:
            pass

        assert 1008 == last.code
        assert 1008 == await echo.end
        assert b"" == await client.rest()
    assert Strict.FRAMES_AT_ONCE == handled.total()  # and the handshake is one of them


async def test_nothing_is_read_from_a_client_that_is_slowed() -> None:
    """Frames beyond the allowance stay unread, even if the application reads earlier messages."""
    slowed = asyncio.Event()
    transports = []

    class Strict(WebSocketProtocol):
        FRAMES_PER_SECOND = 0.0

        def _slow_down(self) -> None:
            super()._slow_down()
            transports.append(self._transport._transport)
            slowed.set()

    async with running(Echo(), ws=Strict) as server:
        client = await connected(server)
        client.writer.write(frame(TEXT, b"a") * 100)
        await slowed.wait()
        for _ in range(Strict.FRAMES_AT_ONCE - 1):
            await read_frame(client)

        assert not transports[0].is_reading()
        client.writer.transport.abort()


@pytest.mark.parametrize("opcode", [TEXT, PING])
async def test_client_that_sends_many_frames_at_once(opcode: int) -> None:
    """A client that exceeds its allowance once is slowed, loses nothing, and is later served as before."""

    class Quick(WebSocketProtocol):
        FRAMES_PER_SECOND = 1000.0
        SLOWED = 0.01

    async with running(Echo(), ws=Quick) as server:
        client = await connected(server)
        for _ in range(2):
            await client.send(b"".join(frame(opcode, b"%d" % number) for number in range(150)))
            assert [b"%d" % number for number in range(150)] == [(await read_frame(client)).payload for _ in range(150)]


async def test_slowed_client_leaves() -> None:
    """A client that disconnects while it is slowed is not read, so it counts as one that goes on."""
    slowed = asyncio.Event()

    class Strict(WebSocketProtocol):
        FRAMES_PER_SECOND = 0.0
        TOLERATED_S = SLOWED = 0.02

        def _slow_down(self) -> None:
            super()._slow_down()
            slowed.set()

    echo = Echo()
    async with running(echo, ws=Strict) as server:
        client = await connected(server)
        client.writer.write(frame(PING, b"") * 100)
        await slowed.wait()
        client.writer.transport.abort()

        assert 1008 == await echo.end
