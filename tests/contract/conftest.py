"""Each store in turn, new and empty for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.ports import Store
from tests.builders import Clock
from tests.contract.stores import STORES, Stores, lesser_postgres


@pytest.fixture
def clock() -> Clock:
    """Return the clock of the store; only the test sets it."""
    return Clock()


LESSER = "lesser postgres"
OF_LESSER = {"test_entities", "test_races", "test_submitting", "test_upserts", "test_keys", "test_log"}
"""What is also tested on a PostgreSQL with less, by the names of modules: what waits, locks, and follows."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the stores of each test."""
    if "stores" in metafunc.fixturenames:
        with_lesser = metafunc.module.__name__.rpartition(".")[2] in OF_LESSER
        metafunc.parametrize("stores", [*STORES, *([LESSER] if with_lesser else [])], indirect=True)


@pytest.fixture
async def stores(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> AsyncIterator[Stores]:
    """Open each store as two callers do."""
    opener = lesser_postgres if request.param == LESSER else STORES[request.param]
    async with opener(tmp_path, clock) as opened:
        yield opened


@pytest.fixture
def store(stores: Stores) -> Store:
    """Return the store as the first caller opened it."""
    return stores[0]


@pytest.fixture
def other(stores: Stores) -> Store:
    """Return the same store as another caller opened it."""
    return stores[1]
