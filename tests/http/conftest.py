"""The service on one store at a time, new and empty for each test."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from domain.ports import Store
from tests.builders import Clock
from tests.contract.stores import STORES, Stores
from tests.http.service import Client, serving

IN_MEMORY = Path("/dev/shm")


@pytest.fixture
def clock() -> Clock:
    """Return the clock of the store. Only the test moves it."""
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return a folder, in memory if possible: other tests prove that writes last, and that takes time."""
    if not os.access(IN_MEMORY, os.W_OK):
        yield tmp_path
        return
    with TemporaryDirectory(dir=IN_MEMORY) as folder:
        yield Path(folder)


@pytest.fixture(params=STORES)
async def stores(request: pytest.FixtureRequest, folder: Path, clock: Clock) -> AsyncIterator[Stores]:
    """Open each store as two processes do."""
    async with STORES[request.param](folder, clock) as opened:
        yield opened


@pytest.fixture
def store(stores: Stores) -> Store:
    """Return the store as the first process opened it."""
    return stores[0]


@pytest.fixture
async def client(store: Store) -> AsyncIterator[Client]:
    """Return a client of the service with its usual options."""
    async with serving(store) as client:
        yield client


@pytest.fixture
async def other(stores: Stores) -> AsyncIterator[Client]:
    """Return a client of the same service in another process."""
    async with serving(stores[1]) as client:
        yield client
