"""Deliveries in order, from every store: arrivals, further attempts, and the end."""

from datetime import timedelta

import pytest
from standardwebhooks import Webhook as Verifier

from adapters.webhooks.dispatcher import LOOK_EVERY
from domain.commands import Delete
from domain.deliveries import DeliveryStatus, SendResult
from domain.errors import Unavailable
from domain.ports import Store
from domain.product import PRODUCT
from domain.retry_policy import DELAYS, JITTER, MAX_ATTEMPTS
from domain.task import TASK
from domain.trace import TraceContext
from domain.webhook import ROTATION, WEBHOOK, Rotate
from tests.builders import NOON, TRACE, Clock, create
from tests.contract.steps import carry_out, edit, fill, pending, positions_of
from tests.webhooks.endpoints import (
    DOWN,
    GONE,
    Endpoints,
    attempted,
    current,
    delivered,
    log,
    make_dispatcher,
    subscribed,
    url,
)

pytestmark = pytest.mark.anyio


async def test_every_change_arrives_in_order(store: Store, endpoints: Endpoints) -> None:
    """A webhook gets all changes after its creation, except changes of webhooks."""
    await fill(store, TASK, {})
    await subscribed(store, "a")
    await carry_out(store, create(TASK), create(PRODUCT))
    await carry_out(store, edit(TASK, 2, notes="x"), edit(WEBHOOK, 1, description="x"), Delete(entity_type=TASK, id=1))
    await delivered(make_dispatcher(store, endpoints))
    expected = [("task.created", 2, 1), ("product.created", 1, 1), ("task.updated", 2, 2), ("task.deleted", 1, 2)]
    assert expected == endpoints.told()
    await delivered(make_dispatcher(store, endpoints))
    assert expected == endpoints.told()
    assert {1: await store.head()} == await positions_of(store)


async def test_a_message_belongs_to_the_trace_of_its_change(store: Store, endpoints: Endpoints) -> None:
    """Each attempt carries the trace of the request on, with an id of its own; a change without a trace begins none."""
    await subscribed(store, "a")
    await carry_out(store, create(TASK), trace=TRACE)
    await carry_out(store, create(TASK))
    endpoints.answers["a"].append(DOWN)
    await delivered(make_dispatcher(store, endpoints))
    endpoints.clock.now += DELAYS[0] * (1 + JITTER)
    await delivered(make_dispatcher(store, endpoints))
    failed, arrived, other = (each.headers for each in endpoints.messages)
    assert TRACE.state == failed["tracestate"] == arrived["tracestate"]
    found = [TraceContext.parse(each["traceparent"], each["tracestate"]) for each in (failed, arrived)]
    assert [("4bf92f3577b34da6a3ce929d0e0e4736", "01")] * 2 == [each and (each.trace_id, each.flags) for each in found]
    assert 3 == len({TRACE.parent_id, *(each and each.parent_id for each in found)})
    assert set() == {"traceparent", "tracestate"} & set(other)


async def test_a_message(store: Store, endpoints: Endpoints) -> None:
    """A message has a type, a time and the change as in the log, and its content type is right."""
    await subscribed(store, "a")
    await carry_out(store, create(TASK, title="»Größe«"), request_id="r-9")
    await delivered(make_dispatcher(store, endpoints))
    (message,) = endpoints.messages
    document = message.document
    assert ("task.created", "2026-01-31T12:00:00.000000Z") == (document["type"], document["timestamp"])
    assert ["type", "timestamp", "data"] == list(document)
    assert (await store.head(), "r-9", "»Größe«") == (
        document["data"]["cursor"],
        document["data"]["request_id"],
        document["data"]["data"]["title"],
    )
    assert ("application/json", str(int(NOON.timestamp()))) == (
        message.headers["content-type"],
        message.headers["webhook-timestamp"],
    )


async def test_messages_are_told_apart(store: Store, endpoints: Endpoints) -> None:
    """Two changes of one entity at the same time are two messages."""
    await subscribed(store, "a")
    await fill(store, TASK, {})
    await carry_out(store, edit(TASK, 1, notes="x"))
    await delivered(make_dispatcher(store, endpoints))
    assert 2 == len({message.headers["webhook-id"] for message in endpoints.messages})


async def test_what_is_kept_of_a_delivery(store: Store, endpoints: Endpoints) -> None:
    """The log of deliveries holds the message, its attempts and their results."""
    await subscribed(store, "a")
    start = (await positions_of(store))[1]
    await fill(store, TASK, {})
    await delivered(make_dispatcher(store, endpoints))
    (kept,) = await log(store)
    assert endpoints.messages[0].headers["webhook-id"] == kept.message_id
    assert ("task.created", start, False, DeliveryStatus.DELIVERED, None) == (
        kept.type,
        kept.after,
        kept.requested,
        kept.status,
        kept.next_attempt_at,
    )
    assert (attempted(NOON, SendResult(status=200, duration_ms=1)),) == kept.attempts


