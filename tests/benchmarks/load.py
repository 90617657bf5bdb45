"""The load: connections that each send their next request as soon as the last one is answered in full.

A connection follows a script: a generator that yields requests and is sent each answer. So the simplest load is
`while True: yield request`, and a client that carries an ETag from an answer to its next request is as easily written.
"""

import asyncio
from collections.abc import Generator, Iterable
from time import perf_counter, process_time
from typing import cast

import attrs
import uvloop

HOST = "127.0.0.1"
TIMEOUT = 1800  # seconds until scripts that should end by themselves are given up

Script = Generator[bytes, bytes, None]


class LoadError(Exception):
    """An answer was not the one expected, or a connection broke: the measurement is worth nothing."""


@attrs.frozen
class Rate:
    """What a load found.

    Attributes:
        answers: complete answers a second, while the load was on.
        total: complete answers, with those that came after it.
        busy: share of the time in which the load's own process was computing; near 1, it is measuring itself.
    """

    answers: float
    total: int
    busy: float


class Load:
    """The connections of one measurement, and how many answers they have had."""

    def __init__(self, status: int) -> None:
        self.answers = 0
        self.open = 0
        self.stopping = False
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.success = b"HTTP/1.1 %d " % status

    def closed(self) -> None:
        """Note that a connection has come to its end."""
        self.open -= 1
        if not self.open and not self.ended.done():
            self.ended.set_result(None)

    def failed(self, reason: str) -> None:
        """End the measurement, with the first reason that was given."""
        if not self.ended.done():
            self.ended.set_exception(LoadError(reason))


class Connection(asyncio.Protocol):
    """One keep-alive connection that follows its script."""

    def __init__(self, load: Load, script: Script) -> None:
        self.load = load
        self.script = script
        self.answer = b""
        self.size = 0
        self.finished = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Prepare the first request; it is sent when every connection is there."""
        # uvloop's transports are no instances of asyncio's
        self.transport = cast("asyncio.Transport", transport)
        self.request = next(self.script)
        self.load.open += 1

    def start(self) -> None:
        """Send the first request."""
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        """Send the next request, once the answer is complete."""
        self.answer += data
        if not self.size:
            self.size = size_of(self.answer)
        if not self.size or len(self.answer) < self.size:
            return
        answer, self.answer, self.size = self.answer, b"", 0
        if not answer.startswith(self.load.success):
            self.load.failed(f"expected {self.load.success.decode()}, not {answer[:500]!r}")
        self.load.answers += 1
        self.proceed(answer)

    def proceed(self, answer: bytes) -> None:
        """Do what the script wants next, unless the measurement is over."""
        try:
            request = self.script.send(answer)
        except StopIteration:
            self.finished = True
        if self.finished or self.load.stopping:
            self.finished = True
            self.transport.close()
        else:
            self.transport.write(request)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the load, which minds only if the script was not at its end."""
        if not self.finished:
            self.load.failed(f"a connection broke: {exc or 'closed by the server'}")
        self.load.closed()


def size_of(answer: bytes) -> int:
    """Return how many bytes the answer has by its own account, or 0 while its head is not complete."""
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return 0
    head = answer[:end].lower()
    return end + 4 + int(head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])


async def connect(port: int, load: Load, script: Script) -> Connection:
    """Open one connection of a load."""
    loop = asyncio.get_running_loop()
    return (await loop.create_connection(lambda: Connection(load, script), HOST, port))[1]


async def drive(port: int, scripts: Iterable[Script], status: int, seconds: float | None) -> Rate:
    """Follow the scripts, one connection each, for some seconds or until they all end."""
    load = Load(status)
    connections = [await connect(port, load, script) for script in scripts]
    start, computing = perf_counter(), process_time()
    for connection in connections:
        connection.start()
    await asyncio.wait([load.ended], timeout=seconds or TIMEOUT)
    elapsed, computing = perf_counter() - start, process_time() - computing
    answers = load.answers / elapsed
    load.stopping = True
    try:
        await asyncio.wait_for(load.ended, timeout=60)
    finally:
        for connection in connections:
            connection.transport.abort()
    return Rate(answers, load.answers, computing / elapsed)


def measure(port: int, scripts: Iterable[Script], *, status: int = 200, seconds: float | None = None) -> Rate:
    """Put a load on a server of this machine and return what it achieved.

    Raises:
        LoadError: an answer had another status, or the server closed a connection.
    """
    return uvloop.run(drive(port, scripts, status, seconds))
