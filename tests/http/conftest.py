"""The service on one store at a time, new and empty for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backroom.domain.ports import Store
from tests.builders import Clock
from tests.contract.stores import STORES, Doors
from tests.http.service import Client, serving


@pytest.fixture
def clock() -> Clock:
    """Return the clock of the store, which only the test turns."""
    return Clock()


@pytest.fixture(params=STORES)
async def doors(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> AsyncIterator[Doors]:
    """Open each store as two processes do."""
    async with STORES[request.param](tmp_path, clock) as opened:
        yield opened


@pytest.fixture
def store(doors: Doors) -> Store:
    """Return the store as the first process opened it."""
    return doors[0]


@pytest.fixture
async def client(store: Store) -> AsyncIterator[Client]:
    """Return a client of the service with its usual options."""
    async with serving(store) as client:
        yield client


@pytest.fixture
async def other(doors: Doors) -> AsyncIterator[Client]:
    """Return a client of the same service in another process."""
    async with serving(doors[1]) as client:
        yield client
