"""Old logs, ordered by transaction ids before changes were numbered: their followers go on."""

from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path

import asyncpg
import pytest

from adapters.postgres.store import PostgresStore
from domain.changes import Cursor
from domain.errors import CursorExpired
from domain.ports import Store
from domain.task import TASK
from tests.builders import LATER, SERIALIZER, Clock, create, webhook
from tests.contract.locations import moved, opened
from tests.contract.steps import carry_out, edit, fill, positions_of, trail
from tests.databases import Databases, open_store

pytestmark = pytest.mark.anyio

OF_BEFORE = 8
"""The last migration before changes were numbered."""

NAME = "00000000deadbeef"

_WEBHOOKS = ", ".join(f"({id}, '{SERIALIZER.write(webhook(id=id))}')" for id in range(1, 5))

# Transaction 12 committed before 11. A page had shown 12, and a follower started from that page.
_LOG = f"""
INSERT INTO log_names VALUES (0, 'moved', 'elsewhere'), (1, 'copied', 'elsewhere'), (2, '{NAME}', 'here');
INSERT INTO forgotten VALUES ('task', 1, '90', 7), ('product', 1, '80', 1);
INSERT INTO changes (epoch, xid, seq, kind, id, version, action, at, request_id, changed, document)
SELECT epoch, xid::text::xid8, seq, 'task', id, version, 'updated', '2026-01-31 12:00+00', 'r', '', '{{}}'
FROM (VALUES (1, 95, 1, 1, 4), (2, 10, 1, 1, 5), (2, 10, 2, 2, 1), (2, 11, 1, 3, 1), (2, 12, 1, 2, 2), (2, 12, 2, 3, 2))
AS changes (epoch, xid, seq, id, version);
INSERT INTO former_cursors VALUES ('moved-4', 0, '0', 0), ('moved-5', 1, '95', 1), ('moved-6', 2, '10', 1);
INSERT INTO webhooks SELECT id, 1, now(), now(), '', true, '', document
FROM (VALUES {_WEBHOOKS}) AS webhooks (id, document);
INSERT INTO positions (webhook, epoch, xid, seq, shown)
VALUES (1, 2, '10', 2, NULL), (2, 2, '11', 0, '11:13:11'), (3, 2, '12', 2, NULL), (4, 0, '0', 0, NULL);
INSERT INTO deliveries (id, webhook, message_id, type, after, requested, at, status, attempts)
SELECT id, 2, 'm', 'task.updated', after, false, '2026-01-31 12:00+00', 'pending', '[]'
FROM (VALUES ('d1', '{NAME}-2.11.0-11.13.11'), ('d2', '{NAME}-2.10.1'), ('d3', NULL), ('d4', 'moved-5'))
AS deliveries (id, after);
SELECT setval('tasks_ids', 3);
"""

FOLLOWED = {
    f"{NAME}-1.90.7": 6,
    f"{NAME}-1.95.1": 5,
    f"{NAME}-2.10.1": 4,
    f"{NAME}-2.10.2": 3,
    f"{NAME}-2.11.1": 2,
    f"{NAME}-2.12.1": 1,
    f"{NAME}-2.12.2": 0,
    "moved-4": 6,
    "moved-5": 5,
    "moved-6": 4,
    f"{NAME}-2.11.0-11.13.11": 3,  # a delivery still names it: change 11 follows, and 12 again
}
"""Old cursors, and how many changes followed each."""

EXPIRED = [f"{NAME}-1.80.1", f"{NAME}-2.11.0", f"{NAME}-2.11.0-11.13.11.12", "moved-7", "copied-1.95.1"]
"""Cursors of purged changes, and cursors that no migration recorded."""


@pytest.fixture
async def dsn(postgres: Databases) -> AsyncIterator[str]:
    """Create a database as the earlier version left it."""
    async with postgres.blank() as dsn:
        steps = sorted((files("adapters.postgres") / "migrations").iterdir(), key=lambda each: each.name)
        connection = await asyncpg.connect(dsn)
        await connection.execute("CREATE EXTENSION pg_trgm")
        for number, step in enumerate(steps[:OF_BEFORE], 1):
            await connection.execute(step.read_text())
            await connection.execute(f"INSERT INTO migrations VALUES ({number})")
        await connection.execute(_LOG)
        await connection.close()
        yield dsn


