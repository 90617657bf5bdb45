"""A store with a rich history, and a reading of all its data."""

from datetime import timedelta
from typing import Any

from domain.access.access_key import Actor
from domain.access.key_ring import RevokeKey, RotateKey
from domain.access.key_text import hash_of
from domain.access.scopes import AccessScope
from domain.calendar import DeleteCalendar
from domain.commands import Delete, Restore
from domain.deliveries import DeliveryStatus
from domain.entity_type import Field
from domain.ports import Store
from domain.product import PRODUCT
from domain.queries import Condition, Operator, Order, Query
from domain.task import TASK
from domain.webhook import WEBHOOK, RequireExists
from tests.builders import LATER, NOON, TRACE, Clock, batch, create
from tests.contract.shelves import LISTED, stock_up
from tests.contract.steps import carry_out, edit, pending, positions_of, trail, walk, whole_log
from tests.contract.test_access_keys import new
from tests.contract.test_calendars import new as new_calendar
from tests.contract.test_deliveries import LEASE, attempt, delivery
from tests.contract.test_keys import key

YOUNG = NOON + timedelta(days=1)
LAST = YOUNG + timedelta(days=1)


async def make_history(store: Store, clock: Clock) -> None:
    """Make every kind of change to a store, then purge the oldest."""
    for entity_type in (TASK, PRODUCT):
        await stock_up(store, entity_type, clock)
    await carry_out(store, create(WEBHOOK))
    await store.purge(NOON, changes_before=NOON.replace(microsecond=1))
    clock.now = YOUNG
    await carry_out(
        store, Delete(entity_type=TASK, id=3), Delete(entity_type=PRODUCT, id=2), edit(TASK, 1, title="\u2068é\u2069")
    )
    await carry_out(store, Restore(entity_type=TASK, id=3), create(TASK, title="last"), key=key())
    await carry_out(store, create(WEBHOOK, url="https://example.com/two"))
    await carry_out(store, create(WEBHOOK, url="https://example.com/three"), Delete(entity_type=TASK, id=4))
    last = (
        len((await store.page(Query(entity_type=TASK, order=(Order(TASK.by_name["id"], descending=True),)))).records)
        + 1
    )
    await carry_out(
        store, Delete(entity_type=TASK, id=last), Delete(entity_type=WEBHOOK, id=3), key=key("other", caller="you")
    )
    cursor = (await store.read(None, limit=2)).cursor
    assert await store.deliveries.claim(1, "p", LEASE)
    done = delivery(
        status=DeliveryStatus.DELIVERED, attempts=(attempt(), attempt(status=None, error="no")), after=cursor
    )
    assert await store.deliveries.record(1, "p", delivery=done, position=cursor)
    waiting = delivery("d2", after=cursor, next_attempt_at=LATER, attempts=(attempt(at=NOON.replace(microsecond=7)),))
    assert await store.deliveries.record(1, "p", delivery=waiting)
    await store.submit(batch(RequireExists(id=2), deliveries=(delivery("d3", webhook=2, requested=True, after=None),)))
    for number in range(3):
        await store.access_keys.change(new(f"s{number}", AccessScope.WRITE, expires_at=LAST if number else None))
    await store.access_keys.open_session(hash_of("t"), hash_of("s0"))
    await store.access_keys.change(RotateKey(id=2, secret="s3"))
    await store.access_keys.change(RevokeKey(id=3))
    await store.access_keys.touch({1: clock.now})
    for number in range(3):
        await store.calendars.change(new_calendar(f"c{number}", actor=None if number else Actor(1, "till 2")))
    await store.calendars.change(DeleteCalendar(id=3))
    await carry_out(store, create(TASK), actor=Actor(1, "till 2"), trace=TRACE)


async def everything(store: Store) -> list[Any]:
    """Return all data of a store, except cursors."""
    orders = [(entity_type, Order(field, descending=down)) for entity_type, field in LISTED for down in (False, True)]
    entries = [*await whole_log(store), *(await store.read(None, types=frozenset(WEBHOOK.change_types))).entries]
    positions = await positions_of(store)
    return [
        [await walk(store, Query(entity_type=entity_type, order=(order,), limit=5)) for entity_type, order in orders],
        [
            (await store.page(Query(entity_type=entity_type, search="x", total=True))).records
            for entity_type in (TASK, PRODUCT, WEBHOOK)
        ],
        [entry.change for entry in entries],
        [
            [each.change for each in await store.history(entity_type, id)]
            for entity_type in (TASK, WEBHOOK)
            for id in range(30)
        ],
        {id: await trail(store, position) for id, position in positions.items()},
        [await store.deliveries.history(id) for id in sorted(positions)],
        [await pending(store, id) for id in sorted(positions)],
        await trail(store, await store.deliveries.needed()),
        await store.secret(),
        await store.access_keys.keys(),
        [await store.access_keys.look_up(hash_of(each)) for each in ("s0", "s1", "s2", "s3", "t", "x")],
        await store.calendars.calendars(),
        [await store.calendars.find(hash_of(each)) for each in ("c0", "c1", "c2")],
    ]


async def ends(store: Store, field: Field, value: object) -> list[Any]:
    """Return the tasks that have a value."""
    return await walk(store, Query(entity_type=TASK, where=(Condition(field, Operator.EQ, value),)))
