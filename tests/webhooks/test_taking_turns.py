"""Slow endpoints that delay no others, and processes that take turns."""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Any

import pytest

from adapters.webhooks import delivery_run
from adapters.webhooks import dispatcher as module
from adapters.webhooks.delivery_run import LEASE, MAX_STEPS
from adapters.webhooks.dispatcher import Dispatcher
from domain.commands import Delete
from domain.deliveries import DeliveryStatus
from domain.errors import Unavailable
from domain.ports import Store
from domain.retry_policy import DELAYS
from domain.scheduling import Step
from domain.task import TASK
from domain.use_cases.deliver import Deliver
from domain.webhook import WEBHOOK
from tests.builders import Clock
from tests.contract.steps import carry_out, fill, pending
from tests.webhooks.endpoints import DOWN, GONE, Endpoints, current, delivered, log, make_dispatcher, subscribed

pytestmark = pytest.mark.anyio

DEAD = 15
ROUNDS = 60


async def test_a_slow_endpoint_holds_up_no_other(store: Store, endpoints: Endpoints) -> None:
    """While one endpoint does not answer, another gets all its messages."""
    slow = endpoints.closed["slow"] = asyncio.Event()
    await subscribed(store, "slow", "quick")
    await fill(store, TASK, {}, {}, {})
    each = make_dispatcher(store, endpoints)
    await each.look()
    while len(endpoints.told("quick")) < 3 or not endpoints.told("slow"):
        endpoints.arrived.clear()
        await endpoints.arrived.wait()
    assert [("task.created", 1, 1)] == endpoints.told("slow")
    slow.set()
    await each.idle()
    assert endpoints.told("quick") == endpoints.told("slow")


async def test_a_dead_endpoint_holds_up_no_other(store: Store, endpoints: Endpoints) -> None:
    """Failures of one endpoint do not affect another."""
    endpoints.answers["dead"] = [DOWN]
    await subscribed(store, "dead", "alive")
    await fill(store, TASK, {}, {})
    await delivered(make_dispatcher(store, endpoints))
    assert (1, 2) == (len(endpoints.told("dead")), len(endpoints.told("alive")))


async def test_who_comes_among_dead_endpoints_waits_for_none(store: Store, endpoints: Endpoints, clock: Clock) -> None:
    """While many endpoints fail repeatedly, each new or changed one gets its messages at once."""
    dead = [f"dead{number}" for number in range(DEAD)]
    for each in dead:
        endpoints.answers[each] = [DOWN] * ROUNDS
    await subscribed(store, *dead)
    runner = make_dispatcher(store, endpoints)
    running = asyncio.create_task(runner.run())
    for number in range(ROUNDS):
        await subscribed(store, f"alive{number}")
        await fill(store, TASK, {})
        await runner.wake()
        async with asyncio.timeout(10):
            while not endpoints.told(f"alive{number}"):
                endpoints.arrived.clear()
                await endpoints.arrived.wait()
        await carry_out(store, Delete(entity_type=WEBHOOK, id=DEAD + number + 1))
        clock.now += DELAYS[0]
    running.cancel()
    await asyncio.wait({running})
    assert [("task.created", ROUNDS, 1)] == endpoints.told(f"alive{ROUNDS - 1}")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (RuntimeError("odd"), "delivering to webhook 1 failed, and will be tried again"),
        (Unavailable("away"), "delivering to webhook 1 failed, and will be tried again: away"),
    ],
)
async def test_a_fault_is_one_endpoints_own(
    store: Store, endpoints: Endpoints, caplog: pytest.LogCaptureFixture, fault: Exception, said: str
) -> None:
    """A fault in a delivery, also one of the store, is logged, affects no other, and the message is sent again."""
    endpoints.answers["odd"] = [fault]
    await subscribed(store, "odd", "even")
    await fill(store, TASK, {})
    each = make_dispatcher(store, endpoints)
    with caplog.at_level(logging.WARNING, "backroom"):
        await delivered(each)
    assert [said] == caplog.messages
    await delivered(each)
    assert (2, 1) == (len(endpoints.told("odd")), len(endpoints.told("even")))


