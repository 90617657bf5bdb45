"""A moved store is complete, and its followers go on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from domain.changes import Cursor
from domain.commands import Delete, Restore
from domain.errors import BadCursor, CursorExpired
from domain.ports import Store
from domain.product import PRODUCT
from domain.queries import Query
from domain.snapshot import (
    Export,
    Part,
)
from domain.task import TASK
from domain.use_cases.move import is_kept
from domain.webhook import WEBHOOK, RequireExists
from entrypoints.stores import exporting, importing
from tests.builders import LATER, Clock, batch, create
from tests.contract.locations import emptied, moved, opened
from tests.contract.moving.histories import YOUNG, ends, everything, make_history
from tests.contract.steps import carry_out, edit, fill, positions_of, trail, walk, whole_log
from tests.contract.test_calendars import new as new_calendar
from tests.contract.test_deliveries import LEASE, delivery
from tests.contract.test_keys import key, replayed

pytestmark = pytest.mark.anyio


async def test_everything_moves(store: Store, clock: Clock, arrived: Callable[[], Any]) -> None:
    """Documents, versions, histories, the log, positions, deliveries and the secret are equal, in every sort order."""
    await make_history(store, clock)
    there = await arrived()
    assert await everything(store) == await everything(there)
    for day in (date.min, date.max):  # PostgreSQL could take them as infinite
        found = await ends(there, TASK.by_name["due"], day)
        assert await ends(store, TASK.by_name["due"], day) == found != []
    assert await there.page(Query(entity_type=TASK, limit=3)) != await there.page(Query(entity_type=TASK))


async def test_keys_and_ids_go_on(store: Store, clock: Clock, arrived: Callable[[], Any]) -> None:
    """After a move, keys replay, new ids are above all earlier ones, and deleted entities can be restored."""
    await make_history(store, clock)
    given = max(each.change.record.id for each in await whole_log(store) if each.change.entity_type is TASK)
    there = await arrived()
    for each in (key(), key("other", caller="you")):
        assert await replayed(store, each) == await replayed(there, each)
    made, hook, back = await carry_out(there, create(TASK), create(WEBHOOK), Restore(entity_type=TASK, id=4))
    assert made.id > given
    assert (4, 3) == (hook.id, back.version)
    assert 4 == (await there.calendars.change(new_calendar())).id
    assert ("task.created", made.id, 1) == (await trail(there))[-2]
    positions = await positions_of(there)
    assert [] == await trail(there, positions[4])
    assert await there.deliveries.claim(1, "another", LEASE)


async def test_it_is_found_by_what_it_holds(store: Store, clock: Clock, arrived: Callable[[], Any]) -> None:
    """After a move, search finds old entities, and new, edited and deleted ones are found correctly."""
    await fill(store, TASK, {"title": "Buy milk"}, {"title": "Sell milk"}, {"title": "Drink milk"})
    there = await arrived()
    await carry_out(
        there, edit(TASK, 1, title="Buy bread"), Delete(entity_type=TASK, id=2), create(TASK, title="Oat milk")
    )
    found = await walk(there, Query(entity_type=TASK, search="milk"))
    assert {"Drink milk", "Oat milk"} == {each.title for each in found}


async def test_an_empty_store(store: Store, arrived: Callable[[], Any]) -> None:
    """Moving an empty store moves its secret and the start of its log."""
    start, secret = await store.head(), await store.secret()
    there = await arrived()
    await fill(there, TASK, {})
    assert (secret, 1) == (await there.secret(), len(await trail(there, start)))


async def told(store: Store, cursor: Cursor) -> list[Any]:
    """Return the changes after a cursor."""
    return [entry.change for entry in await whole_log(store, cursor)]


async def test_followers_go_on(store: Store, clock: Clock, arrived: Callable[[], Any]) -> None:
    """Each cursor of the original leads to the same changes in the copy, and to later ones."""
    await make_history(store, clock)
    cursors = [await store.oldest(), *(each.cursor for each in await whole_log(store)), await store.head()]
    page = (await store.page(Query(entity_type=TASK))).changes
    rest = [await told(store, each) for each in (*cursors, page)]
    there = await arrived()
    assert rest == [await told(there, each) for each in (*cursors, page)]
    end = (await there.read(page)).cursor
    assert [await there.head()] * 2 == [end, (await there.read(end)).cursor]
    watching = asyncio.ensure_future(there.wait_for_changes(end))
    await fill(there, TASK, {})
    await watching
    await there.wait_for_changes(page)
    assert 1 == len((await there.read(page)).entries)


async def test_what_was_not_moved_cannot_be_followed(store: Store, arrived: Callable[[], Any]) -> None:
    """A cursor that the original gave after the move has expired in the copy, whatever either has written since."""
    await fill(store, TASK, {}, {})
    there = await arrived()
    await fill(store, TASK, {}, {})
    await fill(there, TASK, {}, {})
    late = await store.head()
    with pytest.raises(CursorExpired):
        await there.read(late)
    await there.wait_for_changes(late)
    with pytest.raises(BadCursor):
        await store.read(await there.head())
    for none in ("", "-", late.partition("-")[0], late + "-", late + "\x00", late + "\udc80", "0" * 16 + "-1"):
        with pytest.raises((BadCursor, CursorExpired)):
            await there.read(Cursor(none))


async def test_cursors_expire_with_their_changes(store: Store, clock: Clock, arrived: Callable[[], Any]) -> None:
    """After a purge of moved changes their cursors have expired, and all others are valid."""
    await fill(store, TASK, {})
    start = await store.oldest()
    clock.now = LATER
    between = await store.head()
    await fill(store, TASK, {})
    there = await arrived()
    await there.purge(LATER, changes_before=LATER)
    with pytest.raises(CursorExpired):
        await there.read(start)
    assert [("task.created", 2, 1)] == await trail(there, between)
    await there.purge(LATER, changes_before=YOUNG)
    with pytest.raises(CursorExpired):
        await there.read(between)


async def test_a_store_that_moves_twice(store: Store, source: str, target: str, tmp_path: Path, clock: Clock) -> None:
    """A store that is moved twice still knows the cursors of the first log."""
    await make_history(store, clock)
    first = (await store.read(None, limit=1)).cursor
    await moved(source, target)
    there = await opened(target, clock)
    second = (await there.read(None, limit=2)).cursor
    before = await everything(there)
    rest = [await told(there, each) for each in (first, second)]
    await store.close()
    await there.close()
    await moved(target, await emptied(source, tmp_path))
    again = await opened(source, clock)
    assert before == await everything(again)
    assert rest == [await told(again, each) for each in (first, second)]
    await again.close()


async def test_a_move_takes_one_snapshot(store: Store, source: str, target: str, clock: Clock) -> None:
    """A move takes one snapshot: writes during the move are not part of the copy."""
    await make_history(store, clock)
    before = await everything(store)
    async with exporting(source) as export, importing(target) as importer:
        size = await export.size()
        reading = export.read()
        await importer.write(await anext(reading))
        await carry_out(store, create(TASK), create(WEBHOOK), Delete(entity_type=PRODUCT, id=1), key=key("late"))
        await store.submit(batch(RequireExists(id=2), deliveries=(delivery("late", webhook=2, requested=True),)))
        await store.purge(YOUNG, changes_before=LATER)
        async for part in reading:
            await importer.write(part)
        assert size == await export.size()
        await importer.arrange()
        async for original, copy in both(export, importer.taken):
            assert is_kept(original, copy)
        await importer.commit()
    there = await opened(target, clock)
    assert before == await everything(there)
    await there.close()


async def both(one: Export, other: Export) -> AsyncIterator[tuple[Part, Part]]:
    """Read two exports side by side."""
    others = other.read()
    async for part in one.read():
        yield part, await anext(others)
