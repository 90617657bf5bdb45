"""The log under overlapping transactions: numbers without gaps in commit order, and no reader waits."""

import asyncio
import json
from collections import Counter
from itertools import groupby

import asyncpg
import pytest

from adapters.postgres.errors import Conflict
from adapters.postgres.store import PostgresStore
from domain.changes import Cursor, Entry
from domain.product import PRODUCT
from domain.queries import Query
from domain.task import TASK
from domain.webhook import WEBHOOK
from tests.builders import batch, create, recorded
from tests.contract.steps import carry_out, edit, fill, positions_of, whole_log
from tests.contract.test_upkeep import key
from tests.databases import SHARED, Databases, open_store
from tests.postgres import processes
from tests.postgres.transactions import Open, blocked

pytestmark = pytest.mark.anyio

PROCESSES = 3


def ids(entries: list[Entry] | tuple[Entry, ...]) -> list[int]:
    """Return the ids of the entities that changed."""
    return [entry.change.record.id for entry in entries]


async def ids_after(store: PostgresStore, cursor: Cursor | None) -> list[int]:
    """Return the ids of the entities that changed after a cursor, to the end of the log."""
    return ids(await whole_log(store, cursor))


def numbers(entries: list[Entry] | tuple[Entry, ...]) -> list[int]:
    """Return the numbers in the cursors of entries."""
    return [int(entry.cursor.rpartition("-")[2]) for entry in entries]


async def test_what_is_undone_leaves_no_hole(store: PostgresStore, slow: Open) -> None:
    """The number of a rolled-back change goes to the next transaction."""
    await fill(store, TASK, {})
    await slow.carry_out(create(TASK), create(TASK))
    waiting = asyncio.create_task(fill(store, TASK, {}))
    await blocked(slow.connection, 1)
    await slow.rollback()
    await waiting
    entries = await whole_log(store)
    assert ([1, 2], [1, 4]) == (numbers(entries), ids(entries))


async def test_who_commits_first_is_in_front(store: PostgresStore, slow: Open) -> None:
    """A transaction that began first but numbers its changes later comes later in the log."""
    await slow.begin()
    first = await store.head()
    await fill(store, TASK, {})
    await slow.carry_out(create(TASK), create(TASK))
    waiting = asyncio.create_task(fill(store, TASK, {}))
    await blocked(slow.connection, 1)
    assert [1] == await ids_after(store, first)
    await slow.commit()
    await waiting
    entries = await whole_log(store, first)
    assert ([1, 2, 3, 4], [1, 2, 3, 4]) == (numbers(entries), ids(entries))


async def test_no_reader_waits_for_a_transaction(store: PostgresStore, slow: Open) -> None:
    """Committed changes are read, followed and notified at once, in spite of open transactions."""
    await slow.begin()
    head = await store.head()
    watching = asyncio.create_task(store.wait_for_changes(head))
    await fill(store, TASK, {})
    await watching
    assert [1] == await ids_after(store, head)
    await slow.carry_out(create(TASK))
    assert [1] == await ids_after(store, head)
    await store.wait_for_changes(head)
    assert [1] == [record.id for record in (await store.page(Query(entity_type=TASK))).records]


async def test_following_from_a_page_repeats_nothing(store: PostgresStore, slow: Open) -> None:
    """A follower from a page gets all that the page did not show, even changes then uncommitted."""
    await fill(store, TASK, {})
    await slow.carry_out(create(TASK), create(TASK))
    page = await store.page(Query(entity_type=TASK))
    head = await store.head()
    assert page.changes == head
    await slow.commit()
    await fill(store, TASK, {})
    assert [2, 3, 4] == await ids_after(store, head)
    assert page.revision != (await store.page(Query(entity_type=TASK))).revision


async def test_a_webhook_follows_from_a_page(store: PostgresStore, slow: Open) -> None:
    """A webhook that starts at a page misses no change that was then uncommitted."""
    await slow.carry_out(create(TASK))
    page = await store.page(Query(entity_type=TASK))
    await slow.commit()
    await carry_out(store, create(WEBHOOK), follow=page.changes)
    await carry_out(store, create(WEBHOOK), create(TASK))
    positions = await positions_of(store)
    assert page.changes == positions[1]
    assert ([1, 2], []) == (await ids_after(store, positions[1]), await ids_after(store, positions[2]))


async def test_a_locked_entity_delays_no_others(store: PostgresStore, slow: Open) -> None:
    """A transaction that locks one entity comes after writes to others, which do not wait for it."""
    await fill(store, TASK, {}, {})
    await slow.begin("SELECT FROM tasks WHERE id = 1 FOR UPDATE")
    await carry_out(store, edit(TASK, 2, notes="x"))
    with pytest.raises(Conflict):
        await store._attempt([batch(edit(TASK, 1, notes="x"))], None)
    await slow.carry_out(edit(TASK, 1, notes="y"), edit(TASK, 2, notes="y"), locking=True)
    await slow.commit()
    changes = [(each.change.record.id, each.change.record.version) for each in await whole_log(store)]
    assert [(1, 1), (2, 1), (2, 2), (1, 2), (2, 3)] == changes


