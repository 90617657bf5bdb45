"""Deliveries in every store: positions, leases, and the log of deliveries."""

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from domain.changes import Cursor
from domain.commands import Delete, Precondition, Restore
from domain.decisions import IdempotencyKey, Replay
from domain.deliveries import MAX_CLOCK_SKEW, Attempt, Delivery, DeliveryStatus, Lease, Progress
from domain.errors import BadCursor, NotFound, PreconditionFailed, Unavailable
from domain.ports import Store
from domain.product import PRODUCT
from domain.task import TASK
from domain.webhook import WEBHOOK, Disable, RequireExists
from tests.builders import LATER, NOON, Clock, batch, create
from tests.contract.steps import carry_out, edit, fill, outcome, pending, positions_of, trail, whole_log

pytestmark = pytest.mark.anyio

LEASE = timedelta(seconds=10)
SECOND = timedelta(seconds=1)
FAILED = DeliveryStatus.FAILED


def delivery(id: str = "d1", **facts: Any) -> Delivery:
    """Return a pending delivery to webhook 1."""
    standard = {"webhook": 1, "message_id": f"msg_{id}", "type": "task.created", "after": Cursor("x-1")}
    return Delivery(**{**standard, "id": id, "requested": False, "at": NOON, "next_attempt_at": NOON, **facts})


def attempt(**facts: Any) -> Attempt:
    """Return an attempt that was answered."""
    return Attempt(**{"at": LATER, "status": 500, "error": None, "duration_ms": 12, **facts})


async def ids(store: Store, **facts: Any) -> list[str]:
    """Return the ids of the deliveries to webhook 1."""
    return [each.id for each in await store.deliveries.history(1, **facts)]


async def test_changes_of_webhooks_are_not_published(store: Store) -> None:
    """Readers of the log get changes of webhooks only by naming their type; a webhook's history has them."""
    await carry_out(store, create(WEBHOOK), create(TASK))
    await carry_out(store, edit(WEBHOOK, 1, description="x"), create(PRODUCT), Delete(entity_type=WEBHOOK, id=1))
    assert [("task.created", 1, 1), ("product.created", 1, 1)] == await trail(store)
    page = await store.read(None, types=frozenset({"webhook.updated"}))
    assert [2] == [each.change.record.version for each in page.entries]
    assert [1, 2, 3] == [each.change.record.version for each in await store.history(WEBHOOK, 1)]
    assert await store.head() == (await store.read(None)).cursor


async def test_a_webhook_starts_at_the_end(store: Store, other: Store) -> None:
    """A new webhook starts after the newest change, and gets every later one."""
    assert {} == await positions_of(store)
    await fill(store, TASK, {})
    await carry_out(store, create(WEBHOOK))
    await fill(store, TASK, {})
    positions = await positions_of(store)
    assert [1] == list(positions)
    assert [("task.created", 2, 1)] == await trail(other, positions[1])
    assert positions == await positions_of(other)


async def test_a_webhook_starts_behind_what_was_written_with_it(store: Store) -> None:
    """A new webhook starts after all changes of its own batch."""
    await carry_out(store, create(TASK), create(WEBHOOK), create(TASK))
    position = (await positions_of(store))[1]
    assert () == (await store.read(position)).entries


async def test_a_webhook_starts_where_it_is_told(store: Store) -> None:
    """A batch can name the change after which its webhooks start."""
    start = await store.head()
    await fill(store, TASK, {})
    await carry_out(store, create(WEBHOOK), create(WEBHOOK), follow=start)
    assert {1: start, 2: start} == await positions_of(store)


async def test_a_webhook_starts_at_no_other_place(store: Store) -> None:
    """A start that is no cursor of this log is refused, and nothing is created."""
    with pytest.raises(BadCursor):
        await store.submit(batch(create(WEBHOOK), create(TASK), follow=Cursor("now")))
    assert ({}, []) == (await positions_of(store), await trail(store))
    (made,) = await fill(store, TASK, {})
    assert [("task.created", made.id, 1)] == await trail(store)


async def test_positions_last_as_long_as_their_webhooks(store: Store) -> None:
    """An edit keeps the position; a deletion removes it and the deliveries; a restored webhook starts at the end."""
    await carry_out(store, create(WEBHOOK), create(WEBHOOK))
    before = await positions_of(store)
    await carry_out(store, RequireExists(id=1), deliveries=(delivery(), delivery("d2", webhook=2)))
    await carry_out(store, edit(WEBHOOK, 1, enabled=False))
    assert before == await positions_of(store)
    await carry_out(store, Delete(entity_type=WEBHOOK, id=1))
    assert [2] == list(await positions_of(store))
    assert ["d2"] == [each.id for each in await pending(store, 2)]
    await fill(store, TASK, {})
    await carry_out(store, Restore(entity_type=WEBHOOK, id=1))
    assert [] == await trail(store, (await positions_of(store))[1])
    assert [] == await ids(store)


