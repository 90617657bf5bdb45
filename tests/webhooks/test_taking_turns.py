"""Endpoints that hold up no other, and processes that take turns."""

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
    """While one endpoint does not answer, another gets everything."""
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
    """Failures of one endpoint are of no consequence to another."""
    endpoints.answers["dead"] = [DOWN]
    await subscribed(store, "dead", "alive")
    await fill(store, TASK, {}, {})
    await delivered(make_dispatcher(store, endpoints))
    assert (1, 2) == (len(endpoints.told("dead")), len(endpoints.told("alive")))


async def test_who_comes_among_dead_endpoints_waits_for_none(store: Store, endpoints: Endpoints, clock: Clock) -> None:
    """Endpoints come and go while many others fail again and again, and each is told at once of what changes."""
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


async def test_an_unforeseen_fault_is_one_endpoints_own(
    store: Store, endpoints: Endpoints, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, ends no other delivery, and the message is sent again."""
    endpoints.answers["odd"] = [RuntimeError("odd")]
    await subscribed(store, "odd", "even")
    await fill(store, TASK, {})
    each = make_dispatcher(store, endpoints)
    with caplog.at_level(logging.ERROR, "backroom"):
        await delivered(each)
    assert ["delivering to webhook 1 failed, and will be tried again"] == caplog.messages
    await delivered(each)
    assert (2, 1) == (len(endpoints.told("odd")), len(endpoints.told("even")))


async def test_an_unforeseen_fault_while_it_looks_is_one_webhooks_own(
    store: Store, endpoints: Endpoints, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those behind it are looked at all the same, and it is looked at again."""
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


async def test_an_unforeseen_fault_ends_nothing(
    store: Store, endpoints: Endpoints, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever happens while it looks for what is due, it is logged, and looked for again."""
    each, looked = make_dispatcher(store, endpoints), asyncio.Event()
    faults = [RuntimeError("odd")]

    async def look(self: Dispatcher) -> datetime:
        if faults:
            raise faults.pop()
        looked.set()
        return self.clock() + timedelta(hours=1)

    monkeypatch.setattr(Dispatcher, "look", look)
    monkeypatch.setattr(module, "LOOK_EVERY", timedelta(0))
    running = asyncio.create_task(each.run())
    with caplog.at_level(logging.ERROR, "backroom"):
        await asyncio.wait({running, asyncio.ensure_future(looked.wait())}, return_when=asyncio.FIRST_COMPLETED)
    running.cancel()
    assert ["looking for deliveries failed, and will be tried again"] == caplog.messages


async def test_a_long_backlog_is_taken_in_turns(store: Store, endpoints: Endpoints) -> None:
    """One run brings only so much, and the next one goes on from there."""
    await subscribed(store, "a")
    await fill(store, TASK, *({} for _ in range(MAX_STEPS + 1)))
    each = make_dispatcher(store, endpoints)
    await delivered(each)
    assert MAX_STEPS == len(endpoints.messages)
    await delivered(each)
    assert list(range(1, MAX_STEPS + 2)) == [id for _, id, _ in endpoints.told()]


async def test_one_process_at_a_time(store: Store, other: Store, endpoints: Endpoints) -> None:
    """While one process delivers, another keeps away, and both together tell everything once."""
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
    """When a process died in the middle, another one goes on once the lease has run out, and not before."""
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
    """Neither the lease nor the wait of a process that died with its clock ahead keeps others from an endpoint."""
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
    """The dispatcher rests until the next look, and not until the clock is where it was."""
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
    """A lease is prolonged while an endpoint takes its time."""
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
        await prolonged.acquire()  # one that may have begun before the clock was turned
        await prolonged.acquire()
        assert not await claim(other.deliveries, 1, "you", LEASE)
    gate.set()
    await first.idle()
    assert [DeliveryStatus.DELIVERED] == [each.status for each in await log(store)]


async def overtaken(store: Store, other: Store, endpoints: Endpoints, clock: Clock) -> tuple[Dispatcher, asyncio.Event]:
    """Let one process deliver what another one is still sending; return that one, and what lets it go on."""
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


async def test_who_lost_the_lease_changes_nothing(
    store: Store, other: Store, endpoints: Endpoints, clock: Clock
) -> None:
    """A process that was held up for too long leaves everything to the one that took over."""
    late, gate = await overtaken(store, other, endpoints, clock)
    gate.set()
    await late.idle()
    assert [("task.created", 1, 1)] * 2 == endpoints.told()
    assert [DeliveryStatus.DELIVERED] == [each.status for each in await log(store)]


async def test_who_lost_the_lease_disables_nothing(
    store: Store, other: Store, endpoints: Endpoints, clock: Clock
) -> None:
    """What a process hears too late is no reason any more: another one has delivered since."""
    late, gate = await overtaken(store, other, endpoints, clock)
    endpoints.answers["a"] = [GONE]
    gate.set()
    await late.idle()
    assert [] == endpoints.answers["a"]
    assert (await current(store)).enabled


async def test_sending_ends_with_the_lease(store: Store, endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may not deliver for a webhook any more does not go on waiting for its endpoint."""
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
    await carry_out(store, Delete(entity_type=WEBHOOK, id=1))  # which takes the lease along
    async with asyncio.timeout(10):
        await each.idle()
        await given_up.wait()


async def test_so_many_endpoints_at_once(store: Store, endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many endpoints there are, only some are delivered to at the same time, and all of them in the end."""
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
    """However many are silent at the next attempt, one that did not fail waits for none of them."""
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
    """What comes when a look is under way, and may have missed it, has another look follow at once."""
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
    async with asyncio.timeout(10):
        await looked_again.wait()
    running.cancel()
    await asyncio.wait({running})


async def test_a_webhook_that_is_deleted_meanwhile(store: Store, endpoints: Endpoints) -> None:
    """What is being sent to it is sent; nothing is kept of it, and nothing follows."""
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
    """A wake is enough for a change to be delivered; ending in the middle of a run gives the lease back."""
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
    """What came when a run was all but over is seen at once; who was kept away looks when it is time again."""
    await subscribed(store, "a")
    await fill(store, TASK, {})
    first, second = make_dispatcher(store, endpoints), make_dispatcher(other, endpoints)
    await store.deliveries.claim(1, "a process that is alive", LEASE)
    await delivered(second)
    await store.deliveries.release(1, "a process that is alive")
    await delivered(first)
    assert (True, False) == (first._wake_event.is_set(), second._wake_event.is_set())


async def test_a_store_that_fails_is_asked_again(store: Store, endpoints: Endpoints) -> None:
    """Neither looking nor delivering ends the dispatcher when the store cannot be reached."""
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
    """Where there is nobody to tell, writers are told that there is no need to wake the dispatcher."""
    each = make_dispatcher(store, endpoints)
    told = [each.has_readers]  # nobody has looked yet, so there may be some
    await delivered(each)
    told.append(each.has_readers)
    await subscribed(store, "a")
    await delivered(each)
    told.append(each.has_readers)
    assert [True, False, True] == told
