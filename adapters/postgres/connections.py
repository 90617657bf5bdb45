"""Reaching the database, and saying in the domain's words what goes wrong with it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from domain.errors import StorageFull, Unavailable

POOL_SIZE = 10
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

# The connection, or the server behind it, is not one to write to any more; so, likely, are its siblings in the pool.
_LOST = (
    OSError,  # also a timeout
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutdown, crash, starting up, cancelled
    asyncpg.PostgresSystemError,
    asyncpg.ReadOnlySQLTransactionError,  # demoted to a standby
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InternalClientError,  # no host accepts writes; or an answer that makes no sense
    asyncpg.InterfaceError,  # the connection is closed
)
_BUSY = (
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,  # a deadlock, or a serialization failure
    asyncpg.LockNotAvailableError,
)
_MISTAKES = (asyncpg.DataError, asyncpg.exceptions.UnsupportedClientFeatureError)  # ours, though they are of `_LOST`


class BadAddress(Exception):
    """The DSN cannot be read; it says no more, because whatever quotes it may quote its password."""

    def __init__(self) -> None:
        super().__init__("this is no URL of a store")


class Conflict(Exception):
    """Someone else was faster; what was decided has to be decided again."""


@contextmanager
def translated() -> Iterator[None]:
    """Raise the domain's errors for PostgreSQL's, by class, which is by SQLSTATE; never by message."""
    try:
        yield
    except _MISTAKES:
        raise
    except asyncpg.DiskFullError as error:
        raise StorageFull from error
    except (*_LOST, *_BUSY) as error:
        raise Unavailable from error


@contextmanager
def _reading_address() -> Iterator[None]:
    try:
        yield
    except ValueError:
        raise BadAddress from None


@contextmanager
def conflicting(taken: frozenset[str]) -> Iterator[None]:
    """Raise `Conflict` where the database says so, or where a constraint is violated that is among `taken`."""
    try:
        yield
    except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError) as error:
        raise Conflict from error
    except asyncpg.IntegrityConstraintViolationError as error:
        if error.constraint_name not in taken:
            raise
        raise Conflict from error


class Connections:
    """The connections of one process, which are replaced by themselves when they are lost."""

    def __init__(self, dsn: str, *, each: Work) -> None:
        """Prepare to connect, doing something with `each` connection that is lent.

        Two parameters of the DSN are ours, the others are PostgreSQL's. `pool_size` is how many connections this
        process uses at most, beside the one on which it listens. `statement_cache_size` is how many statements each
        keeps prepared. Raises `BadAddress`.
        """
        self._dsn, self._size, self._statements = _parsed(dsn)
        self._each = each
        self._is_pooled = False
        self._closed = False

    async def open(self, *, first: Work) -> None:
        """Connect, doing something `first`, for as long as it takes."""
        with translated():
            connection = await _connect(self._dsn)
            try:
                self._is_pooled = await _is_pooled(connection)
                await first(connection)
            finally:
                await connection.close()
            statements = self._statements
            if statements is None:
                statements = 0 if self._is_pooled else STATEMENTS
            if self._is_pooled:
                _log.warning(POOLED, statements)
            self._pool = await asyncpg.create_pool(
                self._dsn,
                timeout=CONNECT_S,
                statement_cache_size=statements,
                command_timeout=COMMAND_S,
                min_size=0,
                max_size=self._size,
                init=self._each,
                reset=_keep,
            )

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Connection]:
        """Lend a connection. Raises the domain's errors for whatever goes wrong with it."""
        self.check_open()
        with translated():
            connection = await self._pool.acquire(timeout=WAIT_S)
            try:
                yield connection
            except _LOST as error:
                if not isinstance(error, _MISTAKES):
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
            connection = await _connect(self._dsn)
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
    return await _connect(_parsed(dsn)[0])


async def _connect(dsn: str) -> "asyncpg.Connection[Any]":
    """Make a connection outside the pool, which works everywhere because it keeps no statement prepared."""
    with _reading_address():
        return await asyncpg.connect(dsn, timeout=CONNECT_S, statement_cache_size=0)


def _parsed(dsn: str) -> tuple[str, int, int | None]:
    """Return a DSN without what is ours, the size of the pool, and how many statements to keep, if it says so."""
    with _reading_address():
        parts = urlsplit(dsn)
        parameters = {"target_session_attrs": "read-write", **dict(parse_qsl(parts.query, keep_blank_values=True))}
        size = int(parameters.pop("pool_size", POOL_SIZE))
        kept = parameters.pop("statement_cache_size", None)
        return urlunsplit(parts._replace(query=urlencode(parameters))), size, None if kept is None else int(kept)


async def _keep(_: object) -> None:
    """Leave a connection as it is when it comes back: nothing here changes a session, and resetting is a round trip."""
