"""A small transaction pooler: each client has two server connections, and uses them in turn."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from attrs import define, field

SOCKET = ".s.PGSQL.5432"
KEY = b"K"  # the server names the process to cancel; a pooler sends a value of its own
READY, IDLE = b"Z", b"I"  # the server is ready, and in no transaction

Pipe = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def pooling(server: Path, folder: Path) -> AsyncIterator[None]:
    """Serve a socket in one folder from a server in another."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with AsyncExitStack() as stack:
            stack.callback(writer.close)
            pipes = [await asyncio.open_unix_connection(server / SOCKET) for _ in range(2)]
            for _, asking in pipes:
                stack.callback(asking.close)
            try:
                await _Client((reader, writer), pipes).serve()
            except* (EOFError, OSError):
                pass  # one side has closed

    async with await asyncio.start_unix_server(serve, folder / SOCKET):
        yield


@define
class _Client:
    client: Pipe
    servers: list[Pipe]
    turn: int = field(default=0, init=False)

    async def serve(self) -> None:
        """Log the client in to both connections, to the second one unseen, and use them in turn."""
        size = await self.client[0].readexactly(4)
        greeting = size + await self.client[0].readexactly(int.from_bytes(size) - 4)
        for _, asking in self.servers:
            asking.write(greeting)
        while (await message(self.servers[1][0]))[0] != READY:
            pass
        async with asyncio.TaskGroup() as group:
            group.create_task(self._ask())
            group.create_task(self._answer())

    async def _ask(self) -> None:
        while asked := await self.client[0].read(1 << 16):
            self.servers[self.turn][1].write(asked)
        raise EOFError

    async def _answer(self) -> None:
        while True:
            entity_type, rest = await message(self.servers[self.turn][0])
            if entity_type == READY and rest.endswith(IDLE):
                self.turn = 1 - self.turn
            self.client[1].write(entity_type + (rest[:4] + bytes(len(rest) - 4) if entity_type == KEY else rest))


async def message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Return the type of the next message, and the rest of it."""
    entity_type, size = await reader.readexactly(1), await reader.readexactly(4)
    return entity_type, size + await reader.readexactly(int.from_bytes(size) - 4)
