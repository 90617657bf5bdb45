"""A PostgreSQL without what some engines with its protocol lack: advisory locks, LISTEN and NOTIFY."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.databases import Databases
from tests.postgres.pooler import SOCKET, message

NAME = "lesser"

_REVOKE = """
DO $$
DECLARE each regprocedure;
BEGIN
  FOR each IN SELECT oid FROM pg_proc WHERE proname ~ '^pg_.*advisory' OR proname = 'pg_notify' LOOP
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', each);
  END LOOP;
END $$
"""
_REFUSED = (b"LISTEN", b"UNLISTEN", b"NOTIFY")
_REFUSE = b"DO $$BEGIN RAISE EXCEPTION 'LISTEN and NOTIFY are not supported' USING ERRCODE = '0A000'; END$$"
_QUERY, _PARSE = b"Q", b"P"


@asynccontextmanager
async def lesser(databases: Databases, folder: Path) -> AsyncIterator[str]:
    """Give the DSN of an empty store; its owner, no superuser, has neither advisory locks nor notifications."""
    dsn = f"postgresql:///{NAME}?user={NAME}&host={folder}"
    owned = (f"CREATE ROLE {NAME} LOGIN; ALTER DATABASE {NAME} OWNER TO {NAME}", _REVOKE)
    async with _refusing(databases.server.directory, folder):
        yield await databases.empty(NAME, dsn=dsn, prepared_by=owned)


@asynccontextmanager
async def _refusing(server: Path, folder: Path) -> AsyncIterator[None]:
    """Serve a socket in one folder from a server in another; LISTEN, UNLISTEN and NOTIFY are errors."""
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering, asking = await asyncio.open_unix_connection(server / SOCKET)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_ask(reader, asking))
                group.create_task(_answer(answering, writer))
        except* (OSError, EOFError):
            pass  # one side has closed
        finally:
            asking.close()
            writer.close()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(task := asyncio.create_task(serve(reader, writer)))
        task.add_done_callback(serving.discard)

    try:
        async with await asyncio.start_unix_server(begin, folder / SOCKET):
            yield
    finally:
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


async def _ask(client: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
    size = await client.readexactly(4)  # the first message has no type
    server.write(size + await client.readexactly(int.from_bytes(size) - 4))
    while True:
        kind, rest = await message(client)
        content = _without_notifications(kind, rest[4:])
        server.write(kind + (len(content) + 4).to_bytes(4) + content)


async def _answer(server: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
    while told := await server.read(1 << 16):
        client.write(told)
    raise EOFError


def _without_notifications(kind: bytes, content: bytes) -> bytes:
    """Return the content of a client's message; in place of a refused statement it has one that fails."""
    if kind == _QUERY and content.startswith(_REFUSED):
        return _REFUSE + b"\0"
    if kind == _PARSE:
        name, text, parameters = content.split(b"\0", 2)
        if text.startswith(_REFUSED):
            return b"\0".join((name, _REFUSE, parameters))
    return content
