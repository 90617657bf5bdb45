"""What the tests of the HTTP side share."""

import logging
from collections.abc import Iterator

import pytest

from tests.protocol.wire import Reporter


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Run on the event loop that the server uses."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture
def silence(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Check that the client could not make the server complain in its log."""
    yield
    assert [] == [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.WARNING]


@pytest.fixture
def reporter() -> Reporter:
    """An application that tells what it got."""
    return Reporter()
