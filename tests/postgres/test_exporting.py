"""What only a store in PostgreSQL tells: changes that others could yet come before, and who has seen which of them."""

from pathlib import Path

import asyncpg
import pytest

from adapters.postgres.exporting import exporting
from adapters.postgres.store import PostgresStore
from domain.errors import CursorExpired
from domain.ports import Store
from domain.registry import ENTITY_TYPES
from domain.snapshot import Changes, Logged, Positions
from domain.task import TASK
from domain.webhook import WEBHOOK
from tests.builders import Clock, create
from tests.contract.places import moved, opened
from tests.contract.steps import carry_out, fill, trail
from tests.postgres.transactions import Open

pytestmark = pytest.mark.anyio

_END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


async def told(dsn: str) -> tuple[list[Logged], dict[int, int]]:
    """Return the changes and the positions of a store, as it tells them."""
    logged: list[Logged] = []
    had: dict[int, int] = {}
    async with exporting(dsn, entity_types=ENTITY_TYPES) as telling:
        async for part in telling.read():
            if isinstance(part, Changes):
                logged += part.logged
            if isinstance(part, Positions):
                had |= part.had
    return logged, had


async def test_a_place_that_is_not_settled_has_no_cursor(store: PostgresStore, dsn: str, slow: Open) -> None:
    """Who follows the original will see another change before it, which the copy will never have."""
    await fill(store, TASK, {})
    await slow.carry_out(create(TASK))
    await fill(store, TASK, {})
    logged, _ = await told(dsn)
    assert [True, False] == [bool(cursors) for _, cursors in logged]
    await slow.commit()
    logged, _ = await told(dsn)
    assert [1, 2, 3] == [change.record.id for change, _ in logged]
    assert all(cursors for _, cursors in logged)


async def test_followers_of_what_is_not_settled(store: PostgresStore, dsn: str, slow: Open, tmp_path: Path) -> None:
    """A cursor behind a change that came after the moment of the move, though in front of others, has expired."""
    await fill(store, TASK, {})
    settled = (await store.read(None)).cursor
    await slow.carry_out(create(TASK))
    await fill(store, TASK, {})
    await moved(dsn, f"sqlite:///{tmp_path}/to.db")
    await slow.commit()
    late = (await store.read(None)).cursor
    copy = await opened(f"sqlite:///{tmp_path}/to.db", Clock())
    assert [("task.created", 3, 1)] == await trail(copy, settled)
    with pytest.raises(CursorExpired):
        await copy.read(late)
    await copy.close()


async def test_webhooks_miss_nothing(store: PostgresStore, dsn: str, slow: Open, tmp_path: Path) -> None:
    """One that has had a change, but not one in front of it, has the rest again from there."""
    await fill(store, TASK, {})
    await slow.carry_out(create(TASK))
    await fill(store, TASK, {})
    await carry_out(store, create(WEBHOOK), follow=await store.head())
    await slow.commit()
    await fill(store, TASK, {})
    (position,) = (await store.deliveries.positions()).values()
    assert [("task.created", 2, 1), ("task.created", 4, 1)] == await trail(store, position)
    assert {1: 1} == (await told(dsn))[1]
    await moved(dsn, f"sqlite:///{tmp_path}/to.db")
    copy = await opened(f"sqlite:///{tmp_path}/to.db", Clock())
    assert [2, 3, 4] == await had_by(copy)
    await copy.close()


async def had_by(store: Store) -> list[int]:
    """Return the ids of what the one webhook has not had."""
    (position,) = (await store.deliveries.positions()).values()
    return [id for _, id, _ in await trail(store, position)]


async def test_a_copied_database(
    store: PostgresStore, dsn: str, connection: "asyncpg.Connection[asyncpg.Record]", tmp_path: Path
) -> None:
    """Cursors that had expired because the database was copied stay expired, and are known as such."""
    await fill(store, TASK, {})
    before = await store.head()
    await connection.execute("UPDATE log_names SET home = 'elsewhere'")
    await moved(dsn, f"sqlite:///{tmp_path}/to.db")
    copy = await opened(f"sqlite:///{tmp_path}/to.db", Clock())
    with pytest.raises(CursorExpired):
        await copy.read(before)
    await copy.close()


async def test_it_does_not_matter_how_it_ends(store: PostgresStore, dsn: str) -> None:
    """What was moved is moved, also if the source is lost after its last word."""
    await fill(store, TASK, {})
    async with exporting(dsn, entity_types=ENTITY_TYPES) as telling:
        assert 2 == await telling.size()
        ender = await asyncpg.connect(dsn)
        await ender.execute(_END_OTHERS)
        await ender.close()
