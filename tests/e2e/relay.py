"""A line between a client and a service that can hold an answer back until the test lets it go."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from attrs import define, field


@define(eq=False)
class Relay:
    """Passes bytes on to a port. An answer to what begins as `holds`, which may be all, sets `holding` and waits."""

    port: int
    url: str = ""
    holds: bytes | None = None
    holding: asyncio.Event = field(factory=asyncio.Event)
    _released: asyncio.Event = field(factory=asyncio.Event)
    tasks: set[asyncio.Task[None]] = field(factory=set)

    def release(self) -> None:
        """Pass on what was held, and all that comes later."""
        self.holds = None
        self._released.set()
        self._released = asyncio.Event()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what a client sends, and what it is answered, until either side has ended."""
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        answers, requests = await asyncio.open_connection("127.0.0.1", self.port)
        line = _Line()
        ways = [
            asyncio.create_task(line.ask(reader, requests)),
            asyncio.create_task(self._answer(answers, writer, line)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            writer.close()
            requests.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: "_Line") -> None:
        while chunk := await reader.read(65536):
            if self.holds is not None and line.asked.startswith(self.holds):
                self.holding.set()
                await self._released.wait()
            writer.write(chunk)


@define(eq=False)
class _Line:
    """One way of a connection, and what went there last: a head, which comes in one piece, or a body."""

    asked: bytes = b""

    async def ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65536):
            self.asked = chunk
            writer.write(chunk)


@asynccontextmanager
async def relayed(url: str) -> AsyncIterator[Relay]:
    """Listen on a free port for a service at `url`."""
    relay = Relay(urlsplit(url).port or 80)
    server = await asyncio.start_server(relay.connected, "127.0.0.1", 0)
    relay.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield relay
    finally:
        server.close()
        for task in relay.tasks:
            task.cancel()
        await asyncio.gather(*relay.tasks, return_exceptions=True)
