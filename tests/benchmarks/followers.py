"""Followers for the benchmark: WebSockets that count what they are told, cheaply enough not to measure themselves."""

import asyncio
from time import perf_counter
from typing import cast

import attrs

from tests.benchmarks.load import HOST, Connection, Load, LoadError, Script

TIMEOUT = 60  # seconds until the followers are given up

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
        expected: how many messages there are to come, to all of them together.
        messages: how many have come.
        arrivals: when each came, if anyone wants to know.
    """

    expected: int = 0
    messages: int = 0
    arrivals: list[float] = attrs.field(factory=list)
    complete: asyncio.Event = attrs.field(factory=asyncio.Event)
    failure: str | None = None

    def expect(self, messages: int) -> None:
        """Start to count anew."""
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
        """Return once every message has come. Raises `LoadError` if one cannot come any more."""
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
        """Ask to follow."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(_HANDSHAKE)

    def data_received(self, data: bytes) -> None:
        """Count the messages that are complete."""
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
        """Return how many messages there are in `data`, and where the last one ends."""
        place = messages = 0
        while (frame := frame_at(data, place)) is not None:
            entity_type, start, end = frame
            if entity_type == _TEXT:
                messages += 1
            elif entity_type == _PING:
                self.transport.write(pong(data[start:end]))
            else:
                self.crowd.failed(f"a follower was sent {data[place:end]!r}")
            place = end
        return messages, place

    def connection_lost(self, exc: Exception | None) -> None:
        """Mind it, unless all is over."""
        if not self.crowd.complete.is_set():
            self.crowd.failed(f"a follower was cut off: {exc or 'closed by the server'}")


def frame_at(data: bytes, place: int) -> tuple[int, int, int] | None:
    """Return the first byte of a server's frame, and where its payload starts and ends; None if it is not complete."""
    if len(data) < place + 2:
        return None
    size, start = data[place + 1], place + 2
    if size > 125:
        start += 2 if size == 126 else 8
        size = int.from_bytes(data[place + 2 : start])
    end = start + size
    return (data[place], start, end) if end <= len(data) else None


def pong(payload: bytes) -> bytes:
    """Return the frame that answers a ping, masked with zeros as a client may."""
    return bytes((0x8A, 0x80 | len(payload))) + bytes(4) + payload


async def follow(port: int, followers: int) -> tuple[Crowd, list[asyncio.Transport]]:
    """Connect so many followers, one after the other, and return when all are live."""
    crowd = Crowd(expected=followers)
    loop = asyncio.get_running_loop()
    transports = []
    for _ in range(followers):
        transport, _protocol = await loop.create_connection(lambda: FollowerConnection(crowd), HOST, port)
        transports.append(transport)
    await crowd.all_told()
    return crowd, transports


async def written(port: int, script: Script, status: int) -> float:
    """Follow a script to its end on one connection, and return when its first request was sent."""
    loop = asyncio.get_running_loop()
    load = Load(status)
    connection = (await loop.create_connection(lambda: Connection(load, script), HOST, port))[1]
    start = perf_counter()
    connection.start()
    await load.ended
    return start
