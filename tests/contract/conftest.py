"""Each store in turn, new and empty for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.ports import Store
from tests.builders import Clock
from tests.contract.stores import STORES, Doors


@pytest.fixture
def clock() -> Clock:
    """Return the clock of the store; only the test sets it."""
    return Clock()


@pytest.fixture(params=STORES)
async def doors(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> AsyncIterator[Doors]:
    """Open each store as two callers do."""
    async with STORES[request.param](tmp_path, clock) as opened:
        yield opened


@pytest.fixture
def store(doors: Doors) -> Store:
    """Return the store as the first caller opened it."""
    return doors[0]


@pytest.fixture
def other(doors: Doors) -> Store:
    """Return the same store as another caller opened it."""
    return doors[1]
