"""A PostgreSQL without advisory locks, LISTEN and NOTIFY. Its part of the contract is in `tests/contract`."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from adapters.postgres import notifier
from adapters.postgres.store import PostgresStore
from domain.task import TASK
from tests.contract.steps import fill
from tests.databases import Databases, open_store
from tests.postgres.lesser import lesser

pytestmark = pytest.mark.anyio


@pytest.fixture
async def dsn(postgres: Databases, tmp_path: Path) -> AsyncIterator[str]:
    """Give the URL of a database with less."""
    async with lesser(postgres, tmp_path) as dsn:
        yield dsn


@pytest.fixture
async def store(dsn: str) -> AsyncIterator[PostgresStore]:
    """Open a store in it."""
    store = await open_store(dsn)
    yield store
    await store.close()


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("LISTEN backroom", asyncpg.FeatureNotSupportedError),
        ("NOTIFY backroom", asyncpg.FeatureNotSupportedError),
        ("SELECT pg_notify('backroom', '')", asyncpg.InsufficientPrivilegeError),
        ("SELECT pg_advisory_xact_lock(1)", asyncpg.InsufficientPrivilegeError),
        ("SELECT pg_try_advisory_lock(1, 2)", asyncpg.InsufficientPrivilegeError),
    ],
)
async def test_what_was_taken_away(dsn: str, statement: str, error: type[Exception]) -> None:
    """The database refuses it in either protocol, so the tests with it prove something."""
    connection = await asyncpg.connect(dsn)
    for ask in (connection.execute, connection.fetch):
        with pytest.raises(error):
            await ask(statement)
    await connection.close()


async def test_followers_look_by_themselves(
    store: PostgresStore, dsn: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The start says once what is missing; after that a waiting reader finds what others write, without a word."""
    monkeypatch.setattr(notifier, "LOOK_AGAIN_S", 0.02)
    with caplog.at_level(logging.WARNING):
        other = await open_store(dsn)
        for _ in range(3):
            watching = asyncio.create_task(store.wait_for_changes(await store.head()))
            await fill(other, TASK, {})
            await watching
        await other.close()
    (said,) = caplog.messages
    assert "refuses LISTEN or NOTIFY (LISTEN and NOTIFY are not supported)" in said
