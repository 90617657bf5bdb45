"""What every test shares."""

import os
import subprocess
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from hypothesis import settings

from tests import secrecy
from tests.databases import Databases, shared_databases

subprocess.Popen = secrecy.Overheard  # type: ignore[misc]

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
    """Return databases on a PostgreSQL server that all tests share."""
    databases = shared_databases()
    yield databases
    secrecy.note("the log of PostgreSQL", (databases.server.directory / "server.log").read_bytes())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that left a secret behind."""
    report = yield
    if report.when == "teardown" and report.passed and isinstance(item, pytest.Function):
        folder: Any = item.funcargs.get("tmp_path")
        if found := secrecy.left_behind(report, folder):
            report.outcome, report.longrepr = "failed", "\n".join(found)
    return report
