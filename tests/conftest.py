"""What every test shares."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.databases import Databases
from tests.postgres_server import running

# `ci` tries the same examples in every run; `explore` looks for new ones, for as long as one cares to wait.
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=100, print_blob=False)
settings.register_profile("explore", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio, which is what the service runs on."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Databases]:
    """Run a PostgreSQL server for all tests that ask for one, with databases for each of them."""
    with running() as server:
        yield Databases(server)
