"""A source and a target for each pair of stores, and a store in the source."""

from collections.abc import AsyncIterator, Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from domain.ports import Store
from tests.builders import Clock
from tests.contract.locations import LOCATIONS, NAMES, moved, opened

PAIRS = list(product(LOCATIONS, LOCATIONS))


@pytest.fixture(params=PAIRS, ids="-".join)
async def urls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Return an empty source and target, for each pair of stores."""
    left, right = (LOCATIONS[name] for name in request.param)
    return await left(tmp_path, NAMES[0]), await right(tmp_path, NAMES[1])


@pytest.fixture
def source(urls: tuple[str, str]) -> str:
    """Return the URL of the source."""
    return urls[0]


@pytest.fixture
def target(urls: tuple[str, str]) -> str:
    """Return the URL of the target."""
    return urls[1]


@pytest.fixture
def clock() -> Clock:
    """Return the clock of all stores."""
    return Clock()


@pytest.fixture
async def store(source: str, clock: Clock) -> AsyncIterator[Store]:
    """Open the store that will be moved."""
    store = await opened(source, clock)
    yield store
    await store.close()


@pytest.fixture
async def arrived(source: str, target: str, clock: Clock) -> AsyncIterator[Callable[[], Any]]:
    """Yield a function that moves the store and opens the copy."""
    stores: list[Store] = []

    async def arrive() -> Store:
        await moved(source, target)
        stores.append(await opened(target, clock))
        return stores[-1]

    yield arrive
    for each in stores:
        await each.close()
