"""Exports that only PostgreSQL has: of a copied database, and with a lost server."""

from pathlib import Path

import asyncpg
import pytest

from adapters.postgres.exporting import exporting
from adapters.postgres.store import PostgresStore
from domain.changes import Cursor
from domain.errors import CursorExpired
from domain.registry import ENTITY_TYPES
from domain.task import TASK
from tests.builders import Clock, create
from tests.contract.locations import moved, opened
from tests.contract.steps import fill, trail
from tests.postgres.transactions import Open

pytestmark = pytest.mark.anyio

_END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


async def test_a_copied_database(
    store: PostgresStore, dsn: str, connection: "asyncpg.Connection[asyncpg.Record]", tmp_path: Path
) -> None:
    """After a move of a copied database, cursors from before the copy are valid and later ones have expired."""
    await fill(store, TASK, {})
    before = await store.head()
    await connection.execute("UPDATE log_names SET home = 'elsewhere'")
    await moved(dsn, f"sqlite:///{tmp_path}/to.db")
    copy = await opened(f"sqlite:///{tmp_path}/to.db", Clock())
    await fill(copy, TASK, {})
    assert [("task.created", 2, 1)] == await trail(copy, before)
    with pytest.raises(CursorExpired):
        await copy.read(Cursor(before[:-1] + "2"))
    await copy.close()


async def test_uncommitted_changes_do_not_move(store: PostgresStore, dsn: str, slow: Open, tmp_path: Path) -> None:
    """A change committed after the snapshot does not move, and its cursor has expired in the copy."""
    await fill(store, TASK, {})
    before = await store.head()
    await slow.carry_out(create(TASK))
    await moved(dsn, f"sqlite:///{tmp_path}/to.db")
    await slow.commit()
    copy = await opened(f"sqlite:///{tmp_path}/to.db", Clock())
    await fill(copy, TASK, {})
    assert 1 == len(await trail(copy, before))
    with pytest.raises(CursorExpired):
        await copy.read(await store.head())
    await copy.close()


async def test_it_does_not_matter_how_it_ends(store: PostgresStore, dsn: str) -> None:
    """A move succeeds even if the source is lost after its last part."""
    await fill(store, TASK, {})
    async with exporting(dsn, entity_types=ENTITY_TYPES) as export:
        assert 2 == await export.size()
        ender = await asyncpg.connect(dsn)
        await ender.execute(_END_OTHERS)
        await ender.close()
