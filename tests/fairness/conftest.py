"""The service on each store, for clients and for followers."""

from collections.abc import AsyncIterator

import pytest

from adapters.http.fairness.capacity import Capacity
from domain.ports import Store
from tests.contract.conftest import clock, pytest_generate_tests, store, stores
from tests.feed.conftest import service
from tests.http.service import Client, serving

__all__ = ["clock", "pytest_generate_tests", "service", "store", "stores"]


@pytest.fixture
async def client(store: Store) -> AsyncIterator[Client]:
    """Return a client of the service. At the end, no request may still be counted."""
    async with serving(store) as client:
        capacity = client.service.capacity
        yield client
    shares = (capacity.at_work, capacity.followers, capacity.bodies.count, capacity.bodies.bytes)
    assert [0] * 4 == [each.taken for each in shares]


@pytest.fixture
def capacity(client: Client) -> Capacity:
    """Return the limits of the service."""
    return client.service.capacity
