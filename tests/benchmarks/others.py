"""Honest clients in a process of their own: `python -m tests.benchmarks.others PORT SECONDS` tells their waits.

Each client asks, waits for the whole answer, pauses and asks again. A request that is not answered within `PATIENCE`,
or not with success, is a failure. The times are printed as JSON: `{"times": [seconds, …], "failures": […]}`.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from itertools import count, cycle
from time import perf_counter

import attrs
import uvloop

from tests.benchmarks.load import HOST, size_of
from tests.benchmarks.scripts import request

PATIENCE = 5.0
PAUSE = 0.01
CLIENTS = 4


@attrs.frozen
class Waits:
    """What the clients found.

    Attributes:
        times: seconds until each answer was whole.
        failures: what was wrong with each of the others.
    """

    times: list[float] = attrs.field(factory=list)
    failures: list[str] = attrs.field(factory=list)

    def within(self, share: float) -> float:
        """Return the seconds within which a share of all requests was answered; a failure took `PATIENCE`."""
        waits = sorted([*self.times, *[PATIENCE] * len(self.failures)])
        return waits[min(len(waits) - 1, int(share * len(waits)))]


def requests(number: int) -> Iterator[bytes]:
    """Yield what one client asks for, without end: health, a task, a short list, and a write."""
    for turn in count():
        yield request("GET", "/healthz")
        yield request("GET", "/tasks/1")
        yield request("GET", "/tasks?limit=10")
        yield request("POST", "/tasks", {"title": f"Order {turn} of client {number}"})


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytes) -> None:
    """Send one request and read its answer. Raises `OSError` for any but a success."""
    writer.write(sent)
    head = await reader.readuntil(b"\r\n\r\n")
    body = await reader.readexactly(size_of(head) - len(head))
    if head[9:10] != b"2":
        raise OSError(f"{sent[:20]!r} was answered {head[:12]!r} {body[:100]!r}")


async def client(port: int, number: int, until: float, waits: Waits) -> None:
    """Ask for one thing after the other on one connection, and on a new one after a failure."""
    asked = cycle(requests(number))
    while perf_counter() < until:
        start = perf_counter()
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = await asyncio.open_connection(HOST, port)
                await ask(reader, writer, next(asked))
            waits.times.append(perf_counter() - start)
            while perf_counter() < until:
                await asyncio.sleep(PAUSE)
                start = perf_counter()
                async with asyncio.timeout(PATIENCE):
                    await ask(reader, writer, next(asked))
                waits.times.append(perf_counter() - start)
        except (OSError, EOFError) as error:
            waits.failures.append(f"{perf_counter() - start:.2f} s: {error!r}"[:200])
            await asyncio.sleep(PAUSE)


async def measured(port: int, seconds: float) -> Waits:
    """Let all clients ask for some seconds."""
    waits = Waits()
    until = perf_counter() + seconds
    await asyncio.gather(*(client(port, number, until, waits) for number in range(CLIENTS)))
    return waits


if __name__ == "__main__":
    found = uvloop.run(measured(int(sys.argv[1]), float(sys.argv[2])))
    print(json.dumps(attrs.asdict(found)))
