"""Hostile frames end a WebSocket with the right code, and leave no trace in the log."""

import asyncio
import struct
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from attrs import Factory, define
from starlette.types import Receive, Scope, Send
from wsproto.events import Event
from wsproto.frame_protocol import FrameProtocol

from adapters.http.server.websockets import WebSocketProtocol, text_frame
from tests.protocol.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    HANDSHAKE,
    PING,
    PONG,
    TEXT,
    Frame,
    close,
    frame,
    open_websocket,
    read_frame,
)
from tests.protocol.wire import GET, Client, Held, Running, respond, running

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("silence")]

LARGEST = 64 * 1024


@define
class Echo:
    """An application that echoes messages. `end` is the code with which the first WebSocket ended."""

    scope: Scope = Factory(dict)
    end: asyncio.Future[int] = Factory(lambda: asyncio.get_running_loop().create_future())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        if scope["type"] == "http":
            await respond(send)
            return
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({**message, "type": "websocket.send"})
        if not self.end.done():
            self.end.set_result(message["code"])


@define
class Chatter:
    """An application that keeps sending, with a pause after each message. `ended` is set once the client has gone."""

    pause: float
    ended: asyncio.Event = Factory(asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        try:
            while True:
                await send({"type": "websocket.send", "text": "x"})
                await asyncio.sleep(self.pause)
        except OSError:
            self.ended.set()


@pytest.fixture
async def echo() -> Echo:
    """An application that echoes messages."""
    return Echo()


@pytest.fixture
async def server(echo: Echo) -> AsyncIterator[Running]:
    """A server with WebSockets."""
    async with running(echo) as run:
        yield run


async def connected(server: Running) -> Client:
    """Return a client with an open WebSocket."""
    client = await server.connect()
    await open_websocket(client)
    return client


BAD_CODES = (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)
HOSTILE = {
    "text that is no UTF-8": (1007, frame(TEXT, b"\xff")),
    "text that ends within a character": (1007, frame(TEXT, b"\xe2\x82")),
    "a surrogate in UTF-8": (1007, frame(TEXT, b"\xed\xa0\x80")),
    "no UTF-8 in a fragment, before the last": (1007, frame(TEXT, b"a\xff", fin=False)),
    "no UTF-8 in a later fragment": (1007, frame(TEXT, b"\xe2", fin=False) + frame(CONTINUATION, b"a")),
    "a reason that is no UTF-8": (1007, close(1000, b"\xff")),
    "a message that is too long": (1009, frame(TEXT, b"x" * (LARGEST + 1))),
    "bytes that are too long": (1009, frame(BINARY, b"x" * (LARGEST + 1))),
    "characters whose bytes are too long": (1009, frame(TEXT, "€".encode() * (LARGEST // 3 + 1))),
    "fragments that are too long together": (
        1009,
        frame(BINARY, b"x" * LARGEST, fin=False) + frame(CONTINUATION, b"x", fin=False),
    ),
    "a message that is announced as endless": (
        1009,
        bytes([0x80 | BINARY, 0xFF]) + struct.pack("!Q", 1 << 62) + b"\0\0\0\0" + b"x" * (LARGEST + 1),
    ),
    "the first reserved bit, as for compression": (1002, frame(TEXT, b"a", reserved=4)),
    "the second reserved bit": (1002, frame(TEXT, b"a", reserved=2)),
    "the third reserved bit": (1002, frame(PING, b"a", reserved=1)),
    "a reserved opcode": (1002, frame(3, b"a")),
    "a reserved opcode for control": (1002, frame(11, b"a")),
    "a ping in fragments": (1002, frame(PING, b"a", fin=False)),
    "a close in fragments": (1002, frame(CLOSE, b"\x03\xe8", fin=False)),
    "a ping that is too long": (1002, frame(PING, b"x" * 126)),
    "a frame without a mask": (1002, frame(TEXT, b"a", masked=False)),
    "a length of two bytes for one": (1002, bytes([0x80 | TEXT, 0xFE, 0, 1]) + b"\0\0\0\0a"),
    "a length of eight bytes for two": (1002, bytes([0x80 | TEXT, 0xFF]) + struct.pack("!Q", 1) + b"\0\0\0\0a"),
    "a length beyond 63 bits": (1002, bytes([0x80 | TEXT, 0xFF]) + struct.pack("!Q", 1 << 63) + b"\0\0\0\0a"),
    "a continuation of nothing": (1002, frame(CONTINUATION, b"a")),
    "a message within a message": (1002, frame(TEXT, b"a", fin=False) + frame(TEXT, b"b")),
    "a close of one byte": (1002, frame(CLOSE, b"\x03")),
    **{f"a close with the code {code}": (1002, close(code)) for code in BAD_CODES},
}


@pytest.mark.parametrize(("code", "frames"), HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_frame(server: Running, echo: Echo, code: int, frames: bytes) -> None:
    """A frame that breaks the protocol or a limit gets its close code, and the application gets the same code."""
    client = await connected(server)

    await client.send(frames)

    assert code == (await read_frame(client)).code
    assert b"" == await client.rest()
    assert code == await echo.end


@pytest.mark.parametrize(("code", "frames"), HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_frame_byte_by_byte(server: Running, code: int, frames: bytes) -> None:
    """Frames have the same effect when they arrive byte by byte."""
    client = await connected(server)

    await client.send_in_pieces(*(bytes([each]) for each in frames[:200]), frames[200:])

    assert code == (await read_frame(client)).code


@pytest.mark.parametrize("garbage", [bytes(range(256)) * 40, b"\xff" * 100_000, GET * 1000])
async def test_garbage(server: Running, garbage: bytes) -> None:
    """Garbage ends the WebSocket, and the rest of it is not parsed."""
    client = await connected(server)

    await client.send(garbage)

    assert (await read_frame(client)).code in (1002, 1007)
    assert b"" == await client.rest()


async def test_hostile_frame_while_the_application_sends() -> None:
    """If a client breaks a rule while the application sends, the application only sees that the client has gone."""
    app = Chatter(pause=0)
    async with running(app) as server:
        client = await connected(server)
        await client.send(frame(TEXT, b"x" * (LARGEST + 1)))

        await app.ended.wait()
        while (last := await read_frame(client)).opcode != CLOSE:
            pass
        assert 1009 == last.code


async def test_oversize_message_of_a_client_that_goes_on_sending(server: Running) -> None:
    """A client that is still sending an oversize message can read the close frame."""
    client = await connected(server)

    await client.send(frame(BINARY, b"x" * 8_000_000))

    assert 1009 == (await read_frame(client)).code


async def test_messages(server: Running) -> None:
    """Texts, bytes and fragments with pings between them arrive, up to the largest message."""
    client = await connected(server)
    await client.send(
        frame(TEXT, "€".encode())
        + frame(BINARY, b"\xff")
        + frame(TEXT, b"\xe2", fin=False)
        + frame(PING, b"!")
        + frame(CONTINUATION, b"\x82\xac")
        + frame(TEXT, b"x" * LARGEST)
    )

    assert {
        "texts": [Frame(TEXT, "€".encode()), Frame(TEXT, "€".encode()), Frame(TEXT, b"x" * LARGEST)],
        "bytes": [Frame(BINARY, b"\xff")],
        "pongs": [Frame(PONG, b"!")],
    } == sorted_frames([await read_frame(client) for _ in range(5)])


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 200_000])
@pytest.mark.parametrize("character", ["x", "€", "😀"])
def test_frame_of_a_text(size: int, character: str) -> None:
    """The frame is the same as wsproto's, in each of the three forms of the length."""
    text = "x" * (size % len(character.encode())) + character * (size // len(character.encode()))

    assert size == len(text.encode())
    assert FrameProtocol(client=False, extensions=[]).send_data(text) == text_frame(text)


def sorted_frames(frames: list[Frame]) -> dict[str, list[Frame]]:
    """Sort frames by opcode: a pong may overtake the messages of the application."""
    entity_types = {"texts": TEXT, "bytes": BINARY, "pongs": PONG}
    return {name: [each for each in frames if each.opcode == opcode] for name, opcode in entity_types.items()}


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

        await closed.wait()


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
    """A client may close, or simply disconnect, while it is slowed."""
    slowed = asyncio.Event()

    class Strict(WebSocketProtocol):
        FRAMES_PER_SECOND = 0.0

        def _slow_down(self) -> None:
            super()._slow_down()
            slowed.set()

    async with running(Echo(), ws=Strict) as server:
        client = await connected(server)
        client.writer.write(frame(PING, b"") * 100)
        await slowed.wait()
        client.writer.transport.abort()


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
