"""Conflicting writers: nobody waits for writers of other entities, and everybody gets a turn."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from adapters.postgres import deliveries, transaction
from adapters.postgres.errors import Conflict
from adapters.postgres.store import PostgresStore
from domain.commands import Delete, Edit
from domain.decisions import Done, Outcome
from domain.deliveries import Lease
from domain.errors import AlreadyExists, NotFound, StorageFull, Unavailable
from domain.product import PRODUCT
from domain.task import TASK
from domain.use_cases.read import read_one
from domain.webhook import WEBHOOK, Disable, RequireExists
from tests.builders import LATER, NOON, batch, create, recorded
from tests.contract.steps import carry_out, edit, fill, outcome, pending, trail
from tests.contract.test_deliveries import delivery
from tests.databases import SHARED, Databases, open_store
from tests.postgres.transactions import Open, blocked

pytestmark = pytest.mark.anyio


async def notes(store: PostgresStore, id: int) -> str:
    """Return the notes of a task."""
    found = await store.get(TASK, id)
    assert found is not None
    return str(recorded(TASK, found).notes)


async def test_a_slow_writer_holds_up_only_its_own(store: PostgresStore, slow: Open) -> None:
    """While a transaction locks one task, writes to others succeed at once, and a write to that one waits."""
    await fill(store, TASK, {}, {})
    await slow.begin("SELECT FROM tasks WHERE id = 1 FOR UPDATE")
    waiting = asyncio.create_task(store.submit(batch(edit(TASK, 1, title="after"))))
    others = [store.submit(batch(edit(TASK, 2, notes=str(number)))) for number in range(5)]
    assert [Outcome] * 5 == [type(answer) for answer in await asyncio.gather(*others)]
    assert not waiting.done()
    await slow.carry_out(edit(TASK, 1, notes="slow"), locking=True)
    await slow.commit()
    await waiting
    assert "slow" == await notes(store, 1)
    assert [1, 2, 3] == [version for _, id, version in await trail(store) if id == 1]


async def test_opposite_orders_make_no_deadlock(postgres: Databases, dsn: str) -> None:
    """Two processes that change the same hundred tasks from opposite ends both succeed, without a deadlock."""
    await postgres.execute(f"ALTER DATABASE {SHARED} SET deadlock_timeout = '1h'")
    store, other = await open_store(dsn), await open_store(dsn)
    await fill(store, TASK, *({} for _ in range(100)))

    async def write(door: PostgresStore, ids: list[int], text: str) -> None:
        for number in range(5):
            await carry_out(door, *(edit(TASK, id, notes=f"{text}{number}") for id in ids))

    ids = list(range(1, 101))
    await asyncio.gather(write(store, ids, "up"), write(other, ids[::-1], "down"), write(other, ids, "too"))
    changes = await trail(store)
    for id in (1, 50, 100):
        assert list(range(1, 17)) == [version for _, each, version in changes if each == id]
    await store.close()
    await other.close()
    await postgres.execute(f"ALTER DATABASE {SHARED} RESET deadlock_timeout")


async def test_two_may_swap_what_is_unique(store: PostgresStore) -> None:
    """Two products can swap their skus in one batch, through an empty value."""
    await fill(store, PRODUCT, {"sku": "A"}, {"sku": "B"})
    swap = (edit(PRODUCT, 1, sku=None), edit(PRODUCT, 2, sku="A"), edit(PRODUCT, 1, sku="B"))
    assert ["B", "A"] == [each.sku for each in (await carry_out(store, *swap))[::-1][:2]]
    (refused,) = (await outcome(store, edit(PRODUCT, 1, sku="A"))).results
    assert isinstance(refused, AlreadyExists)
    assert 2 == refused.owner


async def test_what_was_submitted_at_the_same_time_takes_effect_in_its_order(store: PostgresStore) -> None:
    """A batch sees the earlier ones of its group: values that they passed on, took or freed."""
    await fill(store, PRODUCT, {"sku": "A"})
    give, take, late = await asyncio.gather(
        store.submit(batch(edit(PRODUCT, 1, sku=None))),
        store.submit(batch(create(PRODUCT, sku="A"))),
        store.submit(batch(create(PRODUCT, sku="A"))),
    )
    assert isinstance(give, Outcome)
    assert isinstance(take, Outcome)
    assert isinstance(late, Outcome)
    assert [Done, Done, AlreadyExists] == [type(each.results[0]) for each in (give, take, late)]


async def test_one_fault_is_not_the_fault_of_others(store: PostgresStore) -> None:
    """A fault fails only its own batch, not the others in the group."""

    class Broken(Edit[Any]):
        def decide(self, current: Any, at: Any) -> Any:
            raise RuntimeError("a fault in a decision")

    answers = await asyncio.gather(
        store.submit(batch(create(TASK))),
        store.submit(batch(Broken(entity_type=TASK, id=1, values={}))),
        store.submit(batch(create(TASK))),
        return_exceptions=True,
    )
    assert [Outcome, RuntimeError, Outcome] == [type(answer) for answer in answers]
    assert 2 == len(await trail(store))


async def test_repeated_conflicts_are_unavailable(store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a few conflicts the store raises `Unavailable`, and nothing has changed."""

    async def conflict(*_: object) -> None:
        raise Conflict

    monkeypatch.setattr(store, "_attempt", conflict)
    with pytest.raises(Unavailable):
        await store.submit(batch(create(TASK)))
    assert [] == await trail(store)


