"""A database after an import: it is like one that was never moved."""

from pathlib import Path

import asyncpg
import pytest

from adapters.postgres import importing
from adapters.postgres.store import PostgresStore
from domain.errors import Unavailable
from domain.registry import ENTITY_TYPES
from domain.task import TASK
from entrypoints.stores import exporting
from tests.builders import SERIALIZER, Clock
from tests.contract.locations import moved, opened
from tests.contract.steps import fill
from tests.databases import Databases

pytestmark = pytest.mark.anyio

_SCHEMA = """
SELECT pg_get_indexdef(indexrelid), indisvalid FROM pg_index JOIN pg_class ON oid = indrelid
WHERE relnamespace = 'public'::regnamespace ORDER BY 1
"""


async def test_the_schema_is_whole(postgres: Databases, tmp_path: Path) -> None:
    """After an import every index exists again, and the planner has statistics."""
    source = f"sqlite:///{tmp_path}/from.db"
    store = await opened(source, Clock())
    await fill(store, TASK, *({} for _ in range(1000)))
    await store.close()
    async with postgres.blank() as target, postgres.blank() as fresh:
        await (await opened(fresh, Clock())).close()
        await moved(source, target)
        there, new = await asyncpg.connect(target), await asyncpg.connect(fresh)
        assert await new.fetch(_SCHEMA) == await there.fetch(_SCHEMA)
        assert 1000 == await there.fetchval("SELECT reltuples FROM pg_class WHERE relname = 'tasks'")
        await there.close()
        await new.close()


async def test_somebody_uses_the_store(
    store: PostgresStore,
    dsn: str,
    connection: "asyncpg.Connection[asyncpg.Record]",
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An import waits for other users for a limited time, then fails with nothing written."""
    monkeypatch.setattr(importing, "_LIMITS", "SET LOCAL lock_timeout = '50ms'")
    source = f"sqlite:///{tmp_path}/from.db"
    other = await opened(source, Clock())
    await fill(other, TASK, {})
    await other.close()
    await store.close()
    await connection.execute("BEGIN; SELECT FROM tasks")
    with pytest.raises(Unavailable) as raised:
        await moved(source, dsn)
    assert "lock timeout" in str(raised.value.__cause__)
    await connection.execute("COMMIT")
    assert "" == await connection.fetchval("SELECT coalesce(string_agg(kind, ','), '') FROM changes")
    await moved(source, dsn)
    assert "task" == await connection.fetchval("SELECT string_agg(kind, ',') FROM changes")


async def test_the_server_is_lost_before_the_commit(
    postgres: Databases, store: PostgresStore, dsn: str, tmp_path: Path
) -> None:
    """A failed commit raises the domain's error."""
    await store.close()
    source = f"sqlite:///{tmp_path}/from.db"
    await (await opened(source, Clock())).close()

    async with (
        exporting(source) as export,
        importing.importing(dsn, entity_types=ENTITY_TYPES, documents=SERIALIZER) as importer,
    ):
        async for part in export.read():
            await importer.write(part)
        await postgres.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'"
        )
        with pytest.raises(Unavailable):
            await importer.commit()
    await moved(source, dsn)
