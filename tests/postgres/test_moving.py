"""A database that is copied elsewhere: the log goes on under a new name, in the right order."""

import asyncpg
import pytest

from adapters.postgres.store import PostgresStore
from domain.commands import Delete
from domain.errors import BadCursor, CursorExpired
from domain.ports import Store
from domain.queries import Query
from domain.task import TASK
from domain.webhook import WEBHOOK
from tests.builders import LATER, create
from tests.contract.steps import carry_out, edit, fill, trail
from tests.databases import SHARED, Databases, open_store

pytestmark = pytest.mark.anyio


async def expired(store: Store, *cursors: str) -> list[bool]:
    """Tell of each cursor whether it has expired."""
    answers = []
    for cursor in cursors:
        try:
            await store.read(cursor)  # type: ignore[arg-type]
        except CursorExpired:
            answers.append(True)
        else:
            answers.append(False)
    return answers


async def test_a_copy_has_another_name(postgres: Databases, store: PostgresStore) -> None:
    """In a copy of the database the cursors of the original have expired; each knows only its own from then on."""
    await fill(store, TASK, {}, {})
    await store.close()
    await postgres.execute(f"CREATE DATABASE copy TEMPLATE {SHARED}")
    original, copy = await open_store(postgres.server.dsn(SHARED)), await open_store(postgres.server.dsn("copy"))
    try:
        old, new = await original.head(), await copy.head()
        assert ([False], [True]) == (await expired(original, old), await expired(copy, old))
        with pytest.raises(BadCursor):
            await original.read(new)
        assert [("task.created", 1, 1), ("task.created", 2, 1)] == await trail(copy) == await trail(original)
        await copy.wait_for_changes(old)
    finally:
        await original.close()
        await copy.close()
        await postgres.execute("DROP DATABASE copy")


async def moved(dsn: str, connection: "asyncpg.Connection[asyncpg.Record]") -> PostgresStore:
    """Open the store as if it had come from a cluster whose transaction ids were far ahead of those here."""
    await connection.execute(
        "UPDATE log_names SET home = 'elsewhere';"
        " UPDATE changes SET xid = (xid::text::bigint + 1000000)::text::xid8;"
        " UPDATE positions SET xid = (xid::text::bigint + 1000000)::text::xid8"
    )
    return await open_store(dsn)


async def test_the_order_goes_on(
    store: PostgresStore, dsn: str, connection: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """What is written after the move comes behind everything from before, though its transaction ids are lower."""
    before = await store.head()
    await fill(store, TASK, {}, {})
    await carry_out(store, edit(TASK, 1, notes="x"))
    here = await moved(dsn, connection)
    start = await here.head()
    page = await here.page(Query(entity_type=TASK))
    await carry_out(here, edit(TASK, 1, notes="y"), create(TASK))
    assert [True, False] == await expired(here, before, start)
    assert start == page.changes
    assert [("task.updated", 1, 3), ("task.created", 3, 1)] == await trail(here, start)
    types = ["task.created", "task.created", "task.updated", "task.updated", "task.created"]
    assert types == [type for type, _, _ in await trail(here)]
    assert [1, 2, 3] == [entry.change.record.version for entry in await here.history(TASK, 1)]
    await here.close()


async def test_webhooks_go_on(store: PostgresStore, dsn: str, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """They have moved along with the log, and miss nothing."""
    await carry_out(store, create(WEBHOOK), create(TASK))
    here = await moved(dsn, connection)
    await fill(here, TASK, {})
    position = (await here.deliveries.positions())[1]
    assert [("task.created", 2, 1)] == await trail(here, position)
    await here.close()


async def test_sweeping_reaches_across(
    store: PostgresStore, dsn: str, connection: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """Changes of both epochs are forgotten in their order, up to a place that was given out before the move."""
    await fill(store, TASK, {}, {})
    kept = (await store.read(None, limit=1)).cursor
    here = await moved(dsn, connection)
    await carry_out(here, Delete(entity_type=TASK, id=1))
    await here.purge(LATER, changes_before=LATER, keep=kept)
    assert 3 == len(await trail(here))
    await here.purge(LATER, changes_before=LATER)
    assert ([], await here.head()) == (await trail(here), await here.oldest())
    await here.close()
