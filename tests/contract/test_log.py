"""The log in every store: order, cursors, types, history, and waiting for changes."""

import asyncio
from typing import Any

import pytest

from domain.changes import Action, Change, Cursor, Entry
from domain.commands import Delete, Restore
from domain.entity_type import EntityType
from domain.errors import BadCursor, CursorExpired
from domain.ports import LogPage, Store
from domain.product import PRODUCT
from domain.task import TASK
from domain.trace import TraceContext
from tests.builders import LATER, NOON, TRACE, Clock, create, record
from tests.contract.steps import carry_out, edit, fill, trail, whole_log

pytestmark = pytest.mark.anyio


async def test_an_empty_log(store: Store) -> None:
    """An empty log has no entries, and its start is its end."""
    head = await store.head()
    assert LogPage(entries=(), cursor=head) == await store.read(None) == await store.read(head)
    assert head == await store.oldest()
    assert () == await store.history(TASK, 1)


async def test_a_change_keeps_its_trace(store: Store, other: Store) -> None:
    """Each change keeps the trace of its request, with the state or without; where there was no trace, it has none."""
    bare = TraceContext(TRACE.trace_id, TRACE.parent_id, "00")
    await carry_out(store, create(TASK), create(PRODUCT), trace=TRACE)
    await carry_out(store, edit(TASK, 1, notes="x"), trace=bare)
    await carry_out(store, edit(TASK, 1, notes="y"))
    assert [TRACE, TRACE, bare, None] == [each.change.trace for each in await whole_log(other)]
    assert [TRACE, bare, None] == [each.change.trace for each in await other.history(TASK, 1)]


async def test_changes_are_read_as_they_were_made(store: Store, other: Store, clock: Clock) -> None:
    """Every reader gets the whole change in its entry."""
    clock.now = LATER
    (task,) = await carry_out(store, create(TASK, due="2026-12-31", status="done"), request_id="r-1")
    (product,) = await carry_out(store, create(PRODUCT, price="0.01", sku="A", stock=0), request_id="r-2")
    (edited,) = await carry_out(other, edit(PRODUCT, 1, sku=None, stock=None), request_id="r-3")
    (gone,) = await carry_out(other, Delete(entity_type=TASK, id=1), request_id="")
    told: list[tuple[EntityType[Any], Action, Any, tuple[str, ...], str]] = [
        (TASK, Action.CREATED, task, TASK.writable_names, "r-1"),
        (PRODUCT, Action.CREATED, product, PRODUCT.writable_names, "r-2"),
        (PRODUCT, Action.UPDATED, edited, ("sku", "stock"), "r-3"),
        (TASK, Action.DELETED, gone, (), ""),
    ]
    changes: list[Change[Any]] = [
        Change(
            entity_type=entity_type,
            action=action,
            record=record(entity_type, left),
            changed=changed,
            at=LATER,
            request_id=request,
        )
        for entity_type, action, left, changed, request in told
    ]
    for door in (store, other):
        assert changes == [entry.change for entry in await whole_log(door)]


async def test_every_entry_has_a_cursor(store: Store, other: Store) -> None:
    """Reading after any entry gives exactly the following ones, with any page size, as often as asked."""
    await fill(store, TASK, *({} for _ in range(6)))
    batch = await store.read(None)
    assert batch == await other.read(None) == await store.read(await other.oldest())
    assert 6 == len({entry.cursor for entry in batch.entries})
    assert batch.entries[-1].cursor == batch.cursor == await store.head() == await other.head()
    for index, entry in enumerate(batch.entries):
        for limit in (1, 2, 1000):
            rest = batch.entries[index + 1 :][:limit]
            cursor = rest[-1].cursor if rest else entry.cursor
            assert LogPage(entries=rest, cursor=cursor) == await store.read(entry.cursor, limit=limit)


async def test_the_newest(store: Store, other: Store) -> None:
    """A reader can begin in front of so many of the newest entries, or of all that are kept if there are fewer."""
    await fill(store, TASK, *({} for _ in range(3)))
    entries = (await store.read(None)).entries
    for count in (0, 1, 3):
        assert entries[3 - count :] == (await store.read(await other.head(before=count))).entries
    assert await store.oldest() == await other.head(before=4)


async def test_a_reader_gets_only_requested_types(store: Store) -> None:
    """A reader gets only the requested types; its cursor moves past the others."""
    await fill(store, TASK, {}, {}, {})
    await fill(store, PRODUCT, {})
    await carry_out(store, edit(TASK, 2, notes="x"), Delete(entity_type=TASK, id=3), Restore(entity_type=TASK, id=3))

    async def read(*types: str, limit: int = 1000) -> tuple[list[tuple[str, int]], Cursor]:
        batch = await store.read(None, types=frozenset(types), limit=limit)
        return [(entry.change.type, entry.change.record.id) for entry in batch.entries], batch.cursor

    head = await store.head()
    assert ([("task.updated", 2), ("task.deleted", 3)], head) == await read("task.updated", "task.deleted")
    assert ([], head) == await read("product.deleted") == await read("no.such") == await read("task")
    found, cursor = await read("product.created", "task.deleted", limit=1)
    assert [("product.created", 1)] == found
    rest = await store.read(cursor, types=frozenset({"product.created", "task.deleted"}))
    assert ["task.deleted"] == [entry.change.type for entry in rest.entries]


