"""Clients without restraint: `python -m tests.benchmarks.attacks NAME PORT SECONDS` runs one of `ATTACKS`."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial

import uvloop

from adapters.serialization.strict_json import MAX_VALUES
from entrypoints.server import allow_files
from tests.benchmarks.load import HOST
from tests.benchmarks.scripts import request

Attack = Callable[[int], Awaitable[None]]

HANDSHAKE = (
    b"GET /ws%b HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
MASK = b"\x80\0\0\0\0"  # of an empty payload
FIRST = "/changes?after=%s&limit=%d"


async def _connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(HOST, port)


async def _read_on(reader: asyncio.StreamReader) -> None:
    while await reader.read(1 << 20):
        pass


async def pipelining(port: int, *, reads: bool) -> None:
    """Send requests on one connection as fast as possible, and read the responses or not."""
    reader, writer = await _connected(port)
    reading = asyncio.create_task(_read_on(reader)) if reads else None
    sent = request("GET", "/healthz") * 5000
    while not writer.is_closing():
        writer.write(sent)
        await writer.drain()
    if reading is not None:
        await reading


async def slow_bodies(port: int, connections: int = 1100, apart: float = 1 / 1100) -> None:
    """Start many bodies and send one byte of each."""
    writers = []
    head = request("POST", "/tasks")[:-2] + b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    for _ in range(connections):
        _reader, writer = await _connected(port)
        writer.write(head)
        writers.append(writer)
        await asyncio.sleep(apart)
    await asyncio.sleep(3600)


async def half_open(port: int, connections: int = 2000) -> None:
    """Keep many connections open on which a request begins and does not go on."""

    async def begin() -> None:
        while True:
            reader, writer = await _connected(port)
            writer.write(b"GET /tasks HTTP/1.1\r\n")
            await _read_on(reader)
            writer.close()

    await asyncio.gather(*(begin() for _ in range(connections)))


async def waiting(port: int, connections: int = 1005) -> None:
    """Wait on many connections for changes that never come."""

    async def wait() -> None:
        reader, writer = await _connected(port)
        while True:
            writer.write(request("GET", "/changes?wait=60&after=now&types=product.deleted"))
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split()[0]))
            await asyncio.sleep(0.2)

    await asyncio.gather(*(wait() for _ in range(connections)))


async def replaying(port: int, path: str, connections: int) -> None:
    """Read all changes again and again, on some connections."""
    first = json.loads(await _body(port, "/changes?limit=1"))["cursor"]

    async def replay() -> None:
        while True:
            reader, writer = await _connected(port)
            if path == "/ws":
                writer.write(HANDSHAKE % f"?after={first}".encode())
            else:
                writer.write(request("GET", f"{path}?after={first}"))
            with suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await _read_on(reader)
            writer.close()

    await asyncio.gather(*(replay() for _ in range(connections)))


async def asking(port: int, sent: bytes, connections: int) -> None:
    """Send the same request again and again, on some connections."""

    async def ask() -> None:
        reader, writer = await _connected(port)
        while True:
            writer.write(sent)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split()[0]))

    await asyncio.gather(*(ask() for _ in range(connections)))


async def frames(port: int, frame: bytes, begin: bytes = b"") -> None:
    """Send the same small frame as fast as a WebSocket takes it."""
    while True:
        reader, writer = await _connected(port)
        writer.write(HANDSHAKE % b"")
        await reader.readuntil(b"\r\n\r\n")
        reading = asyncio.create_task(_read_on(reader))
        with suppress(OSError):
            writer.write(begin)
            while not reading.done():
                writer.write(frame * 10_000)
                await writer.drain()
        reading.cancel()
        writer.close()


async def _body(port: int, path: str) -> bytes:
    reader, writer = await _connected(port)
    writer.write(request("GET", path, connection="close"))
    answer = await reader.read()
    writer.close()
    return answer.partition(b"\r\n\r\n")[2]


def bulk(notes: str, operations: int) -> bytes:
    """Return a bulk request of creates with the same notes: unlikely, but possible."""
    creates = [{"op": "create", "body": {"title": "x", "notes": notes}} for _ in range(operations)]
    return posted("/tasks/bulk", {"operations": creates})


def unknown_keys(count: int) -> bytes:
    """Return a task with this many unknown fields, one of which keeps it from being read in the quick way."""
    return posted("/tasks", {"list": [], **{f"{number:x}": 1 for number in range(count - 1)}})


def posted(path: str, document: object) -> bytes:
    """Return a request with a document of the largest allowed size."""
    content = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


MARKS = "".join(chr(0x300 + n % 40) for n in range(10_000))

ATTACKS: Mapping[str, Attack] = {
    "pipelining, reading": partial(pipelining, reads=True),
    "pipelining, not reading": partial(pipelining, reads=False),
    "1,100 slow bodies": slow_bodies,
    "1,005 long polls": waiting,
    "2,000 half-open connections": half_open,
    "1 WebSocket catching up": partial(replaying, path="/ws", connections=1),
    "4 WebSockets catching up": partial(replaying, path="/ws", connections=4),
    "4 event streams catching up": partial(replaying, path="/changes/stream", connections=4),
    "polls of 1,000": partial(asking, sent=request("GET", "/changes?limit=1000"), connections=16),
    "lists of 1,000": partial(asking, sent=request("GET", "/tasks?limit=1000"), connections=16),
    "compressed lists of 1,000": partial(
        asking, sent=request("GET", "/tasks?limit=1000", accept_encoding="gzip"), connections=16
    ),
    "empty frames": partial(frames, frame=b"\x81" + MASK),
    "pings": partial(frames, frame=b"\x89" + MASK),
    "fragments": partial(frames, frame=b"\0" + MASK, begin=b"\x01" + MASK),
    "bulks of marks": partial(asking, sent=bulk(MARKS, 50), connections=1),
    "4 bulks of marks": partial(asking, sent=bulk(MARKS, 50), connections=4),
    "bulks": partial(asking, sent=bulk("A short note of some words", 1000), connections=4),
    "unknown keys": partial(asking, sent=unknown_keys(104_000), connections=4),
    "as many unknown keys as may be": partial(asking, sent=unknown_keys(MAX_VALUES - 10), connections=4),
}


async def run(name: str, port: int, seconds: float) -> None:
    """Run one attack for some seconds, and ignore its errors."""
    with suppress(TimeoutError, OSError, EOFError):
        async with asyncio.timeout(seconds):
            await ATTACKS[name](port)


if __name__ == "__main__":
    allow_files(10_000)
    os.nice(10)  # only the server should delay the others
    uvloop.run(run(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
