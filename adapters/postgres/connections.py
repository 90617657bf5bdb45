"""Connections to the database: a pool that replaces lost ones."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any, TypeAlias

import asyncpg

from adapters.postgres.address import read, reading
from adapters.postgres.errors import LOST, MISTAKES, explaining, translated
from adapters.postgres.hosts import Hosts
from domain.errors import Unavailable
from domain.measurements import ConnectionUse, WaitObserver, unnoticed

WAIT_S = 5
"""How long a caller waits for a connection before an error."""

CONNECT_S = 4
"""How long to try all hosts for a connection of the pool. Less than `WAIT_S`, so that the last one has its turn."""

OPEN_S = 10
"""How long to try all hosts where no request waits: at the start, and in commands. A busy machine may be slow."""

COMMAND_S = 10
CLOSE_S = 5

STATEMENTS = 100
"""How many statements each connection keeps prepared."""

_log = logging.getLogger("backroom")

POOLED = (
    "PostgreSQL is behind a pooler: followers learn within a second of what other processes write, and each connection"
    " keeps %d statements prepared (statement_cache_size in BACKROOM_STORE)"
)

_TELL = "SELECT pg_notify($1, '')"
SILENT = "PostgreSQL refuses LISTEN or NOTIFY (%s): followers learn within a second of what other processes write"

Connection: TypeAlias = "asyncpg.Connection[Any] | asyncpg.pool.PoolConnectionProxy[Any]"
Work: TypeAlias = "Callable[[asyncpg.Connection[Any]], Coroutine[Any, Any, None]]"


class Connections:
    """The connections of one process; the pool replaces lost ones."""

    def __init__(self, dsn: str, *, each: Work, on_wait: WaitObserver = unnoticed) -> None:
        """Prepare to connect; `each` runs on every new connection of the pool.

        Raises `BadAddress`.
        """
        self._address = read(dsn)
        self._hosts = Hosts(self._address.dsns)
        self._each = each
        self._on_wait = on_wait
        self._long = asyncio.Semaphore(max(1, self._address.pool_size // 2))
        self._is_pooled = False
        self._is_silent = False
        self._closed = False

    async def open(self, *, first: Work, channel: str) -> None:
        """Connect and run `first`, without a time limit, before the pool opens; `channel` is for notifications."""
        with explaining():
            connection = await _connect(self._hosts)
            try:
                self._is_pooled = await _is_pooled(connection)
                refused = await _refusal(connection, channel)
                self._is_silent = refused is not None
                await first(connection)
            finally:
                await connection.close()
            statements = self._address.statements
            if statements is None:
                statements = 0 if self._is_pooled else STATEMENTS
            if self._is_pooled:
                _log.warning(POOLED, statements)
            elif refused is not None:
                _log.warning(SILENT, refused)
            self._pool = await asyncpg.create_pool(
                connect=self._connect_of_pool,
                statement_cache_size=statements,
                command_timeout=COMMAND_S,
                min_size=0,
                max_size=self._address.pool_size,
                init=self._each,
                reset=_keep,
            )

    async def _connect_of_pool(self, *_: Any, **options: Any) -> "asyncpg.Connection[Any]":
        return await self._hosts.connect(within=CONNECT_S, **options)

    @asynccontextmanager
    async def use_for_long(self) -> AsyncIterator[Connection]:
        """Lend a connection for a statement that may take long, but only half of all at once; the rest is for others.

        If it takes longer than `COMMAND_S`, it alone fails.
        """
        with translated(tell=True):
            async with asyncio.timeout(WAIT_S):
                await self._long.acquire()
        try:
            async with self.use(may_take_long=True) as connection:
                yield connection
        finally:
            self._long.release()

    @asynccontextmanager
    async def use(self, *, may_take_long: bool = False) -> AsyncIterator[Connection]:
        """Lend a connection. Raises the domain's errors if it fails."""
        self.check_open()
        with translated(tell=True):
            began = perf_counter()
            connection = await self._pool.acquire(timeout=WAIT_S)
            self._on_wait(perf_counter() - began)
            try:
                yield connection
            except LOST as error:
                is_its_own_fault = isinstance(error, MISTAKES) or (may_take_long and isinstance(error, TimeoutError))
                if not is_its_own_fault:
                    await self._pool.expire_connections()  # the pool replaces idle connections before their next use
                raise
            finally:
                await self._pool.release(connection, timeout=CLOSE_S)

    @property
    def is_pooled(self) -> bool:
        """Whether a pooler is in between, behind which no session belongs to one client."""
        return self._is_pooled

    @property
    def in_use(self) -> ConnectionUse:
        """How many of the pool's connections are in use."""
        open_now, idle = self._pool.get_size(), self._pool.get_idle_size()
        return ConnectionUse(used=open_now - idle, idle=idle, most=self._pool.get_max_size())

    async def tell(self, channel: str) -> None:
        """Notify those who listen, if the server can do that."""
        if not self._is_silent:
            async with self.use() as connection:
                await connection.execute(_TELL, channel)

    async def listen(self, channel: str, hear: Callable[[], None]) -> None:
        """Call `hear` for each notification, on a dedicated connection, until that is lost.

        Raises `Unavailable` if it cannot connect. Behind a pooler it never hears anything, nor if the server refuses.
        """
        if self._is_pooled or self._is_silent:
            await asyncio.Event().wait()
        with translated():
            connection = await _connect(self._hosts)
            lost = asyncio.Event()
            try:
                connection.add_termination_listener(lambda *_: lost.set())
                await connection.add_listener(channel, lambda *_: hear())
                hear()  # for notifications before this
                await lost.wait()
            finally:
                connection.terminate()

    def check_open(self) -> None:
        """Raise `Unavailable` once closed."""
        if self._closed:
            raise Unavailable

    def refuse(self) -> None:
        """Lend no more connections."""
        self._closed = True

    async def close(self) -> None:
        """Close every connection when it is returned, or after `CLOSE_S` anyway."""
        self.refuse()
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()


async def _is_pooled(connection: Connection) -> bool:
    """Return whether a pooler is in between: the server process at connecting and the one now differ."""
    return bool(connection.get_server_pid() != await connection.fetchval("SELECT pg_backend_pid()"))


async def _refusal(connection: Connection, channel: str) -> BaseException | None:
    """Return the error with which the server refuses to listen or to notify, or None."""
    try:
        await connection.execute(f"LISTEN {channel}; UNLISTEN {channel}")
        await connection.execute(_TELL, channel)
    except (asyncpg.FeatureNotSupportedError, asyncpg.SyntaxOrAccessError) as error:
        return error
    return None


async def connect(dsn: str) -> "asyncpg.Connection[Any]":
    """Open a connection for slow statements. Raises `BadAddress`."""
    return await _connect(Hosts(read(dsn).dsns))


async def _connect(hosts: Hosts) -> "asyncpg.Connection[Any]":
    """Open a connection outside the pool. It keeps no prepared statements, so it works behind any pooler."""
    with reading():
        return await hosts.connect(within=OPEN_S, statement_cache_size=0)


async def _keep(_: object) -> None:
    """Keep a returned connection as it is: nothing here changes a session, and a reset costs a round trip."""
