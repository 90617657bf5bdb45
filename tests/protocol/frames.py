"""WebSocket frames made by hand, so that they can be invalid (RFC 6455, section 5.2)."""

import struct

from attrs import frozen

from tests.protocol.wire import Client

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\n"
    b"Host: a\r\n"
    b"Connection: keep-alive, Upgrade\r\n"
    b"Upgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@frozen
class Frame:
    """A received frame."""

    opcode: int
    payload: bytes

    @property
    def code(self) -> int:
        """The code of a close frame."""
        assert CLOSE == self.opcode, self
        return int.from_bytes(self.payload[:2])


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, reserved: int = 0, masked: bool = True) -> bytes:
    """Return a frame as a client sends it. Its mask is all zeros, which is allowed."""
    length = len(payload)
    if length < 126:
        size = bytes([length | masked << 7])
    elif length < 65536:
        size = struct.pack("!BH", 126 | masked << 7, length)
    else:
        size = struct.pack("!BQ", 127 | masked << 7, length)
    return bytes([fin << 7 | reserved << 4 | opcode]) + size + (b"\0\0\0\0" if masked else b"") + payload


def close(code: int, reason: bytes = b"") -> bytes:
    """Return a close frame."""
    return frame(CLOSE, code.to_bytes(2) + reason)


async def read_frame(client: Client) -> Frame:
    """Read a frame as a server sends it."""
    first, length = await client.reader.readexactly(2)
    if length == 126:
        length = int.from_bytes(await client.reader.readexactly(2))
    elif length == 127:
        length = int.from_bytes(await client.reader.readexactly(8))
    return Frame(first & 15, await client.reader.readexactly(length))


async def open_websocket(client: Client, *headers: bytes) -> dict[str, str]:
    """Shake hands, and return the response headers."""
    await client.send(HANDSHAKE + b"".join(header + b"\r\n" for header in headers) + b"\r\n")
    status, answered = await client.head()
    assert 101 == status
    return answered