async def test_history(store: Store) -> None:
    """The history of an entity after a version comes oldest first, also after its deletion."""
    await fill(store, TASK, {}, {})
    await fill(store, PRODUCT, {})
    await carry_out(store, edit(TASK, 1, notes="x"), edit(TASK, 2, notes="y"), Delete(entity_type=TASK, id=1))
    await carry_out(store, edit(PRODUCT, 1, stock=1), Restore(entity_type=TASK, id=1), Delete(entity_type=TASK, id=1))
    mine = [
        entry for entry in await whole_log(store) if entry.change.entity_type is TASK and entry.change.record.id == 1
    ]
    assert [1, 2, 3, 4, 5] == [entry.change.record.version for entry in mine]
    for after in range(6):
        for limit in (1, 2, 1000):
            assert tuple(mine[after:][:limit]) == await store.history(TASK, 1, after=after, limit=limit)
    assert () == await store.history(TASK, 3)
    assert 2 == len(await store.history(PRODUCT, 1))


@pytest.mark.parametrize("text", ["", "0", "1", "now", "x-1", "-1", "\x00", "ü", "9" * 40])
async def test_invalid_cursors_are_refused(store: Store, text: str) -> None:
    """Every method that takes a cursor refuses an invalid one."""
    await fill(store, TASK, {})
    with pytest.raises(BadCursor):
        await store.read(Cursor(text))
    with pytest.raises(BadCursor):
        await store.wait_for_changes(Cursor(text))
    with pytest.raises(BadCursor):
        await store.purge(LATER, changes_before=LATER, keep=Cursor(text))


@pytest.mark.parametrize("changed", ["{}0", "{} ", " {}", "{}-1", "x{}"])
async def test_altered_cursors_are_refused(store: Store, changed: str) -> None:
    """An altered cursor is refused: it is invalid or names a future change."""
    await fill(store, TASK, {})
    with pytest.raises((BadCursor, CursorExpired)):
        await store.read(Cursor(changed.format(await store.head())))


async def test_a_watcher_is_told_at_once_of_what_it_has_not_seen(store: Store) -> None:
    """Waiting returns at once if entries follow the cursor."""
    start = await store.head()
    await fill(store, TASK, {})
    await store.wait_for_changes(start)
    assert [("task.created", 1, 1)] == await trail(store, start)


async def test_a_watcher_does_not_wait_where_nothing_is_yet(store: Store) -> None:
    """Waiting returns at once for a cursor beyond the end, which reading refuses."""
    await fill(store, TASK, {})
    beyond = Cursor(f"{await store.head()}0")
    await store.wait_for_changes(beyond)
    with pytest.raises(CursorExpired):
        await store.read(beyond)


@pytest.mark.parametrize("writer", [0, 1])
async def test_a_watcher_wakes_on_a_write(store: Store, stores: tuple[Store, Store], writer: int) -> None:
    """All waiting readers return after the next change by any process, and not after a dry run or a void edit."""
    await fill(store, TASK, {})
    head = await store.head()
    waiting = [asyncio.create_task(store.wait_for_changes(head)) for _ in range(3)]
    await carry_out(stores[writer], edit(TASK, 1), create(TASK), dry_run=True)
    await carry_out(stores[writer], edit(TASK, 1))
    assert not any(task.done() for task in waiting)
    await carry_out(stores[writer], edit(TASK, 1, notes="x"))
    await asyncio.gather(*waiting)
    assert 1 == len((await store.read(head)).entries)


async def test_watching_again_and_again_misses_nothing(store: Store, other: Store) -> None:
    """A reader that reads and waits in turn sees every change once, in order, while others write."""
    rounds = 40

    async def write(door: Store) -> None:
        for _ in range(rounds):
            await fill(door, TASK, {})

    async def follow(cursor: Cursor) -> list[Entry]:
        entries: list[Entry] = []
        while len(entries) < 2 * rounds:
            await store.wait_for_changes(cursor)
            batch = await store.read(cursor, limit=3)
            entries += batch.entries
            cursor = batch.cursor
        return entries

    following = asyncio.create_task(follow(await store.head()))
    await asyncio.gather(write(store), write(other))
    entries = await following
    assert await whole_log(store) == entries
    assert list(range(1, 2 * rounds + 1)) == sorted(entry.change.record.id for entry in entries)
    assert NOON == entries[0].change.at