async def test_an_unforeseen_fault_while_it_looks_is_one_webhooks_own(
    store: Store, endpoints: Endpoints, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault in the search for one webhook affects no other, and the search is tried again."""
    next_step, faults = Deliver.next_step, [RuntimeError("odd")]

    async def failing(self: Deliver, id: int, *rest: Any) -> Step:
        if id == 1 and faults:
            raise faults.pop()
        return await next_step(self, id, *rest)

    monkeypatch.setattr(Deliver, "next_step", failing)
    await subscribed(store, "odd", "even")
    await fill(store, TASK, {})
    each = make_dispatcher(store, endpoints)
    with caplog.at_level(logging.ERROR, "backroom"):
        await delivered(each)
    assert ["looking for deliveries to webhook 1 failed, and will be tried again"] == caplog.messages
    assert (0, 1) == (len(endpoints.told("odd")), len(endpoints.told("even")))
    await delivered(each)
    assert (1, 1) == (len(endpoints.told("odd")), len(endpoints.told("even")))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (RuntimeError("odd"), "looking for deliveries failed, and will be tried again"),
        (Unavailable("away"), "looking for deliveries failed, and will be tried again: away"),
    ],
)
async def test_a_fault_ends_nothing(
    store: Store, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, fault: Exception, said: str
) -> None:
    """Any fault in the search for due deliveries is logged, and the search is tried again."""
    each, looked = make_dispatcher(store, Endpoints(Clock())), asyncio.Event()
    faults = [fault]

    async def look(self: Dispatcher) -> datetime:
        if faults:
            raise faults.pop()
        looked.set()
        return self.clock() + timedelta(hours=1)

    monkeypatch.setattr(Dispatcher, "look", look)
    monkeypatch.setattr(module, "LOOK_EVERY", timedelta(0))
    running = asyncio.create_task(each.run())
    with caplog.at_level(logging.WARNING, "backroom"):
        await asyncio.wait({running, asyncio.ensure_future(looked.wait())}, return_when=asyncio.FIRST_COMPLETED)
    running.cancel()
    assert [said] == caplog.messages


async def test_a_long_backlog_is_taken_in_turns(store: Store, endpoints: Endpoints) -> None:
    """One run delivers a limited number of messages, and the next one goes on from there."""
    await subscribed(store, "a")
    await fill(store, TASK, *({} for _ in range(MAX_STEPS + 1)))
    each = make_dispatcher(store, endpoints)
    await delivered(each)
    assert MAX_STEPS == len(endpoints.messages)
    await delivered(each)
    assert list(range(1, MAX_STEPS + 2)) == [id for _, id, _ in endpoints.told()]


async def test_one_process_at_a_time(store: Store, other: Store, endpoints: Endpoints) -> None:
    """While one process delivers, another does not; together they deliver everything once."""
    await subscribed(store, "a")
    await fill(store, TASK, {}, {})
    gate = endpoints.closed["a"] = asyncio.Event()
    first, second = make_dispatcher(store, endpoints), make_dispatcher(other, endpoints)
    await first.look()
    await endpoints.arrived.wait()
    await delivered(second)
    gate.set()
    await first.idle()
    await delivered(second)
    assert [("task.created", 1, 1), ("task.created", 2, 1)] == endpoints.told()


async def test_another_process_takes_over(store: Store, other: Store, endpoints: Endpoints, clock: Clock) -> None:
    """After a process dies, another goes on once the lease has expired, and not before."""
    await subscribed(store, "a")
    await fill(store, TASK, {})
    assert await store.deliveries.claim(1, "a process that is dead", LEASE)
    survivor = make_dispatcher(other, endpoints)
    await delivered(survivor)
    assert [] == endpoints.told()
    clock.now += LEASE
    await delivered(survivor)
    assert [("task.created", 1, 1)] == endpoints.told()


async def test_a_clock_that_was_ahead(store: Store, other: Store, endpoints: Endpoints, clock: Clock) -> None:
    """A dead process whose clock was ahead keeps nobody from an endpoint, by its lease or its next attempt."""
    endpoints.answers["a"] = [DOWN]
    await subscribed(store, "a")
    await fill(store, TASK, {})
    right = clock.now
    clock.now += timedelta(days=31)
    await delivered(make_dispatcher(store, endpoints))
    assert await store.deliveries.claim(1, "a process that is dead", LEASE)
    clock.now = right
    await delivered(make_dispatcher(other, endpoints))
    assert [("task.created", 1, 1)] * 2 == endpoints.told()
    assert [DeliveryStatus.DELIVERED] == [each.status for each in await log(store)]


async def test_a_clock_that_is_set_back_while_it_looks(
    store: Store, endpoints: Endpoints, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the clock is set back, the dispatcher rests only until the next regular look."""
    each = make_dispatcher(store, endpoints)
    look = each.look

    async def set_back() -> datetime:
        again = await look()
        clock.now -= timedelta(days=31)
        return again

    monkeypatch.setattr(each, "look", set_back)
    assert module.LOOK_EVERY.total_seconds() == await each._looked()


async def test_who_sends_for_long_holds_on(
    store: Store, other: Store, endpoints: Endpoints, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease is renewed while an endpoint is slow."""
    prolonged = asyncio.Semaphore(0)
    claim = type(store.deliveries).claim

    async def counted(deliveries: Any, webhook: int, owner: str, lease: timedelta) -> bool:
        holds: bool = await claim(deliveries, webhook, owner, lease)
        prolonged.release()
        return holds

    monkeypatch.setattr(delivery_run, "RENEW_S", 0)
    monkeypatch.setattr(type(store.deliveries), "claim", counted)
    await subscribed(store, "a")
    await fill(store, TASK, {})
    gate = endpoints.closed["a"] = asyncio.Event()
    first = make_dispatcher(store, endpoints)
    await first.look()
    await endpoints.arrived.wait()
    for _ in range(3):
        clock.now += LEASE - timedelta(microseconds=1)
        while not prolonged.locked():
            await prolonged.acquire()
        await prolonged.acquire()  # it may have begun before the clock was set
        await prolonged.acquire()
        assert not await claim(other.deliveries, 1, "you", LEASE)
    gate.set()
    await first.idle()
    assert [DeliveryStatus.DELIVERED] == [each.status for each in await log(store)]


@pytest.fixture
def unrenewed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no process renew its lease, as if it had been stopped."""
    monkeypatch.setattr(delivery_run, "RENEW_S", 3600)


async def overtaken(store: Store, other: Store, endpoints: Endpoints, clock: Clock) -> tuple[Dispatcher, asyncio.Event]:
    """Let a process deliver what another is still sending; return the late one, and the event that lets it go on."""
    await subscribed(store, "a")
    await fill(store, TASK, {})
    gate = endpoints.closed["a"] = asyncio.Event()
    late = make_dispatcher(store, endpoints)
    await late.look()
    await endpoints.arrived.wait()
    clock.now += LEASE
    del endpoints.closed["a"]
    await delivered(make_dispatcher(other, endpoints))
    return late, gate


@pytest.mark.usefixtures("unrenewed")
async def test_who_lost_the_lease_changes_nothing(
    store: Store, other: Store, endpoints: Endpoints, clock: Clock
) -> None:
    """A process that has lost its lease records nothing; the new owner of the lease does."""
    late, gate = await overtaken(store, other, endpoints, clock)
    gate.set()
    await late.idle()
    assert [("task.created", 1, 1)] * 2 == endpoints.told()
    assert [DeliveryStatus.DELIVERED] == [each.status for each in await log(store)]


@pytest.mark.usefixtures("unrenewed")
async def test_who_lost_the_lease_disables_nothing(
    store: Store, other: Store, endpoints: Endpoints, clock: Clock
) -> None:
    """A late 410 disables nothing, because another process has delivered since."""
    late, gate = await overtaken(store, other, endpoints, clock)
    endpoints.answers["a"] = [GONE]
    gate.set()
    await late.idle()
    assert [] == endpoints.answers["a"]
    assert (await current(store)).enabled


async def test_sending_ends_with_the_lease(store: Store, endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that loses its lease stops waiting for the endpoint."""
    monkeypatch.setattr(delivery_run, "RENEW_S", 0)
    given_up = asyncio.Event()

    async def wait_for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()

    endpoints.on_arrival = wait_for_ever
    await subscribed(store, "a")
    await fill(store, TASK, {})
    each = make_dispatcher(store, endpoints)
    await each.look()
    await endpoints.arrived.wait()
    await carry_out(store, Delete(entity_type=WEBHOOK, id=1))  # which also removes the lease
    await asyncio.wait_for(each.idle(), 10)
    assert given_up.is_set()


async def test_so_many_endpoints_at_once(store: Store, endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of concurrent runs is limited, and every endpoint gets its turn."""
    monkeypatch.setattr(module, "MAX_RUNS", 2)
    inside: list[int] = [0]

    async def stay() -> None:
        inside.append(inside[-1] + 1)
        for _ in range(100):
            await asyncio.sleep(0)
        inside.append(inside[-1] - 1)

    endpoints.on_arrival = stay
    await subscribed(store, *"abcde")
    await fill(store, TASK, {})
    await delivered(make_dispatcher(store, endpoints))
    assert 2 >= max(inside)
    assert 5 == len(endpoints.messages)


async def test_endpoints_that_failed_have_turns_of_their_own(
    store: Store, endpoints: Endpoints, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any number of silent endpoints at a further attempt do not delay one that has not failed."""
    monkeypatch.setattr(module, "MAX_RUNS", 2)
    monkeypatch.setattr(module, "MAX_RETRIES", 2)
    silent = ["silent0", "silent1", "silent2"]
    for name in silent:
        endpoints.answers[name] = [DOWN]
    await subscribed(store, *silent, "alive")
    await fill(store, TASK, {})
    each = make_dispatcher(store, endpoints)
    await delivered(each)
    endpoints.closed = {name: asyncio.Event() for name in silent}
    clock.now += DELAYS[0]
    await fill(store, TASK, {})
    await each.look()
    async with asyncio.timeout(10):
        while len(endpoints.told("alive")) < 2:
            endpoints.arrived.clear()
            await endpoints.arrived.wait()
    for gate in endpoints.closed.values():
        gate.set()
    await each.idle()
    assert [3, 3, 3, 2] == [len(endpoints.told(name)) for name in (*silent, "alive")]


async def test_a_wake_while_it_looks(store: Store, endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wake during a look makes another look follow at once, because the first may have missed the change."""
    monkeypatch.setattr(module, "LOOK_EVERY", timedelta(hours=1))
    each = make_dispatcher(store, endpoints)
    looked_again = asyncio.Event()
    backlogs = type(store.deliveries).backlogs

    async def woken(deliveries: Any) -> Any:
        found = await backlogs(deliveries)
        if wakes:
            await wakes.pop()()
        else:
            looked_again.set()
        return found

    wakes = [each.wake]
    monkeypatch.setattr(type(store.deliveries), "backlogs", woken)
    running = asyncio.create_task(each.run())
    assert await asyncio.wait_for(looked_again.wait(), 10)
    running.cancel()
    await asyncio.wait({running})


async def test_a_webhook_that_is_deleted_meanwhile(store: Store, endpoints: Endpoints) -> None:
    """A message to a webhook deleted meanwhile is sent, but not recorded, and none follows."""
    await subscribed(store, "a")
    await fill(store, TASK, {}, {})
    gate = endpoints.closed["a"] = asyncio.Event()
    each = make_dispatcher(store, endpoints)
    await each.look()
    await endpoints.arrived.wait()
    await carry_out(store, Delete(entity_type=WEBHOOK, id=1))
    gate.set()
    await each.idle()
    await delivered(each)
    assert ([("task.created", 1, 1)], ()) == (endpoints.told(), await pending(store))


async def test_running(store: Store, endpoints: Endpoints) -> None:
    """A wake starts the delivery of a change; cancelling in the middle of a run releases the lease."""
    await subscribed(store, "a")
    each = make_dispatcher(store, endpoints)
    running = asyncio.create_task(each.run())
    await fill(store, TASK, {})
    await each.wake()
    await endpoints.arrived.wait()
    endpoints.arrived.clear()
    endpoints.closed["a"] = asyncio.Event()
    await fill(store, TASK, {})
    await each.wake()
    await endpoints.arrived.wait()
    running.cancel()
    await asyncio.wait({running})
    assert await store.deliveries.claim(1, "the next process", LEASE)
    assert [("task.created", 1, 1), ("task.created", 2, 1)] == endpoints.told()
    del endpoints.closed["a"]


async def test_a_run_is_followed_by_another_look(store: Store, other: Store, endpoints: Endpoints) -> None:
    """A process looks at once after its own run; one without the lease waits for its regular look."""
    await subscribed(store, "a")
    await fill(store, TASK, {})
    first, second = make_dispatcher(store, endpoints), make_dispatcher(other, endpoints)
    await store.deliveries.claim(1, "a process that is alive", LEASE)
    await delivered(second)
    await store.deliveries.release(1, "a process that is alive")
    await delivered(first)
    assert (True, False) == (first._wake_event.is_set(), second._wake_event.is_set())


async def test_a_store_that_fails_is_asked_again(store: Store, endpoints: Endpoints) -> None:
    """The dispatcher survives an unavailable store, while looking and while delivering."""
    await subscribed(store, "a")
    await fill(store, TASK, {})
    each = make_dispatcher(store, endpoints)
    endpoints.on_arrival = store.close
    running = asyncio.create_task(each.run())
    await endpoints.arrived.wait()
    await each.idle()
    await each.wake()
    await asyncio.sleep(0)
    assert not running.done()
    running.cancel()
    await asyncio.wait({running})


async def test_no_webhooks_no_work(store: Store, endpoints: Endpoints) -> None:
    """Without any webhook the dispatcher reports no readers, so that writers need not wake it."""
    each = make_dispatcher(store, endpoints)
    told = [each.has_readers]  # before the first look there may be some
    await delivered(each)
    told.append(each.has_readers)
    await subscribed(store, "a")
    await delivered(each)
    told.append(each.has_readers)
    assert [True, False, True] == told
