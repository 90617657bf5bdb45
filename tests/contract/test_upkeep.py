"""Upkeep in every store: purging, the secret, and closing."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from domain.changes import Cursor
from domain.commands import Delete, Precondition, Restore
from domain.decisions import Done, IdempotencyKey, Outcome, Replay
from domain.errors import CursorExpired, NotFound, PreconditionFailed, Unavailable
from domain.ports import OUTCOMES_KEPT, Store
from domain.product import PRODUCT
from domain.queries import Query
from domain.task import TASK
from tests.builders import LATER, NOON, Clock, batch, create
from tests.contract.steps import carry_out, edit, fill, refusal, trail, walk

pytestmark = pytest.mark.anyio

NEVER = NOON - timedelta(days=1)


def key(name: str) -> IdempotencyKey:
    """Return a key."""
    return IdempotencyKey(caller="me", name=name, fingerprint=b"f")


async def purge(store: Store, **facts: Any) -> None:
    """Purge until nothing is left to purge."""
    while await store.purge(**{"at": NEVER, "changes_before": NEVER, **facts}):
        pass


async def test_old_changes_are_purged(store: Store, other: Store, clock: Clock) -> None:
    """A purge removes old changes and no entities; a new reader starts at the oldest remaining change."""
    made = await fill(store, TASK, {}, {})
    clock.now = LATER
    made += await fill(store, TASK, {})
    await purge(store, changes_before=LATER)
    for door in (store, other):
        assert [("task.created", 3, 1)] == await trail(door) == await trail(door, await other.oldest())
        assert made == await walk(door, Query(entity_type=TASK))
        assert () == await door.history(TASK, 1)
    await purge(store, changes_before=LATER + timedelta(seconds=1))
    head = await store.head()
    assert ([], head, head) == (await trail(store), (await store.read(None)).cursor, await store.oldest())


async def test_more_than_one_purge_removes_changes(store: Store) -> None:
    """Repeated purges remove any number of old changes."""
    for _ in range(3):
        await carry_out(store, *(create(TASK) for _ in range(900)))
    for number in range(20):
        await store.submit(batch(key=key(str(number))))
    await purge(store, at=LATER + OUTCOMES_KEPT, changes_before=LATER)
    assert [] == await trail(store)
    assert 2700 == (await store.page(Query(entity_type=TASK, limit=1, total=True))).total


async def test_more_than_one_purge_removes_stored_outcomes(store: Store) -> None:
    """Repeated purges remove any number of expired outcomes, even if nothing else is left to purge."""
    batches = [batch(key=key(str(number))) for number in range(1001)]
    await asyncio.gather(*map(store.submit, batches))
    await purge(store, at=NOON + OUTCOMES_KEPT)
    answers = await asyncio.gather(*map(store.submit, batches))
    assert {Outcome} == {type(answer) for answer in answers}


async def test_a_clock_that_ran_behind_expires_only_its_own_outcomes(store: Store, clock: Clock) -> None:
    """Outcomes stored before the clock was set back are kept for as long as was promised then."""
    await store.submit(batch(key=key("before")))
    clock.now = NOON - 2 * OUTCOMES_KEPT
    await store.submit(batch(key=key("meanwhile")))
    clock.now = NOON
    await purge(store, at=NOON)
    assert isinstance(await store.submit(batch(key=key("before"))), Replay)
    assert isinstance(await store.submit(batch(key=key("meanwhile"))), Outcome)


async def test_one_jump_of_the_clock_purges_nothing(store: Store, other: Store, clock: Clock) -> None:
    """Retention never advances by more than twice the elapsed time, for any process and any writes."""
    await fill(store, TASK, {})
    assert NOON == await store.believe(NOON, elapsed=timedelta())
    ahead, minute = NOON + timedelta(days=400), timedelta(minutes=1)
    assert NOON == await other.believe(ahead, elapsed=timedelta())
    clock.now = ahead
    await fill(store, TASK, {})
    assert NOON + 2 * minute == await store.believe(ahead + minute, elapsed=minute)
    assert NOON + 2 * minute == await other.believe(ahead + minute, elapsed=minute)
    assert NOON + minute == await other.believe(NOON + minute, elapsed=minute)


async def test_what_was_written_lately_is_believed_at_first(store: Store, clock: Clock) -> None:
    """A store that has never purged starts from its newest change."""
    await fill(store, TASK, {}, {})
    clock.now = LATER
    await fill(store, TASK, {})
    assert LATER == await store.believe(LATER + timedelta(days=400), elapsed=timedelta(hours=1))


async def test_an_empty_store_believes_the_clock(store: Store) -> None:
    """An empty store has nothing to contradict the clock."""
    assert LATER == await store.believe(LATER, elapsed=timedelta())


async def test_changes_that_a_reader_needs_are_kept(store: Store, clock: Clock) -> None:
    """A purge keeps all changes after the cursor to keep, however old; a cursor before the oldest change keeps all."""
    start = await store.head()
    await fill(store, TASK, {}, {}, {})
    first = (await store.read(None, limit=1)).cursor
    clock.now = LATER
    await purge(store, changes_before=LATER, keep=start)
    assert 3 == len(await trail(store))
    await purge(store, changes_before=LATER, keep=first)
    assert [("task.created", 2, 1), ("task.created", 3, 1)] == await trail(store, first)
    await purge(store, changes_before=LATER, keep=start)
    assert 2 == len(await trail(store, first))
    await purge(store, changes_before=LATER, keep=await store.head())
    assert [] == await trail(store)


async def test_a_young_change_ends_a_purge(store: Store, clock: Clock) -> None:
    """The log stays from its first young change on, even if a slow clock dated later changes earlier."""
    clock.now = LATER
    await fill(store, TASK, {})
    clock.now = NOON
    await fill(store, TASK, {})
    await purge(store, changes_before=LATER)
    assert 2 == len(await trail(store))


async def test_cursors_of_purged_changes(store: Store) -> None:
    """A cursor of a purged change has expired, except that of the last one, after which all changes remain."""
    start = await store.head()
    await fill(store, TASK, {}, {})
    middle, head = (await store.read(None, limit=1)).cursor, await store.head()
    await purge(store, changes_before=LATER)
    for gone in (start, middle):
        with pytest.raises(CursorExpired):
            await store.read(gone)
        await store.wait_for_changes(gone)
    assert ((), head) == ((await store.read(head)).entries, (await store.read(None)).cursor)
    await fill(store, TASK, {})
    assert [("task.created", 3, 1)] == await trail(store, head) == await trail(store)


async def test_a_restore_reaches_as_far_back_as_the_log(store: Store) -> None:
    """A deleted entity whose changes are purged cannot be restored, and its id is not given again."""
    await fill(store, TASK, {})
    await carry_out(store, Delete(entity_type=TASK, id=1))
    await purge(store, changes_before=LATER)
    assert isinstance(await refusal(store, Restore(entity_type=TASK, id=1)), NotFound)
    assert [2] == [each.id for each in await fill(store, TASK, {})]


async def test_changed_fields_are_unknown_after_a_purge(store: Store) -> None:
    """A failed precondition on a version older than the log names every field."""
    await fill(store, TASK, {})
    await carry_out(store, edit(TASK, 1, notes="a"), edit(TASK, 1, notes="b"))
    stale = Delete(entity_type=TASK, id=1, precondition=Precondition(frozenset({1})))

    async def changed() -> tuple[str, ...]:
        error = await refusal(store, stale)
        assert isinstance(error, PreconditionFailed)
        return error.changed

    assert ("notes",) == await changed()
    await purge(store, changes_before=LATER)
    assert TASK.writable_names == await changed()
    await carry_out(store, edit(TASK, 1, notes="c"))
    assert TASK.writable_names == await changed()


async def test_stored_outcomes_are_purged_when_they_expire(store: Store, clock: Clock) -> None:
    """A purge removes outcomes that have expired by its time, and no others."""
    await store.submit(batch(create(TASK), key=key("old")))
    clock.now = LATER
    new = await store.submit(batch(create(TASK), key=key("new")))
    assert isinstance(new, Outcome)
    await purge(store, at=NOON + OUTCOMES_KEPT)
    clock.now = NOON
    assert Replay(outcome=new) == await store.submit(batch(key=key("new")))
    assert isinstance(await store.submit(batch(key=key("old"))), Outcome)


async def test_a_purge_wakes_nobody_and_moves_no_cursor(store: Store) -> None:
    """A purge changes neither the head nor the revisions, so it wakes no waiting reader."""
    await fill(store, TASK, {})
    before = await store.head(), (await store.page(Query(entity_type=TASK))).revision
    await purge(store, changes_before=LATER)
    assert before == (await store.head(), (await store.page(Query(entity_type=TASK))).revision)


async def test_the_secret_is_shared(store: Store, other: Store) -> None:
    """Every caller of a store gets the same 32 bytes, every time."""
    assert 32 == len(await store.secret())
    assert await store.secret() == await store.secret() == await other.secret()


async def test_a_probe_leaves_nothing(store: Store, other: Store) -> None:
    """A ping of an open store succeeds and changes nothing."""
    made = await fill(store, TASK, {})
    before = await store.head(), await store.oldest(), await store.secret(), await store.page(Query(entity_type=TASK))
    await store.ping()
    for door in (store, other):
        page = await door.page(Query(entity_type=TASK))
        assert before == (await door.head(), await door.oldest(), await door.secret(), page)
    assert made == await walk(store, Query(entity_type=TASK))
    await fill(store, TASK, {})
    assert [("task.created", 2, 1)] == await trail(store, before[0])


async def test_closing_finishes_what_was_submitted(store: Store) -> None:
    """Closing carries out all submitted batches, and their callers get the results."""
    submitted = [asyncio.create_task(store.submit(batch(create(TASK)))) for _ in range(50)]
    await asyncio.sleep(0)  # lets each begin
    await store.close()
    answers = await asyncio.gather(*submitted)
    results = [result for answer in answers if isinstance(answer, Outcome) for result in answer.results]
    assert set(range(1, 51)) == {result.record.id for result in results if isinstance(result, Done)}


async def test_a_closed_store_is_not_available(store: Store) -> None:
    """A closed store refuses every call, waiting callers get an error, and closing again does nothing."""
    head: Cursor = await store.head()
    watching = asyncio.create_task(store.wait_for_changes(head))
    await asyncio.sleep(0)  # lets it wait
    await store.close()
    await store.close()
    with pytest.raises(Unavailable):
        await watching
    for call in (
        store.get(TASK, 1),
        store.page(Query(entity_type=PRODUCT)),
        store.page(Query(entity_type=PRODUCT, total=True)),
        store.submit(batch(create(TASK))),
        store.read(None),
        store.head(),
        store.oldest(),
        store.history(TASK, 1),
        store.wait_for_changes(head),
        store.ping(),
        store.believe(NOON, elapsed=timedelta()),
        store.purge(NOON, changes_before=NOON),
        store.secret(),
    ):
        with pytest.raises(Unavailable):
            await call
