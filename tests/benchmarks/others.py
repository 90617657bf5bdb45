"""Honest clients in their own process: `python -m tests.benchmarks.others PORT SECONDS TIMEOUT` prints how they wait.

Each client sends a request, waits for the whole response, pauses and repeats. A request without a successful response
within `TIMEOUT` seconds is a failure. The output is JSON:
`{"timeout_s": …, "times": [seconds, …], "failures": […], "delayed": share}`.
"""

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from itertools import count
from time import perf_counter

import attrs
import uvloop

from tests.benchmarks.load import HOST, size_of
from tests.benchmarks.machine import delayed
from tests.benchmarks.scripts import request

PAUSE = 0.01
CLIENTS = 4


@attrs.frozen
class Waits:
    """What the clients measured.

    Attributes:
        timeout_s: seconds until a request without a response counts as failed.
        times: seconds until each response was complete.
        failures: the reason of each failed request.
        delayed: the share of the time for which this process was ready to run, and others had its core. So much of
            what it measured is not the service's.
    """

    timeout_s: float
    times: list[float] = attrs.field(factory=list)
    failures: list[str] = attrs.field(factory=list)
    delayed: float = 0.0

    def within(self, share: float) -> float:
        """Return the seconds within which this share of all requests succeeded. A failure counts as `timeout_s`."""
        waits = sorted([*self.times, *[self.timeout_s] * len(self.failures)])
        return waits[min(len(waits) - 1, int(share * len(waits)))]


def requests(number: int) -> Iterator[bytes]:
    """Yield the requests of one client, without end: four reads, an edit and a new task."""
    for turn in count():
        yield request("GET", "/healthz")
        yield request("GET", "/tasks/1")
        yield request("GET", "/tasks?limit=10")
        yield request("PUT", f"/tasks/{number + 1}", {"notes": f"Turn {turn}"})
        yield request("GET", "/changes?after=now")
        yield request("POST", "/tasks", {"title": f"Order {turn} of client {number}"})


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytes) -> None:
    """Send one request and read its response. Raises `OSError` for any error."""
    writer.write(sent)
    head = await reader.readuntil(b"\r\n\r\n")
    body = await reader.readexactly(size_of(head) - len(head))
    if head[9:10] != b"2":
        raise OSError(f"{sent[:20]!r} was answered {head[:12]!r} {body[:100]!r}")


async def client(port: int, number: int, until: float, waits: Waits) -> None:
    """Send one request after the other on one connection. After a failure, open a new one."""
    asked = requests(number)
    while perf_counter() < until:
        start, sent = perf_counter(), next(asked)
        try:
            async with asyncio.timeout(waits.timeout_s):
                reader, writer = await asyncio.open_connection(HOST, port)
                await ask(reader, writer, sent)
            waits.times.append(perf_counter() - start)
            while perf_counter() < until:
                await asyncio.sleep(PAUSE)
                start, sent = perf_counter(), next(asked)
                async with asyncio.timeout(waits.timeout_s):
                    await ask(reader, writer, sent)
                waits.times.append(perf_counter() - start)
        except (OSError, EOFError) as error:
            line = sent.partition(b"\r\n")[0].decode()
            waits.failures.append(f"{line}, {perf_counter() - start:.2f} s: {error!r}"[:200])
            await asyncio.sleep(PAUSE)


async def measured(port: int, seconds: float, timeout_s: float) -> Waits:
    """Run all clients for some seconds."""
    waits, before = Waits(timeout_s), delayed(os.getpid())
    until = perf_counter() + seconds
    await asyncio.gather(*(client(port, number, until, waits) for number in range(CLIENTS)))
    return attrs.evolve(waits, delayed=(delayed(os.getpid()) - before) / seconds)


if __name__ == "__main__":
    found = uvloop.run(measured(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])))
    with open(sys.stdout.fileno(), "w", closefd=False) as out:  # an unbuffered print may lose what a pipe does not take
        json.dump(attrs.asdict(found), out)
