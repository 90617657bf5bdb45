"""The log while transactions overlap: no reader skips what commits late, and none gets anything twice."""

import asyncio

import pytest

from adapters.postgres import notifier
from adapters.postgres.errors import Conflict
from adapters.postgres.store import PostgresStore
from domain.changes import Cursor, Entry
from domain.queries import Query
from domain.task import TASK
from domain.webhook import WEBHOOK
from tests.builders import create
from tests.contract.steps import carry_out, edit, fill, whole_log
from tests.postgres.transactions import Open

pytestmark = pytest.mark.anyio


def ids(entries: list[Entry] | tuple[Entry, ...]) -> list[int]:
    """Return the ids of the entities that changed."""
    return [entry.change.record.id for entry in entries]


async def ids_after(store: PostgresStore, cursor: Cursor | None) -> list[int]:
    """Return the ids of the entities that changed after a place, to the end of the log."""
    return ids(await whole_log(store, cursor))


async def test_what_commits_late_is_not_skipped(store: PostgresStore, slow: Open) -> None:
    """Of two open transactions the later commits first: readers wait for the earlier, and then get both in order."""
    await slow.carry_out(create(TASK))
    await fill(store, TASK, {})
    waiting = await store.read(None)
    assert [] == ids(waiting.entries)
    await slow.commit()
    assert [1, 2] == await ids_after(store, waiting.cursor) == await ids_after(store, None)


async def test_who_never_commits_holds_up_nobody_for_good(store: PostgresStore, slow: Open) -> None:
    """Readers go on as soon as a transaction is undone."""
    await slow.carry_out(create(TASK))
    await fill(store, TASK, {})
    await slow.rollback()
    assert [2] == await ids_after(store, None)


async def test_following_from_a_page_repeats_nothing(store: PostgresStore, slow: Open) -> None:
    """A page shows what readers may not see yet; who follows from it gets only what it did not show."""
    await fill(store, TASK, {})
    await slow.carry_out(create(TASK), create(TASK))
    await fill(store, TASK, {})
    page = await store.page(Query(entity_type=TASK))
    head = await store.head()
    assert [1, 4] == [record.id for record in page.records]
    await fill(store, TASK, {})
    assert [] == await ids_after(store, page.changes)
    await slow.commit()
    for place in (page.changes, head):
        assert [2, 3, 5] == await ids_after(store, place)
        first = await store.read(place, limit=1)
        assert [2] == ids(first.entries)
        assert [3, 5] == await ids_after(store, first.cursor) == await ids_after(store, first.entries[0].cursor)


async def test_a_cursor_forgets_what_it_need_not_know(store: PostgresStore, slow: Open) -> None:
    """Once everything that was open has been passed, a place is the same for all, however they came there."""
    await fill(store, TASK, {})
    page = await store.page(Query(entity_type=TASK))
    assert page.changes == (await store.read(None)).cursor
    await slow.carry_out(create(TASK))
    await fill(store, TASK, {})
    overlapping = await store.page(Query(entity_type=TASK))
    await slow.commit()
    await fill(store, TASK, {})
    assert await store.head() == (await store.read(overlapping.changes)).cursor == (await store.read(None)).cursor
    assert await store.head() != overlapping.changes


async def test_revisions_differ_while_transactions_overlap(store: PostgresStore, slow: Open) -> None:
    """What commits late gives its collection a new revision, though its place is not the newest."""
    await slow.carry_out(create(TASK))
    await fill(store, TASK, {})
    before = await store.page(Query(entity_type=TASK))
    await slow.commit()
    after = await store.page(Query(entity_type=TASK))
    assert (1, 2) == (len(before.records), len(after.records))
    assert before.revision != after.revision


async def test_history_hands_out_no_place_that_skips(store: PostgresStore, slow: Open) -> None:
    """History shows what readers may not see yet, with a place from which nothing is missed."""
    await fill(store, TASK, {})
    await slow.carry_out(create(TASK))
    await carry_out(store, edit(TASK, 1, notes="x"))
    first, second = await store.history(TASK, 1)
    await slow.commit()
    assert [2, 1] == await ids_after(store, first.cursor) == await ids_after(store, second.cursor)


async def test_a_watcher_wakes_when_readers_may_see_it(
    store: PostgresStore, slow: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sleeps while what is new is held up, and wakes soon after that ends, though nobody rings then."""
    monkeypatch.setattr(notifier, "LOOK_AGAIN_S", 3600)
    head = await store.head()
    await slow.carry_out(create(TASK))
    watching = asyncio.create_task(store.wait_for_changes(head))
    await fill(store, TASK, {})
    await store.page(Query(entity_type=TASK))
    assert not watching.done()
    await slow.commit()
    await watching
    assert [1, 2] == await ids_after(store, head)


async def test_a_webhook_follows_from_a_page(store: PostgresStore, slow: Open) -> None:
    """A position remembers what the page showed from which it was taken."""
    await slow.carry_out(create(TASK))
    await fill(store, TASK, {})
    page = await store.page(Query(entity_type=TASK))
    await carry_out(store, create(WEBHOOK), follow=page.changes)
    await slow.commit()
    assert {1: page.changes} == await store.deliveries.positions()
    assert [1] == await ids_after(store, (await store.deliveries.positions())[1])


async def test_who_waited_too_long_is_not_written_behind(store: PostgresStore, slow: Open) -> None:
    """A transaction whose id is lower than that of the change it was decided on must not come in front of it."""
    await fill(store, TASK, {}, {})
    await slow.begin()
    await carry_out(store, edit(TASK, 1, notes="x"))
    with pytest.raises(Conflict):
        await slow.carry_out(edit(TASK, 1, notes="y"), locking=True)
    await slow.carry_out(edit(TASK, 2, notes="y"), locking=True)
    await slow.commit()
    changes = [(each.change.record.id, each.change.record.version) for each in await whole_log(store)]
    assert [(1, 1), (2, 1), (2, 2), (1, 2)] == changes