async def test_only_some_types(store: Store, endpoints: Endpoints) -> None:
    """A webhook for some types gets only those, and its position moves past the others."""
    await subscribed(store, "a", types=["task.deleted"])
    await carry_out(store, create(TASK), create(PRODUCT), Delete(entity_type=TASK, id=1), create(PRODUCT))
    await delivered(make_dispatcher(store, endpoints))
    assert [("task.deleted", 1, 2)] == endpoints.told()
    assert {1: await store.head()} == await positions_of(store)


async def test_failures_are_tried_again_by_the_schedule(store: Store, endpoints: Endpoints, clock: Clock) -> None:
    """A failed message is sent again after each delay, never sooner, and later ones wait for it."""
    await subscribed(store, "a")
    await fill(store, TASK, {}, {})
    endpoints.answers["a"] = [DOWN, DOWN, DOWN]
    each = make_dispatcher(store, endpoints, random=0.5)
    await delivered(each)
    for delay in DELAYS[:3]:
        sent = len(endpoints.messages)
        due = clock.now + delay * (1 + JITTER * 0.5)
        (waiting,) = await pending(store)
        assert due == waiting.next_attempt_at
        clock.now = due - timedelta(microseconds=1)
        await delivered(each)
        assert sent == len(endpoints.messages)
        clock.now = due
        await delivered(each)
    assert [("task.created", 1, 1)] * 4 + [("task.created", 2, 1)] == endpoints.told()
    assert 2 == len({message.headers["webhook-id"] for message in endpoints.messages})
    assert 1 == len({message.body for message in endpoints.messages[:4]})
    first, second = await log(store)
    assert (4, 1) == (len(first.attempts), len(second.attempts))
    assert sorted(one.at for one in first.attempts) == [one.at for one in first.attempts]


async def test_it_sleeps_until_the_next_attempt_at_most(store: Store, endpoints: Endpoints, clock: Clock) -> None:
    """The next look is no later than the next attempt, and soon anyway, as other processes may write."""
    await subscribed(store, "a")
    await fill(store, TASK, {})
    endpoints.answers["a"] = [DOWN]
    each = make_dispatcher(store, endpoints)
    await delivered(each)
    assert NOON + LOOK_EVERY == await each.look()
    clock.now = NOON + DELAYS[0] - timedelta(milliseconds=1)
    assert NOON + DELAYS[0] == await each.look()


async def test_an_endpoint_may_ask_for_more_time(store: Store, endpoints: Endpoints) -> None:
    """Retry-After delays the next attempt."""
    await subscribed(store, "a")
    await fill(store, TASK, {})
    endpoints.answers["a"] = [SendResult(status=503, retry_after=4000.0, duration_ms=1)]
    await delivered(make_dispatcher(store, endpoints))
    (waiting,) = await pending(store)
    assert NOON + timedelta(seconds=4000) == waiting.next_attempt_at


async def test_gone_is_gone(store: Store, endpoints: Endpoints) -> None:
    """A 410 disables the webhook at once, with a reason and a new version, and nothing more is sent."""
    await subscribed(store, "a")
    await fill(store, TASK, {}, {})
    endpoints.answers["a"] = [GONE]
    each = make_dispatcher(store, endpoints)
    await delivered(each)
    await delivered(each)
    webhook = await current(store)
    assert (False, 2, "the endpoint answered 410 Gone") == (webhook.enabled, webhook.version, webhook.disabled_reason)
    assert ([("task.created", 1, 1)], [DeliveryStatus.FAILED]) == (
        endpoints.told(),
        [one.status for one in await log(store)],
    )
    assert [("enabled",)] == [one.change.changed for one in await store.history(WEBHOOK, 1, after=1)]


async def test_the_last_failure_disables(store: Store, endpoints: Endpoints, clock: Clock) -> None:
    """After the last attempt of the schedule the webhook is disabled, with a reason."""
    await subscribed(store, "a")
    await fill(store, TASK, {})
    endpoints.answers["a"] = [DOWN] * MAX_ATTEMPTS
    each = make_dispatcher(store, endpoints)
    for delay in (timedelta(0), *DELAYS):
        clock.now += delay
        assert (await current(store)).enabled
        await delivered(each)
    reason = f"{MAX_ATTEMPTS} attempts failed; the last attempt failed: {DOWN.error}"
    assert (False, reason) == ((await current(store)).enabled, (await current(store)).disabled_reason)
    assert MAX_ATTEMPTS == len((await log(store))[0].attempts) == len(endpoints.messages)


