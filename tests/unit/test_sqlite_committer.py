"""The order in which the writer of a SQLite store commits what waits."""

import asyncio
import threading
from pathlib import Path

import pytest

from adapters.sqlite import committer
from adapters.sqlite.store import SqliteStore
from domain.decisions import Done, Outcome
from domain.task import TASK
from tests.builders import batch, create
from tests.faults.conftest import open_store

pytestmark = pytest.mark.anyio


async def started(store: SqliteStore, sizes: list[int]) -> list[asyncio.Task[list[int]]]:
    """Submit a batch of each size while the writer is busy, and return the tasks that wait for their ids."""

    async def ids(size: int) -> list[int]:
        outcome = await store.submit(batch(*(create(TASK) for _ in range(size))))
        assert isinstance(outcome, Outcome)
        return [each.record.id for each in outcome.results if isinstance(each, Done)] if size == 1 else []

    busy, free = threading.Event(), threading.Event()

    def hold(*_: object) -> None:
        busy.set()
        free.wait()

    held = asyncio.ensure_future(store._writer.write(hold))
    assert await asyncio.to_thread(busy.wait)
    tasks = [asyncio.create_task(ids(size)) for size in sizes]
    await asyncio.sleep(0)  # every task has queued its batch then
    free.set()
    await held
    return tasks


async def test_small_batches_wait_for_no_large_one_before_them(tmp_path: Path) -> None:
    """All small batches that wait are committed first, then the large ones, one by one."""
    store = open_store(tmp_path / "backroom.db")
    large = committer.LARGE
    tasks = await started(store, [large, 1, large, 1, large, 1])
    found = [each for task in tasks for each in await task]
    assert [1, 2, 3] == sorted(found)
    await store.close()


async def test_large_batches_that_wait_are_committed_at_the_end(tmp_path: Path) -> None:
    """A store that closes carries out every batch that waits."""
    store = open_store(tmp_path / "backroom.db")
    tasks = await started(store, [committer.LARGE] * 5)
    await store.close()
    await asyncio.gather(*tasks)
    again = open_store(tmp_path / "backroom.db")
    outcome = await again.submit(batch(create(TASK)))
    assert isinstance(outcome, Outcome)
    (result,) = outcome.results
    assert isinstance(result, Done)
    assert 5 * committer.LARGE + 1 == result.record.id
    await again.close()
