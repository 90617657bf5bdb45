"""The stores that keep the contract. A store takes part with a function that opens it, and its line at the end."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.memory.store import MemoryStore
from adapters.sqlite.store import SqliteStore
from domain.ports import Store
from domain.registry import ENTITY_TYPES
from domain.snapshot import SnapshotReader
from entrypoints.stores import exporting
from tests.builders import SERIALIZER
from tests.databases import SHARED, open_store, shared_databases
from tests.postgres.lesser import lesser

Stores = tuple[Store, Store]
"""A store opened by two callers, such as two processes; a store in memory is the same for both."""

Opener = Callable[[Path, Callable[[], datetime]], AbstractAsyncContextManager[Stores]]
"""Opens a new, empty store with a folder of its own and a clock, and closes it."""


@asynccontextmanager
async def memory(_: Path, clock: Callable[[], datetime]) -> AsyncIterator[Stores]:
    """Open a store in memory."""
    store = MemoryStore(clock, SERIALIZER)
    yield store, store
    await store.close()


@asynccontextmanager
async def sqlite(folder: Path, clock: Callable[[], datetime]) -> AsyncIterator[Stores]:
    """Open a store in a file, twice."""
    one, other = (
        SqliteStore(
            folder / "backroom.db",
            entity_types=ENTITY_TYPES,
            documents=SERIALIZER,
            clock=clock,
            on_untrustworthy=pytest.fail,
        )
        for _ in range(2)
    )
    yield one, other
    await one.close()
    await other.close()


@asynccontextmanager
async def postgres(_: Path, clock: Callable[[], datetime]) -> AsyncIterator[Stores]:
    """Open a store in a database of a real server, twice."""
    dsn = await shared_databases().empty()
    one, other = await open_store(dsn, clock), await open_store(dsn, clock)
    yield one, other
    await one.close()
    await other.close()


@asynccontextmanager
async def lesser_postgres(folder: Path, clock: Callable[[], datetime]) -> AsyncIterator[Stores]:
    """Open a store in a database without advisory locks, LISTEN and NOTIFY, twice."""
    async with lesser(shared_databases(), folder) as dsn:
        one, other = await open_store(dsn, clock), await open_store(dsn, clock)
        yield one, other
        await one.close()
        await other.close()


STORES: dict[str, Opener] = {"memory": memory, "sqlite": sqlite, "postgres": postgres}


Snapshot = Callable[[Any, Path], AbstractAsyncContextManager[SnapshotReader]]
"""Opens a snapshot of a store that one of the openers opened in a folder."""


@asynccontextmanager
async def _of_memory(store: MemoryStore, _: Path) -> AsyncIterator[SnapshotReader]:
    yield store.snapshot()


SNAPSHOTS: dict[str, Snapshot] = {
    "memory": _of_memory,
    "sqlite": lambda _, folder: exporting(f"sqlite:///{folder}/backroom.db"),
    "postgres": lambda *_: exporting(shared_databases().server.dsn(SHARED)),
}