@pytest.fixture
async def store(dsn: str) -> AsyncIterator[PostgresStore]:
    """Open the store."""
    store = await open_store(dsn)
    yield store
    await store.close()


async def behind(store: Store) -> dict[str, int]:
    """Return how many changes follow each cursor."""
    return {cursor: len(await trail(store, Cursor(cursor))) for cursor in FOLLOWED}


async def test_followers_go_on(store: PostgresStore) -> None:
    """Each old cursor leads to the same changes in the same order, and then to new ones."""
    changes = [("task.updated", *each) for each in ((1, 4), (1, 5), (2, 1), (3, 1), (2, 2), (3, 2))]
    assert changes == await trail(store)
    assert FOLLOWED == await behind(store)
    assert changes[2:] == await trail(store, Cursor(f"{NAME}-2.10.1"))
    await fill(store, TASK, {})
    assert [("task.created", 4, 1)] == await trail(store, Cursor(f"{NAME}-2.12.2"))
    assert (await store.head()).endswith("-7")


@pytest.mark.parametrize("cursor", EXPIRED)
async def test_what_means_nothing_has_expired(store: PostgresStore, cursor: str) -> None:
    """A cursor without a known number has expired, so its follower starts again and misses nothing."""
    await fill(store, TASK, {})
    with pytest.raises(CursorExpired):
        await store.read(Cursor(cursor))


async def test_webhooks_go_on(store: PostgresStore) -> None:
    """Each webhook gets its missing changes, and again any that it had received out of order."""
    positions = await positions_of(store)
    assert {1: 3, 2: 3, 3: 0, 4: 6} == {id: len(await trail(store, each)) for id, each in positions.items()}
    assert ("task.updated", 3, 1) == (await trail(store, positions[2]))[0]
    assert positions[4] == await store.deliveries.needed()
    progress = await store.deliveries.progress(2)
    assert progress is not None
    after = {each.id: each.after for each in progress.pending}
    assert [3, 4, 5] == [len(await trail(store, after[id])) for id in ("d1", "d2", "d4")]


async def test_a_later_move_keeps_old_cursors(store: PostgresStore, dsn: str, tmp_path: Path) -> None:
    """A later move keeps the old cursors."""
    await moved(dsn, f"sqlite:///{tmp_path}/to.db")
    copy = await opened(f"sqlite:///{tmp_path}/to.db", Clock())
    assert FOLLOWED == await behind(copy)
    assert (await store.head()).partition("-")[2] == (await copy.head()).partition("-")[2]
    for cursor in EXPIRED:
        with pytest.raises(CursorExpired):
            await copy.read(Cursor(cursor))
    await copy.close()


async def test_a_purge_removes_old_cursors(store: PostgresStore, dsn: str) -> None:
    """A purge removes the old cursors of purged changes."""
    await store.purge(LATER, changes_before=LATER, keep=Cursor(f"{NAME}-2.10.2"))
    assert [("task.updated", 3, 1), ("task.updated", 2, 2), ("task.updated", 3, 2)] == await trail(store)
    connection = await asyncpg.connect(dsn)
    kept = {cursor for (cursor,) in await connection.fetch("SELECT cursor FROM former_cursors")}
    await connection.close()
    assert {cursor for cursor, count in FOLLOWED.items() if count <= 3} == kept


async def test_an_empty_log_of_an_earlier_version(postgres: Databases, dsn: str) -> None:
    """Followers of an empty or fully purged log go on, too."""
    del postgres
    connection = await asyncpg.connect(dsn)
    await connection.execute("DELETE FROM changes; DELETE FROM forgotten WHERE kind <> ''; DELETE FROM deliveries")
    await connection.close()
    store = await open_store(dsn)
    positions = await positions_of(store)
    await carry_out(store, create(TASK))
    await carry_out(store, edit(TASK, 4, notes="x"))
    assert [2] * 4 == [len(await trail(store, each)) for each in positions.values()]
    assert 2 == len(await trail(store, Cursor(f"{NAME}-0.0.0")))
    await store.close()
