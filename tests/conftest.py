"""What every test shares."""

import os

import pytest
from hypothesis import settings

from tests.databases import Databases, shared_databases

# `ci` tries the same examples in every run; `explore` looks for new ones, for as long as one cares to wait.
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=100, print_blob=False)
settings.register_profile("explore", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio, which is what the service runs on."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Databases:
    """Return databases on a PostgreSQL server that all tests share."""
    return shared_databases()
