"""A service on a store in memory, and an assistant that uses it."""

from collections.abc import AsyncIterator

import pytest

from adapters.memory.store import MemoryStore
from domain.ports import Store
from tests.builders import SERIALIZER, Clock
from tests.http.service import Client, serving
from tests.mcp.assistant import Assistant, assisting


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    """Return an empty store."""
    store = MemoryStore(Clock(), SERIALIZER)
    yield store
    await store.close()


@pytest.fixture
async def service(store: Store) -> AsyncIterator[Client]:
    """Return a client of the service, which checks that each answer is as documented. It stands for a person."""
    async with serving(store) as client:
        yield client


@pytest.fixture
async def assistant(service: Client) -> AsyncIterator[Assistant]:
    """Return an assistant who may do everything."""
    async with assisting(service) as assistant:
        yield assistant
