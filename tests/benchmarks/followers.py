"""Followers for the benchmark: WebSockets that count messages, cheaply enough not to distort the measurement."""

import asyncio
from time import perf_counter
from typing import cast

import attrs

from tests.benchmarks.load import HOST, Connection, Load, LoadError, Script

TIMEOUT = 60  # seconds until the benchmark stops waiting for the followers

_HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
_ACCEPTED = b"HTTP/1.1 101 "
_TEXT, _PING = 0x81, 0x89


@attrs.define
class Crowd:
    """All followers of one measurement.

    Attributes:
        expected: how many messages all followers together should get.
        messages: how many have arrived.
        arrivals: when each arrived, if that is recorded.
    """

    expected: int = 0
    messages: int = 0
    arrivals: list[float] = attrs.field(factory=list)
    complete: asyncio.Event = attrs.field(factory=asyncio.Event)
    failure: str | None = None

    def expect(self, messages: int) -> None:
        """Start counting from zero."""
        self.expected, self.messages = messages, 0
        self.arrivals.clear()
        self.complete.clear()

    def told(self, messages: int) -> None:
        """Count messages."""
        self.messages += messages
        self.arrivals.append(perf_counter())
        if self.messages >= self.expected:
            self.complete.set()

    def failed(self, reason: str) -> None:
        """End the measurement."""
        self.failure = reason
        self.complete.set()

    async def all_told(self) -> None:
        """Return once every message has arrived. Raises `LoadError` once one can no longer arrive."""
        try:
            await asyncio.wait_for(self.complete.wait(), TIMEOUT)
        except TimeoutError:
            self.failure = f"only {self.messages} of {self.expected} messages came"
        if self.failure is not None:
            raise LoadError(self.failure)


class FollowerConnection(asyncio.Protocol):
    """One follower of all changes."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self.left = b""
        self.accepted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the handshake."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(_HANDSHAKE)

    def data_received(self, data: bytes) -> None:
        """Count the complete messages."""
        data = self.left + data
        if not self.accepted:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self.left = head
                return
            self.accepted = True
            if not head.startswith(_ACCEPTED):
                self.crowd.failed(f"a follower was answered {head[:200]!r}")
        messages, end_of_last = self.count(data)
        self.left = data[end_of_last:]
        if messages:
            self.crowd.told(messages)

    def count(self, data: bytes) -> tuple[int, int]:
        """Return the number of messages in `data`, and the end of the last one."""
        offset = messages = 0
        while (frame := frame_at(data, offset)) is not None:
            entity_type, start, end = frame
            if entity_type == _TEXT:
                messages += 1
            elif entity_type == _PING:
                self.transport.write(pong(data[start:end]))
            else:
                self.crowd.failed(f"a follower was sent {data[offset:end]!r}")
            offset = end
        return messages, offset

    def connection_lost(self, exc: Exception | None) -> None:
        """Report the loss, unless the measurement is over."""
        if not self.crowd.complete.is_set():
            self.crowd.failed(f"a follower was cut off: {exc or 'closed by the server'}")


def frame_at(data: bytes, offset: int) -> tuple[int, int, int] | None:
    """Return the first byte of a server's frame and where its payload starts and ends, or None if it is incomplete."""
    if len(data) < offset + 2:
        return None
    size, start = data[offset + 1], offset + 2
    if size > 125:
        start += 2 if size == 126 else 8
        size = int.from_bytes(data[offset + 2 : start])
    end = start + size
    return (data[offset], start, end) if end <= len(data) else None


def pong(payload: bytes) -> bytes:
    """Return the pong for a ping. Its mask is all zeros, which is allowed."""
    return bytes((0x8A, 0x80 | len(payload))) + bytes(4) + payload


async def follow(port: int, followers: int) -> tuple[Crowd, list[asyncio.Transport]]:
    """Connect this many followers, one by one, and return when all are live."""
    crowd = Crowd(expected=followers)
    loop = asyncio.get_running_loop()
    transports = []
    for _ in range(followers):
        transport, _protocol = await loop.create_connection(lambda: FollowerConnection(crowd), HOST, port)
        transports.append(transport)
    await crowd.all_told()
    return crowd, transports


async def written(port: int, script: Script, status: int) -> float:
    """Run a script to its end on one connection, and return when its first request was sent."""
    loop = asyncio.get_running_loop()
    load = Load(status)
    connection = (await loop.create_connection(lambda: Connection(load, script), HOST, port))[1]
    start = perf_counter()
    connection.start()
    await load.ended
    return start
