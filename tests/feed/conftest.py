"""Each store, as two processes open it, and the service in each of them."""

from collections.abc import AsyncIterator

import pytest

from domain.ports import Store
from tests.contract.conftest import clock, other, pytest_generate_tests, store, stores
from tests.feed.service import Service, serving

__all__ = ["clock", "elsewhere", "other", "pytest_generate_tests", "service", "store", "stores"]


@pytest.fixture
async def service(store: Store) -> AsyncIterator[Service]:
    """Return the service in the first process."""
    async with serving(store) as served:
        yield served


@pytest.fixture
async def elsewhere(other: Store) -> AsyncIterator[Service]:
    """Return the service in the second process."""
    async with serving(other) as served:
        yield served
