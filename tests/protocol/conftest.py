"""Fixtures that the protocol tests share."""

import logging
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.protocol.sockets import Echo
from tests.protocol.wire import Reporter, Running, running


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Run on the event loop that the server uses."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture
def silence(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Check that the client caused no complaint in the server's log."""
    yield
    assert [] == [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.WARNING]


@pytest.fixture
def reporter() -> Reporter:
    """An application that reports what it received."""
    return Reporter()


@pytest.fixture
async def echo() -> Echo:
    """An application that echoes messages."""
    return Echo()


@pytest.fixture
async def server(echo: Echo) -> AsyncIterator[Running]:
    """A server whose application echoes messages."""
    async with running(echo) as run:
        yield run