@pytest.mark.parametrize("answer", [GONE, DOWN])
async def test_who_dies_at_the_end_leaves_it_to_the_next(
    store: Store, endpoints: Endpoints, clock: Clock, monkeypatch: pytest.MonkeyPatch, answer: SendResult
) -> None:
    """The last failure and the disabling are atomic: if the disabling fails, the attempt is made again."""
    await subscribed(store, "a")
    await fill(store, TASK, {})
    endpoints.answers["a"] = [*[DOWN] * (MAX_ATTEMPTS - 1), answer, answer]
    each = make_dispatcher(store, endpoints)
    for delay in (timedelta(0), *DELAYS[:-1]):
        clock.now += delay
        await delivered(each)
    before = await log(store)

    async def die(_: Store, __: object) -> None:
        raise Unavailable

    with monkeypatch.context() as patch:
        patch.setattr(type(store), "submit", die)
        clock.now += DELAYS[-1]
        await delivered(each)
    assert (before, True) == (await log(store), (await current(store)).enabled)
    await delivered(make_dispatcher(store, endpoints))
    (failed,) = await log(store)
    assert (MAX_ATTEMPTS, DeliveryStatus.FAILED) == (len(failed.attempts), failed.status)
    assert not (await current(store)).enabled


async def test_what_is_enabled_again_goes_on_where_it_stood(store: Store, endpoints: Endpoints) -> None:
    """After it is enabled again, a webhook first gets the message that disabled it, with the same id; then the rest."""
    await subscribed(store, "a")
    await fill(store, TASK, {}, {})
    endpoints.answers["a"] = [GONE]
    each = make_dispatcher(store, endpoints)
    await delivered(each)
    await fill(store, TASK, {})
    await carry_out(store, edit(WEBHOOK, 1, enabled=True))
    await delivered(each)
    assert [("task.created", id, 1) for id in (1, 1, 2, 3)] == endpoints.told()
    assert endpoints.messages[0].headers["webhook-id"] == endpoints.messages[1].headers["webhook-id"]
    assert (True, None) == ((await current(store)).enabled, (await current(store)).disabled_reason)


async def test_a_change_of_types_drops_what_waits(store: Store, endpoints: Endpoints) -> None:
    """A message that a webhook no longer wants is not tried again, and delays nothing."""
    await subscribed(store, "a")
    await carry_out(store, create(TASK), create(PRODUCT))
    endpoints.answers["a"] = [DOWN]
    each = make_dispatcher(store, endpoints)
    await delivered(each)
    await carry_out(store, edit(WEBHOOK, 1, types=["product.created"]))
    endpoints.clock.now += DELAYS[0]
    await delivered(each)
    assert [("task.created", 1, 1), ("product.created", 1, 1)] == endpoints.told()
    assert [DeliveryStatus.FAILED, DeliveryStatus.DELIVERED] == [one.status for one in await log(store)]
    assert [None, None] == [one.next_attempt_at for one in await log(store)]


async def test_an_edit_may_have_been_the_cure(store: Store, endpoints: Endpoints) -> None:
    """A webhook that was edited during its last attempt is not disabled by its failure."""
    await subscribed(store, "a")
    await fill(store, TASK, {})
    endpoints.answers["a"] = [GONE]

    async def move() -> None:
        await carry_out(store, edit(WEBHOOK, 1, url=url("b")))

    endpoints.on_arrival = move
    each = make_dispatcher(store, endpoints)
    await delivered(each)
    assert (await current(store)).enabled
    await delivered(each)
    assert [("task.created", 1, 1)] == endpoints.told("b")


async def test_rotation(store: Store, endpoints: Endpoints, clock: Clock) -> None:
    """After a rotation both secrets verify for a day, then only the new one."""
    await subscribed(store, "a")
    await carry_out(store, Rotate(id=1))
    each = make_dispatcher(store, endpoints)
    old, new = Verifier(each.secret(1, 1)), Verifier(each.secret(1, 2))
    for age, count in ((timedelta(0), 2), (ROTATION - timedelta(seconds=1), 2), (ROTATION, 1)):
        clock.now = NOON + age
        await fill(store, TASK, {})
        await delivered(each)
        message = endpoints.messages[-1]
        facts = message.headers["webhook-id"], clock.now, message.body.decode()
        signatures = message.headers["webhook-signature"].split(" ")
        assert [new.sign(*facts), old.sign(*facts)][:count] == signatures


async def test_a_position_that_is_no_longer_kept(store: Store, endpoints: Endpoints, clock: Clock) -> None:
    """A webhook that was disabled for longer than the log goes back goes on with the oldest remaining change."""
    await subscribed(store, "a", enabled=False)
    await fill(store, TASK, {}, {})
    clock.now += timedelta(days=1)
    await fill(store, TASK, {})
    while await store.purge(clock.now, changes_before=clock.now, keep=await store.deliveries.needed()):
        pass
    await carry_out(store, edit(WEBHOOK, 1, enabled=True))
    await delivered(make_dispatcher(store, endpoints))
    assert [("task.created", 3, 1)] == endpoints.told()


async def test_what_an_enabled_webhook_needs_is_kept(store: Store, endpoints: Endpoints, clock: Clock) -> None:
    """A change is not purged before it is delivered, however long that takes."""
    await subscribed(store, "a")
    await fill(store, TASK, {}, {})
    clock.now += timedelta(days=100)
    await store.purge(clock.now, changes_before=clock.now, keep=await store.deliveries.needed())
    await delivered(make_dispatcher(store, endpoints))
    assert [("task.created", 1, 1), ("task.created", 2, 1)] == endpoints.told()
