"""Reaching the database, on connections that are shared and replaced."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import asyncpg

from adapters.postgres.address import read, reading
from adapters.postgres.errors import LOST, MISTAKES, explaining, translated
from domain.errors import Unavailable

WAIT_S = 5
"""How long a caller waits for a connection before it is told that there is none."""

CONNECT_S = 2
"""How long one host may take to answer before the next is tried; less than `WAIT_S`, so that the next one is."""

COMMAND_S = 10
CLOSE_S = 5

STATEMENTS = 100
"""How many statements each connection keeps prepared."""

_log = logging.getLogger("backroom")

POOLED = (
    "PostgreSQL is behind a pooler: followers learn within a second of what other processes write, and each connection"
    " keeps %d statements prepared (statement_cache_size in BACKROOM_STORE)"
)

Connection: TypeAlias = "asyncpg.Connection[Any] | asyncpg.pool.PoolConnectionProxy[Any]"
Work: TypeAlias = "Callable[[asyncpg.Connection[Any]], Coroutine[Any, Any, None]]"


class Connections:
    """The connections of one process, which are replaced by themselves when they are lost."""

    def __init__(self, dsn: str, *, each: Work) -> None:
        """Prepare to connect, doing something with `each` connection that is lent.

        Raises `BadAddress`.
        """
        self._address = read(dsn)
        self._each = each
        self._is_pooled = False
        self._closed = False

    async def open(self, *, first: Work) -> None:
        """Connect, doing something `first`, for as long as it takes."""
        with explaining():
            connection = await _connect(self._address.dsn)
            try:
                self._is_pooled = await _is_pooled(connection)
                await first(connection)
            finally:
                await connection.close()
            statements = self._address.statements
            if statements is None:
                statements = 0 if self._is_pooled else STATEMENTS
            if self._is_pooled:
                _log.warning(POOLED, statements)
            self._pool = await asyncpg.create_pool(
                self._address.dsn,
                timeout=CONNECT_S,
                statement_cache_size=statements,
                command_timeout=COMMAND_S,
                min_size=0,
                max_size=self._address.pool_size,
                init=self._each,
                reset=_keep,
            )

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Connection]:
        """Lend a connection. Raises the domain's errors for whatever goes wrong with it."""
        self.check_open()
        with translated(tell=True):
            connection = await self._pool.acquire(timeout=WAIT_S)
            try:
                yield connection
            except LOST as error:
                if not isinstance(error, MISTAKES):
                    await self._pool.expire_connections()  # those that nobody uses find out before they are used
                raise
            finally:
                await self._pool.release(connection, timeout=CLOSE_S)

    async def listen(self, channel: str, hear: Callable[[], None]) -> None:
        """Call `hear` for each notification, on a connection of its own, until that is lost.

        Raises `Unavailable` when there is none. Behind a pooler nothing is heard, ever.
        """
        if self._is_pooled:
            await asyncio.Event().wait()
        with translated():
            connection = await _connect(self._address.dsn)
            lost = asyncio.Event()
            try:
                connection.add_termination_listener(lambda *_: lost.set())
                await connection.add_listener(channel, lambda *_: hear())
                hear()  # whatever was said before
                await lost.wait()
            finally:
                connection.terminate()

    def check_open(self) -> None:
        """Raise `Unavailable` once it is closed."""
        if self._closed:
            raise Unavailable

    def send_error(self) -> None:
        """Lend no more."""
        self._closed = True

    async def close(self) -> None:
        """Release every connection once it is given back, or after a while without that."""
        self.send_error()
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()


async def _is_pooled(connection: Connection) -> bool:
    """Tell whether something in between lends its own connections, by who answered first and who answers now."""
    return bool(connection.get_server_pid() != await connection.fetchval("SELECT pg_backend_pid()"))


async def connect(dsn: str) -> "asyncpg.Connection[Any]":
    """Make a connection for statements that may take long. Raises `BadAddress`."""
    return await _connect(read(dsn).dsn)


async def _connect(dsn: str) -> "asyncpg.Connection[Any]":
    """Make a connection outside the pool, which works everywhere because it keeps no statement prepared."""
    with reading():
        return await asyncpg.connect(dsn, timeout=CONNECT_S, statement_cache_size=0)


async def _keep(_: object) -> None:
    """Leave a connection as it is when it comes back: nothing here changes a session, and resetting is a round trip."""
