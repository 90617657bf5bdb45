"""Each store in turn, new and empty for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.ports import Store
from tests.builders import Clock
from tests.contract.stores import STORES, Stores


@pytest.fixture
def clock() -> Clock:
    """Return the clock of the store; only the test sets it."""
    return Clock()


@pytest.fixture(params=STORES)
async def stores(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> AsyncIterator[Stores]:
    """Open each store as two callers do."""
    async with STORES[request.param](tmp_path, clock) as opened:
        yield opened


@pytest.fixture
def store(stores: Stores) -> Store:
    """Return the store as the first caller opened it."""
    return stores[0]


@pytest.fixture
def other(stores: Stores) -> Store:
    """Return the same store as another caller opened it."""
    return stores[1]