async def test_a_refusal_and_a_dry_run_leave_nothing(store: Store) -> None:
    """A dry run keeps no webhook and no deliveries, nor does a batch for a missing webhook."""
    await carry_out(store, create(WEBHOOK), dry_run=True)
    assert {} == await positions_of(store)
    (refusal,) = (await outcome(store, RequireExists(id=1), deliveries=(delivery(),))).results
    assert isinstance(refusal, NotFound)
    await carry_out(store, create(WEBHOOK))
    await carry_out(store, RequireExists(id=1), dry_run=True, deliveries=(delivery(),))
    assert () == await pending(store)


async def test_one_holds_a_lease(store: Store, other: Store, clock: Clock) -> None:
    """Only its owner renews a lease; others can take it once it has expired or is released."""
    assert not await store.deliveries.claim(1, "me", LEASE)
    await carry_out(store, create(WEBHOOK), create(WEBHOOK))
    assert await store.deliveries.claim(1, "me", LEASE)
    assert not await other.deliveries.claim(1, "you", LEASE)
    assert await other.deliveries.claim(2, "you", LEASE)
    clock.now = NOON + LEASE - SECOND
    assert await store.deliveries.claim(1, "me", LEASE)
    clock.now = NOON + LEASE
    assert not await other.deliveries.claim(1, "you", LEASE)
    clock.now = NOON + LEASE + LEASE - SECOND
    assert await other.deliveries.claim(1, "you", LEASE)
    await store.deliveries.release(1, "me")
    assert not await store.deliveries.claim(1, "me", LEASE)
    await other.deliveries.release(1, "you")
    assert await store.deliveries.claim(1, "me", LEASE)


async def test_a_lease_of_a_clock_that_was_ahead(store: Store, other: Store, clock: Clock) -> None:
    """A lease that ends impossibly late is void, but one of a clock slightly ahead is valid."""
    await carry_out(store, create(WEBHOOK), create(WEBHOOK))
    clock.now = NOON + timedelta(days=31)
    assert await store.deliveries.claim(1, "a process that died", LEASE)
    clock.now = NOON + MAX_CLOCK_SKEW
    assert await store.deliveries.claim(2, "a host that is ahead", LEASE)
    clock.now = NOON
    assert await other.deliveries.claim(1, "you", LEASE)
    assert not await other.deliveries.claim(2, "you", LEASE)
    clock.now = NOON - SECOND
    assert await other.deliveries.claim(2, "you", LEASE)


async def test_only_the_owner_records(store: Store, other: Store, clock: Clock) -> None:
    """Without the lease, a process changes neither the position nor the log of deliveries."""
    await carry_out(store, create(WEBHOOK))
    before = await positions_of(store)
    await fill(store, TASK, {})
    head = await store.head()
    assert not await store.deliveries.record(1, "me", delivery=delivery(), position=head)
    await store.deliveries.claim(1, "me", LEASE)
    clock.now = LATER
    await other.deliveries.claim(1, "you", LEASE)
    assert not await store.deliveries.record(1, "me", delivery=delivery(), position=head)
    assert (before, []) == (await positions_of(store), await ids(store))
    assert await other.deliveries.record(1, "you", delivery=delivery(), position=head)
    assert ({1: head}, ["d1"]) == (await positions_of(store), await ids(store))
    await other.deliveries.release(1, "you")
    assert not await other.deliveries.record(1, "you", delivery=delivery("d2"))


async def test_a_batch_with_a_lease(store: Store, other: Store, clock: Clock) -> None:
    """A batch with a valid lease writes its deliveries and commands together; without one it has no effect."""
    await carry_out(store, create(WEBHOOK), create(WEBHOOK))
    await store.deliveries.claim(1, "me", LEASE)
    await store.deliveries.record(1, "me", delivery=delivery(attempts=(attempt(),)))
    before = await whole_log(store), await store.deliveries.progress(1)
    failed = delivery(status=FAILED, attempts=(attempt(), attempt(status=410)), next_attempt_at=None)
    facts: dict[str, Any] = {"atomic": False, "deliveries": (failed,)}
    for lease in (Lease(webhook=1, owner="you"), Lease(webhook=2, owner="me"), Lease(webhook=3, owner="me")):
        refused = await outcome(other, Disable(id=1, reason="gone"), lease=lease, **facts)
        assert ((), before) == (refused.results, (await whole_log(store), await store.deliveries.progress(1)))
    mine = Lease(webhook=1, owner="me")
    (disabled,) = await carry_out(store, Disable(id=1, reason="gone"), lease=mine, **facts)
    assert (False, (failed,)) == (disabled.enabled, await other.deliveries.history(1))
    again = evolve(failed, attempts=())
    stale = Disable(id=1, reason="x", precondition=Precondition(frozenset({1})))
    (refusal,) = (await outcome(store, stale, lease=mine, atomic=False, deliveries=(again,))).results
    assert isinstance(refusal, PreconditionFailed)
    assert (again,) == await other.deliveries.history(1)
    clock.now = LATER
    await other.deliveries.claim(1, "you", LEASE)
    assert () == (await outcome(store, edit(WEBHOOK, 1, enabled=True), lease=mine, **facts)).results
    assert (again,) == await store.deliveries.history(1)


