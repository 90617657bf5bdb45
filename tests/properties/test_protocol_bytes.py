"""Whatever bytes come, in whatever pieces, a connection answers in HTTP or not at all."""

import asyncio
import re
from typing import Any

import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.server import ServerState

from adapters.http.server.protocol import HttpProtocol
from adapters.http.server.websockets import WebSocketProtocol
from tests.protocol.frames import HANDSHAKE
from tests.protocol.wire import GET, read_body, respond

WORDS = [
    *(b"GET", b"HEAD", b"POST", b"OPTIONS", b"CONNECT", b"PRI", b"get", b" ", b"  ", b"\t"),
    *(b"/", b"*", b"/a?b#c", b"//", b"http://a/", b"http://a:1?x", b"a:443", b"/\xff", b"/%"),
    *(b" HTTP/1.1", b" HTTP/1.0", b" HTTP/2.0", b" HTTP/0.9", b"\r\n", b"\r\n", b"\r\n\r\n", b"\n", b"\r"),
    *(b"Host: a\r\n", b"Host: \xe9\r\n", b"Host: xn--a-\r\n", b"X: y\r\n", b"X:", b": y\r\n", b" folded\r\n"),
    *(
        b"Content-Length: 5\r\n",
        b"Content-Length: 0\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Expect: 100-continue\r\n",
    ),
    *(b"Connection: close\r\n", b"Connection: Upgrade\r\n", b"Upgrade: h2c\r\n", b"Upgrade: websocket\r\n"),
    *(
        b"hello",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"0\r\nTrailer: x\r\n\r\n",
        b"zz\r\n",
        b"5;x=y\r\n",
        b"\x81\x80\0\0\0\0",
    ),
    *(GET, HANDSHAKE, HANDSHAKE + b"\r\n", b"POST / HTTP/1.1\r\nHost: a\r\n"),
]
STATUS_LINE = re.compile(rb"HTTP/1\.1 (\d{3}) ")
ANSWERS = {100, 101, 200, 400, 431}


class Transport(asyncio.Transport):
    """A transport that keeps what is written, and forbids what a real one would."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.protocol: Any = None
        self.closed = self.ended = False

    def write(self, data: Any) -> None:
        assert not self.ended
        self.written += data

    def write_eof(self) -> None:
        self.ended = True

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def get_protocol(self) -> Any:
        return self.protocol

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        assert not self.closed

    def resume_reading(self) -> None:
        assert not self.closed


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Read everything and answer."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
    elif await read_body(receive) is not None:
        await respond(send)


async def converse(pieces: list[bytes]) -> bytes:
    """Send pieces to a new connection, and return what it answers before it is lost."""
    config = uvicorn.Config(app, http=HttpProtocol, ws=WebSocketProtocol, lifespan="off", log_config=None)
    config.load()
    state, transport = ServerState(), Transport()
    transport.set_protocol(HttpProtocol(config, state, {}))
    transport.protocol.connection_made(transport)
    for piece in pieces:
        if not transport.closed:
            transport.protocol.data_received(piece)
            await asyncio.sleep(0)
    for _ in range(5):
        await asyncio.sleep(0)
    transport.protocol.connection_lost(None)
    await asyncio.gather(*state.tasks)
    assert set() == state.connections
    return transport.written


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """Cut data into pieces of the sizes, and what is left over."""
    pieces = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [each for each in (*pieces, data) if each]


@given(st.lists(st.sampled_from(WORDS), max_size=12), st.lists(st.integers(1, 40), max_size=12))
def test_any_bytes(words: list[bytes], sizes: list[int]) -> None:
    """Nothing raises, every answer is one of those there can be, and a refusal is the last."""
    written = asyncio.run(converse(cut(b"".join(words), sizes)))

    statuses = [int(each) for each in STATUS_LINE.findall(written)]
    assert {*statuses} <= ANSWERS
    assert all(each < 400 for each in statuses[:-1])
    assert bool(statuses) == bool(written)


@given(st.lists(st.sampled_from(WORDS), max_size=12), st.lists(st.integers(1, 40), max_size=12))
def test_pieces_do_not_matter(words: list[bytes], sizes: list[int]) -> None:
    """A request gets the same answer, however it is cut into pieces."""
    data = b"".join(words)
    if b"Upgrade" in data:
        return  # what is sent behind an upgrade is dropped or not, depending on when it comes

    whole, pieces = asyncio.run(converse([data] if data else [])), asyncio.run(converse(cut(data, sizes)))

    assert [each for each in STATUS_LINE.findall(whole) if each != b"100"] == [
        each for each in STATUS_LINE.findall(pieces) if each != b"100"
    ]
