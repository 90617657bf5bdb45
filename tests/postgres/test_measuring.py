"""Measuring a database: its size, and how the connections of this process are used."""

import asyncio

import pytest

from adapters.postgres.store import PostgresStore
from domain.queries import Query
from domain.task import TASK

pytestmark = pytest.mark.anyio


async def test_size(store: PostgresStore) -> None:
    """The size is that of the database; there is no file to say more of."""
    found = await store.measure()
    assert found.size is not None
    assert found.size > 1_000_000
    assert (None, None) == (found.wal, found.free)


async def test_connections(store: PostgresStore) -> None:
    """A connection is used while it is lent, and idle afterwards."""
    async with store._connections.use():
        used = store.connections
    idle = store.connections
    assert (1, 0) == (used.used - idle.used, idle.used)
    assert (idle.idle, used.most) == (used.idle + 1, idle.most)
    await asyncio.gather(*(store.page(Query(entity_type=TASK)) for _ in range(50)))
    assert 0 < store.connections.idle <= store.connections.most