async def test_a_deleted_webhook_has_no_lease(store: Store) -> None:
    """The deletion of a webhook ends its lease; the owner's next record fails."""
    await carry_out(store, create(WEBHOOK))
    await store.deliveries.claim(1, "me", LEASE)
    await carry_out(store, Delete(entity_type=WEBHOOK, id=1))
    assert not await store.deliveries.record(1, "me", delivery=delivery())
    assert not await store.deliveries.claim(1, "me", LEASE)
    assert [] == await ids(store)


async def test_a_position_never_goes_back(store: Store) -> None:
    """Recording an earlier position changes nothing."""
    start = await store.head()
    await carry_out(store, create(WEBHOOK))
    reached = await positions_of(store)
    await store.deliveries.claim(1, "me", LEASE)
    assert await store.deliveries.record(1, "me", position=start)
    assert reached == await positions_of(store)
    with pytest.raises(BadCursor):
        await store.deliveries.record(1, "me", position=Cursor("now"))


async def test_a_delivery_is_kept_as_it_is(store: Store, other: Store) -> None:
    """Every caller reads every field of every attempt as it was written."""
    await carry_out(store, create(WEBHOOK))
    await store.deliveries.claim(1, "me", LEASE)
    attempts = (attempt(), attempt(status=None, error="»no«\n"), attempt(duration_ms=0))
    for each in (
        delivery("a", attempts=attempts),
        delivery("b", after=None, requested=True, next_attempt_at=None, status=FAILED),
        delivery("c", status=DeliveryStatus.DELIVERED, attempts=(attempt(status=204),), next_attempt_at=None),
    ):
        assert await store.deliveries.record(1, "me", delivery=each)
        assert each == await other.deliveries.delivery(1, each.id)
        assert await other.deliveries.delivery(2, each.id) is None
    assert await store.deliveries.delivery(1, "d") is None


async def test_recording_a_delivery_again(store: Store) -> None:
    """Recording a delivery again replaces it and keeps its place in the order."""
    await carry_out(store, create(WEBHOOK))
    await store.deliveries.claim(1, "me", LEASE)
    for each in (delivery("a"), delivery("b")):
        await store.deliveries.record(1, "me", delivery=each)
    done = delivery("a", status=DeliveryStatus.DELIVERED, attempts=(attempt(),), next_attempt_at=None)
    await store.deliveries.record(1, "me", delivery=done)
    assert (delivery("b"), done) == await store.deliveries.history(1)
    assert (delivery("b"),) == await pending(store)


async def test_progress(store: Store, other: Store) -> None:
    """Progress is one webhook's position and its pending deliveries, oldest first."""
    assert await store.deliveries.progress(1) is None
    await carry_out(store, create(WEBHOOK), create(WEBHOOK))
    queued = (delivery("b"), delivery("x", webhook=2), delivery("a", requested=True), delivery("c", status=FAILED))
    await carry_out(store, RequireExists(id=1), deliveries=queued)
    position = (await positions_of(store))[1]
    assert Progress(position=position, pending=(queued[0], queued[2])) == await other.deliveries.progress(1)
    await fill(store, TASK, {})
    await store.deliveries.claim(1, "me", LEASE)
    reached = await store.head()
    await store.deliveries.record(1, "me", delivery=delivery("b", status=FAILED), position=reached)
    assert Progress(position=reached, pending=(queued[2],)) == await other.deliveries.progress(1)


async def test_positions_of_some(store: Store) -> None:
    """The store returns the positions of requested webhooks that exist, and no others."""
    await carry_out(store, create(WEBHOOK), create(WEBHOOK), create(WEBHOOK))
    every = await positions_of(store)
    assert {1: every[1], 3: every[3]} == await store.deliveries.positions([3, 1, 4])
    assert {} == await store.deliveries.positions([])


