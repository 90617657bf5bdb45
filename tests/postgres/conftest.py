"""An empty store in PostgreSQL for each test, and a direct connection to its database."""

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
    """Return the URL of the store."""
    del store  # it must first create the schema
    return postgres.server.dsn(SHARED)


@pytest.fixture
async def connection(dsn: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Connect directly to the database of the store."""
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def slow(store: PostgresStore, connection: "asyncpg.Connection[asyncpg.Record]") -> AsyncIterator[Open]:
    """Yield a slow transaction of another process."""
    transaction = Open(store, connection)
    yield transaction
    await transaction.rollback()
