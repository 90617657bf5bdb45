"""Requested messages: tests, and messages sent again."""

from datetime import timedelta

import pytest

from domain.deliveries import Delivery, DeliveryStatus, SendResult
from domain.ports import Store
from domain.product import PRODUCT
from domain.task import TASK
from domain.webhook import WEBHOOK, RequireExists
from tests.builders import Clock, create
from tests.contract.steps import carry_out, edit, fill, pending, positions_of
from tests.webhooks.endpoints import DOWN, GONE, Endpoints, current, delivered, log, make_dispatcher, subscribed

pytestmark = pytest.mark.anyio


async def requested(store: Store, delivery: Delivery) -> None:
    """Queue a delivery as the service does."""
    await carry_out(store, RequireExists(id=1), deliveries=(delivery,))


async def test_a_test(store: Store, endpoints: Endpoints) -> None:
    """A test message arrives even if the webhook is disabled or wants other types, and moves no position."""
    await subscribed(store, "a", enabled=False, types=["task.deleted"])
    before = await positions_of(store)
    each = make_dispatcher(store, endpoints)
    await requested(store, each.test(1))
    await delivered(each)
    (message,) = endpoints.messages
    document = message.document
    assert ("webhook.test", {"webhook": 1}) == (document["type"], document["data"])
    (kept,) = await log(store)
    assert (DeliveryStatus.DELIVERED, 1, message.headers["webhook-id"]) == (
        kept.status,
        len(kept.attempts),
        kept.message_id,
    )
    assert before == await positions_of(store)


@pytest.mark.parametrize("answer", [DOWN, GONE])
async def test_a_test_that_fails(store: Store, endpoints: Endpoints, clock: Clock, answer: SendResult) -> None:
    """A test message is tried once, and its failure does not disable the webhook."""
    await subscribed(store, "a")
    endpoints.answers["a"] = [answer]
    each = make_dispatcher(store, endpoints)
    await requested(store, each.test(1))
    await delivered(each)
    clock.now += timedelta(days=1)
    await delivered(each)
    assert (1, True) == (len(endpoints.messages), (await current(store)).enabled)
    assert [(DeliveryStatus.FAILED, None)] == [(kept.status, kept.next_attempt_at) for kept in await log(store)]


async def test_no_two_tests_are_the_same(store: Store, endpoints: Endpoints) -> None:
    """Each test message has its own delivery id and message id."""
    each = make_dispatcher(store, endpoints)
    one, other = each.test(1), each.test(1)
    assert 4 == len({one.id, other.id, one.message_id, other.message_id})


async def test_what_was_delivered_comes_again(store: Store, endpoints: Endpoints) -> None:
    """A message sent again is the same message in a new delivery, and the order of others stays."""
    await subscribed(store, "a")
    await carry_out(store, create(TASK), create(PRODUCT), create(TASK))
    each = make_dispatcher(store, endpoints)
    await delivered(each)
    before = await positions_of(store)
    second = (await log(store))[1]
    await requested(store, each.again(second))
    await delivered(each)
    assert ("product.created", 1, 1) == endpoints.told()[3]
    assert endpoints.messages[1].body == endpoints.messages[3].body
    again = (await log(store))[3]
    assert (second.message_id, DeliveryStatus.DELIVERED, True) == (again.message_id, again.status, again.requested)
    assert second.id != again.id
    assert 1 == len(again.attempts)
    assert before == await positions_of(store)


async def test_what_was_delivered_comes_again_from_among_others(store: Store, endpoints: Endpoints) -> None:
    """A message sent again is the same, even after changes of types that the webhook does not take."""
    await subscribed(store, "a", types=["product.created"])
    await carry_out(store, create(TASK), create(PRODUCT))
    each = make_dispatcher(store, endpoints)
    await delivered(each)
    (first,) = await log(store)
    await requested(store, each.again(first))
    await delivered(each)
    assert [("product.created", 1, 1)] * 2 == endpoints.told()


async def test_what_failed_comes_again_and_keeps_its_turn(store: Store, endpoints: Endpoints) -> None:
    """The change that disabled a webhook stays next in its order, even if it was requested meanwhile."""
    await subscribed(store, "a")
    before = await positions_of(store)
    await fill(store, TASK, {})
    endpoints.answers["a"] = [GONE]
    each = make_dispatcher(store, endpoints)
    await delivered(each)
    (failed,) = await log(store)
    await requested(store, each.again(failed))
    await delivered(each)
    assert [DeliveryStatus.FAILED, DeliveryStatus.DELIVERED] == [one.status for one in await log(store)]
    assert before == await positions_of(store)


async def test_what_waits_is_tried_now(store: Store, endpoints: Endpoints) -> None:
    """A pending delivery requested again is tried at once, with its attempts, and later ones follow in order."""
    await subscribed(store, "a")
    await fill(store, TASK, {}, {})
    endpoints.answers["a"] = [DOWN]
    each = make_dispatcher(store, endpoints)
    await delivered(each)
    (waiting,) = await pending(store)
    await requested(store, each.again(waiting))
    await delivered(each)
    assert [("task.created", id, 1) for id in (1, 1, 2)] == endpoints.told()
    assert [2, 1] == [len(kept.attempts) for kept in await log(store)]


async def test_what_is_no_longer_kept_cannot_come_again(store: Store, endpoints: Endpoints, clock: Clock) -> None:
    """A request for a purged change fails with the reason, and sends nothing."""
    await subscribed(store, "a", enabled=False)
    await fill(store, TASK, {})
    position = (await positions_of(store))[1]
    each = make_dispatcher(store, endpoints)
    old = Delivery(
        id="old",
        webhook=1,
        message_id="msg_old",
        type="task.created",
        after=position,
        requested=False,
        at=clock.now,
        status=DeliveryStatus.FAILED,
    )
    clock.now += timedelta(days=1)
    while await store.purge(clock.now, changes_before=clock.now):
        pass
    await requested(store, each.again(old))
    await delivered(each)
    (kept,) = await log(store)
    assert (DeliveryStatus.FAILED, "the change is no longer kept") == (kept.status, kept.attempts[0].error)
    assert [] == endpoints.messages


async def test_what_is_requested_goes_first(store: Store, endpoints: Endpoints) -> None:
    """A test message waits neither for a backlog nor for a delivery between attempts."""
    await subscribed(store, "a")
    await fill(store, TASK, {}, {})
    endpoints.answers["a"] = [DOWN]
    each = make_dispatcher(store, endpoints)
    await delivered(each)
    await carry_out(store, edit(WEBHOOK, 1, description="x"))
    await requested(store, each.test(1))
    await delivered(each)
    assert ["task.created", "webhook.test"] == [message.document["type"] for message in endpoints.messages]
