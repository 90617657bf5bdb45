"""New databases on a real server, each with the schema already in it, and stores on them."""

import atexit
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from datetime import datetime
from functools import cache
from itertools import count

import asyncpg
import pytest
from attrs import define, field

from adapters.postgres.store import PostgresStore
from domain.registry import ENTITY_TYPES
from tests.builders import SERIALIZER, Clock
from tests.postgres_server import Server, running

SHARED = "shared"

_TABLES = ("changes", "receipts", "log_names", "positions", "former_cursors", "retention", "access_keys", "calendars")
_EMPTY = "; ".join(
    [
        "; ".join(f"DELETE FROM {each}" for each in _TABLES),
        "DELETE FROM forgotten WHERE kind <> ''; UPDATE forgotten SET number = 0",
        *(
            f"DELETE FROM {entity_type.collection}; ALTER SEQUENCE {entity_type.collection}_ids RESTART"
            for entity_type in ENTITY_TYPES
        ),
    ]
)


@cache
def shared_databases() -> "Databases":
    """Start a server, the first time, that stops when the tests have ended."""
    stack = ExitStack()
    atexit.register(stack.close)
    return Databases(stack.enter_context(running()))


async def open_store(
    dsn: str, clock: Callable[[], datetime] | None = None, on_untrustworthy: Callable[[str], None] = pytest.fail
) -> PostgresStore:
    """Open a store."""
    return await PostgresStore.open(
        dsn,
        entity_types=ENTITY_TYPES,
        documents=SERIALIZER,
        clock=clock or Clock(),
        on_untrustworthy=on_untrustworthy,
    )


@define
class Databases:
    """Makes databases on one server."""

    server: Server
    _numbers: "count[int]" = field(factory=count, init=False)
    _made: set[str] = field(factory=set, init=False)

    @asynccontextmanager
    async def blank(self) -> AsyncIterator[str]:
        """Give the DSN of a new database, which is gone afterwards."""
        name = f"test{next(self._numbers)}"
        await self.execute(f"CREATE DATABASE {name}")
        yield self.server.dsn(name)
        await self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    async def empty(self, name: str = SHARED, *, dsn: str | None = None, prepared_by: tuple[str, ...] = ()) -> str:
        """Return the DSN of a database with an empty store, for a name always the same: emptying is quicker.

        A new database is prepared by statements of the superuser, before a store is opened at `dsn`.
        """
        dsn = dsn or self.server.dsn(name)
        if name not in self._made:
            await self.execute(f"CREATE DATABASE {name}")
            for sql in prepared_by:
                await self.execute(sql, name)
            await (await open_store(dsn)).close()
            self._made.add(name)
        await self.execute(_EMPTY, name)
        return dsn

    async def execute(self, sql: str, database: str = "postgres") -> None:
        """Execute statements as the server's superuser."""
        connection = await asyncpg.connect(self.server.dsn(database))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


@asynccontextmanager
async def fresh_store(databases: Databases, clock: Callable[[], datetime]) -> AsyncIterator[PostgresStore]:
    """Give an empty store."""
    store = await open_store(await databases.empty(), clock)
    yield store
    await store.close()
