"""A copied database: the log goes on under a new name, and old cursors keep their meaning."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from adapters.postgres.store import PostgresStore
from domain.changes import Cursor
from domain.commands import Delete
from domain.errors import BadCursor, CursorExpired
from domain.queries import Query
from domain.task import TASK
from domain.webhook import WEBHOOK
from tests.builders import LATER, create
from tests.contract.steps import carry_out, edit, fill, positions_of, trail
from tests.databases import SHARED, Databases, open_store

pytestmark = pytest.mark.anyio


@pytest.fixture
async def copied(postgres: Databases) -> AsyncIterator[str]:
    """Return the URL of a future copy; nobody may use the database while it is made."""
    yield postgres.server.dsn("copy")
    await postgres.execute("DROP DATABASE IF EXISTS copy")


async def test_a_copy_has_another_name(postgres: Databases, store: PostgresStore, copied: str) -> None:
    """Cursors from before a copy are valid in both databases; later cursors only in the database that gave them."""
    await fill(store, TASK, {}, {})
    first, common = (await store.read(None, limit=1)).cursor, await store.head()
    await store.close()
    await postgres.execute(f"CREATE DATABASE copy TEMPLATE {SHARED}")
    original, copy = await open_store(postgres.server.dsn(SHARED)), await open_store(copied)
    await fill(original, TASK, {"title": "in the original"})
    await fill(copy, TASK, {"title": "in the copy"}, {"title": "and another"})
    for door, told in ((original, 2), (copy, 3)):
        assert told == len(await trail(door, first))
        assert told - 1 == len(await trail(door, common))
    late = await original.head()
    with pytest.raises(CursorExpired):
        await copy.read(late)
    await copy.wait_for_changes(late)
    with pytest.raises(BadCursor):
        await original.read(await copy.head())
    await original.close()
    await copy.close()


async def moved(dsn: str, connection: "asyncpg.Connection[asyncpg.Record]") -> PostgresStore:
    """Open the store as if it had been moved from another cluster."""
    await connection.execute("UPDATE log_names SET home = 'elsewhere'")
    return await open_store(dsn)


async def test_the_order_goes_on(
    store: PostgresStore, dsn: str, connection: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """New changes come after all earlier ones, and the cursor of an earlier page stays valid."""
    before = await store.head()
    await fill(store, TASK, {}, {})
    page = await store.page(Query(entity_type=TASK))
    here = await moved(dsn, connection)
    start = await here.head()
    assert page.changes != start
    await carry_out(here, edit(TASK, 1, notes="y"), create(TASK))
    for cursor in (start, page.changes):
        assert [("task.updated", 1, 2), ("task.created", 3, 1)] == await trail(here, cursor)
    types = ["task.created", "task.created", "task.updated", "task.created"]
    assert types == [type for type, _, _ in await trail(here, before)]
    assert [1, 2] == [entry.change.record.version for entry in await here.history(TASK, 1)]
    await here.close()


async def test_what_was_lost_has_expired(
    store: PostgresStore, dsn: str, connection: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """After a recovery to an earlier time, cursors of lost changes have expired."""
    await fill(store, TASK, {}, {}, {})
    seen = [each.cursor for each in (await store.read(None)).entries]
    await connection.execute("DELETE FROM changes WHERE number > 2")
    here = await moved(dsn, connection)
    await fill(here, TASK, {}, {})
    assert [3, 2] == [len(await trail(here, each)) for each in seen[:2]]
    with pytest.raises(CursorExpired):
        await here.read(seen[2])
    await here.close()


async def test_each_name_has_its_own_end(
    store: PostgresStore, dsn: str, connection: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """In a log that was moved twice, each former name is valid up to its own end."""
    await fill(store, TASK, {})
    first = await store.head()
    here = await moved(dsn, connection)
    await fill(here, TASK, {})
    second = await here.head()
    again = await moved(dsn, connection)
    await fill(again, TASK, {})
    assert [2, 1] == [len(await trail(again, each)) for each in (first, second)]
    with pytest.raises(CursorExpired):
        await again.read(Cursor(first[:-1] + "2"))
    await here.close()
    await again.close()


async def test_webhooks_go_on(store: PostgresStore, dsn: str, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Webhooks move with the log and miss nothing."""
    await carry_out(store, create(WEBHOOK), create(TASK))
    here = await moved(dsn, connection)
    await fill(here, TASK, {})
    position = (await positions_of(here))[1]
    assert [("task.created", 2, 1)] == await trail(here, position)
    await here.close()


async def test_purging_reaches_across(
    store: PostgresStore, dsn: str, connection: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """A purge up to a cursor from before the move removes changes in order."""
    await fill(store, TASK, {}, {})
    kept = (await store.read(None, limit=1)).cursor
    here = await moved(dsn, connection)
    await carry_out(here, Delete(entity_type=TASK, id=1))
    await here.purge(LATER, changes_before=LATER, keep=kept)
    assert 2 == len(await trail(here))
    await here.purge(LATER, changes_before=LATER)
    assert ([], await here.head()) == (await trail(here), await here.oldest())
    with pytest.raises(CursorExpired):
        await here.read(kept)
    await here.close()