async def test_a_delivery_cannot_outlive_its_webhook(store: PostgresStore, slow: Open, dsn: str) -> None:
    """A delivery queued while another process deletes its webhook waits for that, and is refused."""
    await carry_out(store, create(WEBHOOK))
    watching = await asyncpg.connect(dsn)
    await slow.carry_out(Delete(entity_type=WEBHOOK, id=1))
    queueing = asyncio.create_task(outcome(store, RequireExists(id=1), deliveries=(delivery(),)))
    await blocked(watching, 1)
    await slow.commit()
    (refused,) = (await queueing).results
    assert isinstance(refused, NotFound)
    assert () == await pending(store)
    await watching.close()


async def test_a_lease_that_is_lost_at_the_last_moment(store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease that is lost between the lookup and the write changes nothing."""
    await carry_out(store, create(WEBHOOK))
    await store.deliveries.claim(1, "me", timedelta(seconds=3))
    is_held = deliveries.is_held

    async def overtaken(connection: Any, lease: Lease) -> bool:
        held = await is_held(connection, lease)
        await store.deliveries.release(1, "me")
        await store.deliveries.claim(1, "you", timedelta(seconds=3))
        return held

    monkeypatch.setattr(transaction, "is_held", overtaken)
    lease = Lease(webhook=1, owner="me")
    late = await outcome(store, Disable(id=1, reason="x"), deliveries=(delivery(),), lease=lease)
    assert ((), ()) == (late.results, await pending(store))
    assert recorded(WEBHOOK, await read_one(store, WEBHOOK, 1)).enabled


async def test_a_full_disk(store: PostgresStore, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """On a full disk writes are refused and reads go on; writes resume by themselves."""
    await fill(store, TASK, {})
    await connection.execute(
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END$$;"
        " CREATE TRIGGER full_disk BEFORE INSERT ON changes EXECUTE FUNCTION full_disk()"
    )
    try:
        with pytest.raises(StorageFull):
            await store.submit(batch(create(TASK)))
        assert 1 == len(await trail(store))
    finally:
        await connection.execute("DROP FUNCTION full_disk CASCADE")
    await fill(store, TASK, {})


async def test_the_time_of_retention_is_decided_in_turn(
    store: PostgresStore, slow: Open, connection: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """A process waits for another one that decides the time, and goes on from what that one believed."""
    await slow.begin("SELECT FROM secrets FOR UPDATE")
    believing = asyncio.ensure_future(store.believe(LATER, elapsed=timedelta(minutes=1)))
    waiting = asyncio.ensure_future(blocked(connection, 1))
    await asyncio.wait({believing, waiting}, return_when=asyncio.FIRST_COMPLETED)
    assert not believing.done()
    await slow.connection.execute("INSERT INTO retention VALUES ($1, $1)", NOON)
    await slow.commit()
    assert NOON + timedelta(minutes=2) == await believing
    await waiting
