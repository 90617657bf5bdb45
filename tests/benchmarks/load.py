"""The load: connections that each send the next request once the last response is complete.

A connection runs a script: a generator that yields requests and is sent each response. The simplest load is
`while True: yield request`. A client that takes an ETag from a response to its next request is as easy to write.
"""

import asyncio
from collections.abc import Generator, Iterable
from time import perf_counter, process_time
from typing import cast

import attrs
import uvloop

HOST = "127.0.0.1"
TIMEOUT = 1800  # seconds until scripts that should end by themselves are stopped

Script = Generator[bytes, bytes, None]


class LoadError(Exception):
    """A response was not as expected, or a connection broke. The measurement is worthless."""


@attrs.frozen
class Rate:
    """What a load measured.

    Attributes:
        answers: complete responses a second during the load.
        total: complete responses, including those after it.
        busy: share of the time in which the load's own process computed. Near 1, it measures itself.
    """

    answers: float
    total: int
    busy: float


class Load:
    """The connections of one measurement, and the number of their responses."""

    def __init__(self, status: int) -> None:
        self.answers = 0
        self.open = 0
        self.stopping = False
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.success = b"HTTP/1.1 %d " % status

    def closed(self) -> None:
        """Note that a connection has ended."""
        self.open -= 1
        if not self.open and not self.ended.done():
            self.ended.set_result(None)

    def failed(self, reason: str) -> None:
        """End the measurement, and keep the first reason."""
        if not self.ended.done():
            self.ended.set_exception(LoadError(reason))


class Connection(asyncio.Protocol):
    """One keep-alive connection that runs its script."""

    def __init__(self, load: Load, script: Script) -> None:
        self.load = load
        self.script = script
        self.answer = b""
        self.size = 0
        self.finished = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Prepare the first request. It is sent once every connection is open."""
        # uvloop's transports are not instances of asyncio's
        self.transport = cast("asyncio.Transport", transport)
        self.request = next(self.script)
        self.load.open += 1

    def start(self) -> None:
        """Send the first request."""
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        """Send the next request, once the response is complete."""
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
        """Do the script's next step, unless the measurement is over."""
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
        """Tell the load. It is an error unless the script has ended."""
        if not self.finished:
            self.load.failed(f"a connection broke: {exc or 'closed by the server'}")
        self.load.closed()


def size_of(answer: bytes) -> int:
    """Return the size of a response according to its head, or 0 while the head is incomplete."""
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
    """Run the scripts, one connection each, for some seconds or until all of them end."""
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
    """Put a load on a server of this machine and return its rate.

    Raises:
        LoadError: a response had another status, or the server closed a connection.
    """
    return uvloop.run(drive(port, scripts, status, seconds))
