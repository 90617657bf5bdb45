"""An event loop that ends while its callers wait."""

import asyncio
import threading
from pathlib import Path

from domain.decisions import Outcome
from domain.task import TASK
from tests.builders import batch, create
from tests.faults.conftest import open_store
from tests.faults.slow import Slow


def test_the_writer_outlives_the_loops_of_its_callers(path: Path) -> None:
    """A loop that closes before its response arrives affects no other caller."""
    store = open_store(path)
    begun, let_go = threading.Event(), threading.Event()

    async def leave() -> None:
        watching = asyncio.create_task(store.wait_for_changes(await store.head()))
        waiting = asyncio.create_task(store.submit(batch(Slow(begun, let_go))))
        await asyncio.to_thread(begun.wait)
        for task in (watching, waiting):
            task.cancel()

    async def come() -> None:
        assert isinstance(await store.submit(batch(create(TASK))), Outcome)
        await store.close()

    asyncio.run(leave())
    let_go.set()
    asyncio.run(come())
