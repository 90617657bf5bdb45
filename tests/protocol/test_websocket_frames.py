"""Frames of WebSockets: hostile ones end it with the right code, and leave no trace in the log."""

import struct

import pytest
from wsproto.frame_protocol import FrameProtocol

from adapters.http.server.websockets import text_frame
from tests.protocol.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Frame,
    close,
    frame,
    read_frame,
)
from tests.protocol.sockets import Chatter, Echo, connected
from tests.protocol.wire import GET, Running, running

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("silence")]

LARGEST = 64 * 1024

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
