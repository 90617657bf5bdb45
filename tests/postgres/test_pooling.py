"""A transaction pooler between the store and its server: all works, and a warning names the cost."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.postgres import notifier
from adapters.postgres.store import PostgresStore
from domain.queries import Query
from domain.task import TASK
from tests.builders import batch, create
from tests.contract.steps import carry_out, edit, fill, trail, walk
from tests.databases import SHARED, Databases, open_store
from tests.postgres.pooler import pooling

pytestmark = pytest.mark.anyio


@pytest.fixture
async def pooled(
    postgres: Databases, store: PostgresStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[PostgresStore]:
    """Open the store a second time, through a pooler."""
    del store  # it must first create the schema
    async with pooling(postgres.server.directory, tmp_path):
        with caplog.at_level(logging.WARNING):
            pooled = await open_store(f"postgresql:///{SHARED}?user=postgres&host={tmp_path}")
        yield pooled
        await pooled.close()


async def test_everything_works(pooled: PostgresStore) -> None:
    """Concurrent reads and writes work through a pooler, with and without conflicts."""
    await fill(pooled, TASK, *({"title": f"t{number}"} for number in range(30)))
    await asyncio.gather(
        *(carry_out(pooled, edit(TASK, 1, notes=str(number))) for number in range(20)),
        *(pooled.submit(batch(*(create(TASK) for _ in range(25)))) for _ in range(4)),
        *(pooled.page(Query(entity_type=TASK, search="t1")) for _ in range(20)),
        *(pooled.get(TASK, 1) for _ in range(20)),
    )
    assert 130 == len(await walk(pooled, Query(entity_type=TASK)))
    assert 21 == len([id for _, id, _ in await trail(pooled) if id == 1])


async def test_what_others_write_is_seen(
    store: PostgresStore, pooled: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a pooler a waiting reader finds changes by its own regular looks."""
    monkeypatch.setattr(notifier, "LOOK_AGAIN_S", 0.02)
    watching = asyncio.create_task(pooled.wait_for_changes(await pooled.head()))
    await fill(store, TASK, {})
    await watching
    assert [("task.created", 1, 1)] == await trail(pooled)


async def test_it_is_said(pooled: PostgresStore, caplog: pytest.LogCaptureFixture) -> None:
    """A pooler is logged once at the start, with what it slows down; without a pooler nothing is logged."""
    del pooled
    (said,) = [each.getMessage() for each in caplog.get_records("setup")]
    assert "behind a pooler" in said
    assert "keeps 0 statements prepared" in said
