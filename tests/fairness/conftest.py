"""The service on each store, as clients and as followers see it."""

from collections.abc import AsyncIterator

import pytest

from adapters.http.fairness.capacity import Capacity
from domain.ports import Store
from tests.contract.conftest import clock, doors, store
from tests.feed.conftest import service
from tests.http.service import Client, serving

__all__ = ["clock", "doors", "service", "store"]


@pytest.fixture
async def client(store: Store) -> AsyncIterator[Client]:
    """Return a client of the service; at the end nothing may count any more."""
    async with serving(store) as client:
        capacity = client.service.capacity
        yield client
    shares = (capacity.at_work, capacity.followers, capacity.bodies.count, capacity.bodies.bytes)
    assert [0] * 4 == [each.taken for each in shares]


@pytest.fixture
def capacity(client: Client) -> Capacity:
    """Return what the service can do at once."""
    return client.service.capacity