async def test_who_waits_keeps_nobody_from_the_log(store: PostgresStore, slow: Open, dsn: str) -> None:
    """A process takes the lock of the log last, so others write while it waits for any other lock."""
    other = await open_store(dsn)
    await slow.begin("INSERT INTO receipts VALUES ('me', 'key', '', '', now())")
    waiting = asyncio.create_task(other.submit(batch(create(TASK), key=key("key"))))
    await blocked(slow.connection, 1)
    await fill(store, TASK, {})
    await slow.rollback()
    await waiting
    assert [2, 1] == await ids_after(store, None)
    await other.close()


async def test_who_dies_with_the_lock_leaves_no_hole(store: PostgresStore, slow: Open, dsn: str) -> None:
    """A process lost before its commit is rolled back, and the next one takes its numbers."""
    await slow.carry_out(create(TASK))
    waiting = asyncio.create_task(fill(store, TASK, {}))
    watching = await asyncpg.connect(dsn)
    await blocked(watching, 1)
    slow.connection.terminate()
    slow._ended = True
    await waiting
    assert [1] == numbers(await whole_log(store))
    await watching.close()


async def test_the_same_sku_for_many_makes_no_deadlock(postgres: Databases, dsn: str) -> None:
    """Concurrent claims of one sku cause no deadlock with the lock of the log."""
    await postgres.execute(f"ALTER DATABASE {SHARED} SET deadlock_timeout = '1h'")
    stores = [await open_store(dsn) for _ in range(4)]

    async def take(door: PostgresStore, sku: int) -> None:
        await door.submit(batch(create(PRODUCT, sku=str(sku))))

    async with asyncio.timeout(30):
        for sku in range(50):
            await asyncio.gather(*(take(door, sku) for door in stores))
    entries = await whole_log(stores[0])
    assert (list(range(1, 51)), 50) == (numbers(entries), len(set(ids(entries))))
    for door in stores:
        await door.close()
    await postgres.execute(f"ALTER DATABASE {SHARED} RESET deadlock_timeout")


async def prefixes(dsn: str, until: asyncio.Event, looks: asyncio.Semaphore) -> None:
    """Read the log repeatedly, check that no number is missing, and note each time."""
    connection = await asyncpg.connect(dsn)
    while not until.is_set():
        ((many, newest),) = await connection.fetch("SELECT count(*), coalesce(max(number), 0) FROM changes")
        assert many == newest
        looks.release()
    await connection.close()


async def undone(slow: Open, until: asyncio.Event, times: asyncio.Semaphore) -> None:
    """Take numbers and roll back, repeatedly, and note each time."""
    while not until.is_set():
        await slow.carry_out(create(TASK))
        await slow.rollback()
        times.release()


async def often(*noted: asyncio.Semaphore) -> None:
    """Return when each of these happened more than ten times."""
    for each in noted:
        for _ in range(11):
            await each.acquire()


async def followed(store: PostgresStore, place: Cursor, until: asyncio.Event) -> list[Entry]:
    """Follow the log to its end."""
    entries: list[Entry] = []
    while True:
        ended = until.is_set()
        page = await store.read(place, limit=50)
        entries += page.entries
        if not page.entries and ended:
            return entries
        place = page.cursor


def is_first(entry: Entry) -> bool:
    """Return whether it is the product that all processes change."""
    return entry.change.entity_type is PRODUCT and entry.change.record.id == 1


async def test_several_processes(store: PostgresStore, dsn: str, slow: Open) -> None:
    """At every moment the log is without gaps from its start, during any writes and rollbacks of many processes."""
    await fill(store, PRODUCT, {"stock": 0, "sku": "A"})
    start, ended = await store.head(), asyncio.Event()
    running = [processes.start(dsn, number) for number in range(PROCESSES)]
    for each in running:
        assert each.stdout is not None
        assert "ready\n" == await asyncio.to_thread(each.stdout.readline)
    looks, rollbacks = asyncio.Semaphore(0), asyncio.Semaphore(0)
    watching = [asyncio.create_task(work) for work in (prefixes(dsn, ended, looks), undone(slow, ended, rollbacks))]
    following = asyncio.create_task(followed(store, start, ended))
    for each in running:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    enough = asyncio.create_task(often(looks, rollbacks))
    await asyncio.wait({enough, *watching}, return_when=asyncio.FIRST_COMPLETED)
    outputs = await asyncio.gather(*(asyncio.to_thread(each.communicate) for each in running))
    ended.set()
    assert [0] * PROCESSES == [each.returncode for each in running]
    await asyncio.gather(enough, *watching)

    entries = await following
    assert entries == await whole_log(store, start)
    assert list(range(2, len(entries) + 2)) == numbers(entries)
    products = Counter(each.change.record.id for each in entries if each.change.entity_type is PRODUCT)
    rounds = [json.loads(out) for out, _ in outputs]  # of each writer in each process
    assert sum(map(max, zip(*rounds, strict=True))) == len(products) - 1  # each sku went to exactly one process
    assert list(range(2, products[1] + 2)) == [each.change.record.version for each in entries if is_first(each)]
    titles = [recorded(TASK, each.change.record).title for each in entries if each.change.entity_type is TASK]
    assert [2] * sum(map(sum, rounds)) == [len(list(piece)) for _, piece in groupby(titles)]
