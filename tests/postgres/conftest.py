"""An empty store in PostgreSQL for each test, and a second way into its database."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from adapters.postgres.store import PostgresStore
from tests.builders import Clock
from tests.databases import SHARED, Databases, fresh_store
from tests.postgres.transactions import Open


@pytest.fixture
def clock() -> Clock:
    """Return the clock of the store, which only the test turns."""
    return Clock()


@pytest.fixture
async def store(postgres: Databases, clock: Clock) -> AsyncIterator[PostgresStore]:
    """Open an empty store."""
    async with fresh_store(postgres, clock) as store:
        yield store


@pytest.fixture
def dsn(postgres: Databases, store: PostgresStore) -> str:
    """Return where the store is."""
    del store  # it must have made the schema
    return postgres.server.dsn(SHARED)


@pytest.fixture
async def connection(dsn: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Connect to the database of the store, past the store."""
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def slow(store: PostgresStore, connection: "asyncpg.Connection[asyncpg.Record]") -> AsyncIterator[Open]:
    """Give a transaction of another process that is slow to commit."""
    transaction = Open(store, connection)
    yield transaction
    await transaction.rollback()