async def test_who_has_a_backlog(store: Store, other: Store) -> None:
    """A webhook has a backlog if it is enabled and changes follow its position, or if a delivery is pending."""
    await carry_out(store, create(WEBHOOK), create(WEBHOOK), create(WEBHOOK, enabled=False), create(WEBHOOK))
    assert {} == await store.deliveries.backlogs()
    await carry_out(store, RequireExists(id=3), deliveries=(delivery("t", webhook=3, requested=True),))
    assert {3: await store.deliveries.progress(3)} == await other.deliveries.backlogs()
    await fill(store, TASK, {})
    for id in (1, 2):
        await store.deliveries.claim(id, "me", LEASE)
    await store.deliveries.record(1, "me", position=await store.head())
    await store.deliveries.record(2, "me", delivery=delivery("w", webhook=2))
    await carry_out(store, edit(WEBHOOK, 4, enabled=False))
    await store.deliveries.record(1, "me", position=await store.head())
    behind = await other.deliveries.backlogs()
    assert {id: await store.deliveries.progress(id) for id in (2, 3)} == behind
    assert [["w"], ["t"]] == [[each.id for each in behind[id].pending] for id in (2, 3)]
    await carry_out(store, edit(WEBHOOK, 4, enabled=True))
    assert [1, 2, 3, 4] == sorted(await store.deliveries.backlogs())


async def test_history(store: Store) -> None:
    """The deliveries of a webhook come in pages, newest first; no page follows an unknown id."""
    await carry_out(store, create(WEBHOOK), create(WEBHOOK))
    queued = tuple(delivery(id) for id in "hgfedcba")
    await carry_out(store, RequireExists(id=1), deliveries=(*queued[:4], delivery("x", webhook=2), *queued[4:]))
    assert list("abcdefgh") == await ids(store)
    assert list("abc") == await ids(store, limit=3)
    assert list("def") == await ids(store, before="c", limit=3)
    assert [] == await ids(store, before="h") == await ids(store, before="x") == await ids(store, before="?")


async def test_what_is_queued_again_only_gets_its_time(store: Store) -> None:
    """Queueing a pending delivery again keeps its attempts and changes its time; an ended one stays the same."""
    await carry_out(store, create(WEBHOOK))
    await store.deliveries.claim(1, "me", LEASE)
    waiting, done = delivery("a", attempts=(attempt(),)), delivery("b", status=FAILED)
    for each in (waiting, done):
        await store.deliveries.record(1, "me", delivery=each)
    again = tuple(evolve(each, attempts=(), next_attempt_at=LATER) for each in (waiting, done))
    await carry_out(store, RequireExists(id=1), deliveries=again)
    assert (done, evolve(waiting, next_attempt_at=LATER)) == await store.deliveries.history(1)


async def test_a_replay_queues_nothing(store: Store) -> None:
    """A replay has no effect, and queues no deliveries."""
    await carry_out(store, create(WEBHOOK))
    key = IdempotencyKey(caller="me", name="k", fingerprint=b"f")
    first = await outcome(store, RequireExists(id=1), key=key, deliveries=(delivery("a"),))
    again = await store.submit(batch(RequireExists(id=1), key=key, deliveries=(delivery("b"),)))
    assert (Replay(outcome=first), ["a"]) == (again, await ids(store))


async def test_the_earliest_needed_position(store: Store) -> None:
    """The log is needed from the earliest position of an enabled webhook on; disabled and deleted ones do not count."""
    assert await store.deliveries.needed() is None
    first = await store.head()
    await carry_out(store, create(WEBHOOK), follow=first)
    second = await store.head()
    await carry_out(store, create(WEBHOOK), follow=second)
    assert first == await store.deliveries.needed()
    await carry_out(store, edit(WEBHOOK, 1, enabled=False))
    assert second == await store.deliveries.needed()
    await carry_out(store, Delete(entity_type=WEBHOOK, id=2))
    assert await store.deliveries.needed() is None
    await carry_out(store, edit(WEBHOOK, 1, enabled=True))
    assert first == await store.deliveries.needed()


async def test_old_deliveries_are_purged(store: Store) -> None:
    """Any number of old deliveries are purged together with the changes of their time, except pending ones."""
    await carry_out(store, create(WEBHOOK))
    old = tuple(delivery(f"o{n}", status=DeliveryStatus.DELIVERED) for n in range(1200))
    rest = (delivery("p"), delivery("y", at=LATER, status=FAILED))
    await carry_out(store, RequireExists(id=1), deliveries=(*old, *rest))
    while await store.purge(NOON, changes_before=LATER):
        pass
    assert ["y", "p"] == await ids(store)


async def test_a_closed_store_delivers_nothing(store: Store) -> None:
    """Every call of a closed store is refused."""
    await store.close()
    for call in (
        store.deliveries.positions([1]),
        store.deliveries.needed(),
        store.deliveries.claim(1, "me", LEASE),
        store.deliveries.release(1, "me"),
        store.deliveries.record(1, "me"),
        store.deliveries.progress(1),
        store.deliveries.backlogs(),
        store.deliveries.delivery(1, "a"),
        store.deliveries.history(1),
    ):
        with pytest.raises(Unavailable):
            await call
