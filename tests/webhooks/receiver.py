"""A receiver of messages whose bytes each test chooses."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Sequence

from attrs import define, field

from adapters.webhooks.addresses import Resolve

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
PAUSE = 0.2  # seconds


@define
class Receiver:
    """A server that records each request, sends its one response, and waits for the sender to close."""

    answer: bytes = OK
    rest: bytes = b""  # of the response, sent after the sender has had time to leave
    hangs_up: bool = False  # closes instead of waiting for the sender
    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(factory=list)
    names: list[str | None] = field(factory=list)  # the names requested by TLS
    was_interrupted: bool = False
    answered: asyncio.Event = field(factory=asyncio.Event)
    left: asyncio.Event = field(factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Receive one request and answer it."""
        self.connections += 1
        with contextlib.suppress(ConnectionError, EOFError):
            await self._converse(reader, writer)
        self.left.set()
        writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        self.requests.append(head + await reader.readexactly(length))
        writer.write(self.answer)
        await writer.drain()
        self.answered.set()
        if self.rest:
            self.was_interrupted = await self._has_left(reader)
            writer.write(self.rest)
        if not self.hangs_up:
            await reader.read()

    async def _has_left(self, reader: asyncio.StreamReader) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PAUSE):
                return b"" == await reader.read()
        return False


@contextlib.asynccontextmanager
async def listening(receiver: Receiver, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """Let `receiver` listen on a free port of 127.0.0.1."""
    if tls is not None:
        tls.sni_callback = lambda _connection, name, _context: receiver.names.append(name)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver


def answering(*answers: Sequence[str]) -> Resolve:
    """Return a resolver that returns the next of `answers` at each call."""
    remaining = list(answers)

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return remaining.pop(0)

    return resolve
