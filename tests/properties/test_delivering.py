"""A webhook gets what a plain model says, whatever happens to it and whatever its endpoint answers."""

import asyncio
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from attrs import Factory, define
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.memory.store import MemoryStore
from domain.deliveries import TEST, Delivery, SendResult
from domain.entity_type import EntityType
from domain.product import PRODUCT
from domain.retry_policy import DELAYS, MAX_ATTEMPTS
from domain.scheduling import Send
from domain.task import TASK
from domain.use_cases.deliver import Deliver, MessageSender
from domain.webhook import WEBHOOK, RequireExists
from tests.builders import SERIALIZER, Clock, create
from tests.contract.steps import carry_out, edit, fill, got

OK = SendResult(status=204, duration_ms=1)
DOWN = SendResult(status=500, duration_ms=1)
GONE = SendResult(status=410, duration_ms=1)

TYPES = ("task.created", "product.created")
ENTITY_TYPES: dict[str, EntityType[Any]] = dict(zip(TYPES, (TASK, PRODUCT), strict=True))
WRITES = st.tuples(st.just("write"), st.sampled_from(TYPES))
WANTS = st.tuples(st.just("wants"), st.sampled_from([(), TYPES[:1], TYPES[1:], TYPES]))
ENABLES = st.tuples(st.just("enabled"), st.booleans())
REQUESTS = st.tuples(st.just("test"), st.none())
WAITS = st.tuples(st.just("wait"), st.sampled_from([timedelta(seconds=5), *DELAYS[-1:]]))
DELIVERS = st.tuples(st.just("deliver"), st.lists(st.sampled_from([OK, OK, DOWN, GONE]), max_size=6))
FAILS = st.tuples(st.just("fail"), st.integers(1, MAX_ATTEMPTS))
ACTIONS = st.lists(st.one_of(WRITES, WRITES, WANTS, ENABLES, REQUESTS, WAITS, DELIVERS, DELIVERS, FAILS), max_size=25)


@define
class Model:
    """A model of a webhook: its changes, its position, and what waits for another attempt."""

    log: list[str] = Factory(list)
    position: int = 0
    wants: tuple[str, ...] = ()
    enabled: bool = True
    tests: int = 0
    waits: int | None = None  # the number of the change that failed
    failures: int = 0
    due: datetime | None = None

    def next(self, at: datetime) -> str | int | None:
        """Return what is sent now: a test, or the number of a change."""
        if self.tests:
            return TEST
        if not self.enabled or (self.due is not None and at < self.due):
            return None
        wanted = [n for n, type in enumerate(self.log, 1) if n > self.position and type in (self.wants or TYPES)]
        if not wanted:
            self.position = len(self.log)
            return None
        if wanted[0] != self.waits:
            self.waits, self.failures, self.due = wanted[0], 0, None
        return wanted[0]

    def answered(self, sent: str | int, result: SendResult, at: datetime) -> bool:
        """Note the result, and tell whether another message may follow."""
        if isinstance(sent, str):
            self.tests -= 1
        elif result is OK:
            self.position, self.waits, self.failures, self.due = sent, None, 0, None
        else:
            self.failures += 1
            if result is not GONE and self.failures < MAX_ATTEMPTS:
                self.due = at + DELAYS[self.failures - 1]
                return False
            self.enabled, self.waits, self.failures, self.due = False, None, 0, None
            return False
        return True


class Endpoint(MessageSender):
    """Answers as the test says, or with success; keeps the messages that it got."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.answers: list[SendResult] = []
        self.sent: list[str | int] = []

    async def send(self, send: Send, at: datetime) -> SendResult:
        """Take a message."""
        self.sent.append(TEST if send.entry is None else int(send.entry.change.request_id))
        return self.answers.pop(0) if self.answers else OK


@define
class World:
    """The model beside the use case on a store in memory."""

    clock: Clock = Factory(Clock)
    model: Model = Factory(Model)
    endpoint: Endpoint = Factory(Endpoint)
    expected: list[str | int] = Factory(list)
    store: MemoryStore = Factory(lambda self: MemoryStore(self.clock, SERIALIZER), takes_self=True)
    ids: Any = Factory(count)

    async def act(self, action: str, value: Any) -> None:
        """Do one thing on both sides."""
        match action:
            case "write":
                self.model.log.append(value)
                await carry_out(self.store, create(ENTITY_TYPES[value]), request_id=str(len(self.model.log)))
            case "wants":
                self.model.wants = value
                await carry_out(self.store, edit(WEBHOOK, 1, types=list(value)))
            case "enabled":
                self.model.enabled = value
                await carry_out(self.store, edit(WEBHOOK, 1, enabled=value))
            case "test":
                self.model.tests += 1
                test = Delivery.test(1, id=f"t{next(self.ids)}", at=self.clock.now)
                await carry_out(self.store, RequireExists(id=1), deliveries=(test,))
            case "wait":
                self.clock.now += value
            case "deliver":
                await self.deliver(list(value))
            case _:
                for _ in range(value):
                    await self.deliver([DOWN])
                    self.clock.now = max(self.clock.now, self.model.due or self.clock.now)

    async def deliver(self, answers: list[SendResult]) -> None:
        """Deliver all that is due, on both sides."""
        self.endpoint.answers = list(answers)
        goes_on = True
        while goes_on and (sent := self.model.next(self.clock.now)) is not None:
            self.expected.append(sent)
            goes_on = self.model.answered(sent, answers.pop(0) if answers else OK, self.clock.now)
        deliver = Deliver(
            store=self.store,
            documents=SERIALIZER,
            sender=self.endpoint,
            owner="me",
            clock=self.clock,
            random=lambda: 0.0,
            new_id=lambda: f"d{next(self.ids)}",
        )
        await self.store.deliveries.claim(1, "me", timedelta(seconds=3))
        while await deliver.deliver_next(1):
            pass


@settings(max_examples=200)
@given(ACTIONS)
def test_a_webhook_is_told_what_the_model_says(actions: list[tuple[str, Any]]) -> None:
    """In the order of the log, each change until it arrives; what was asked for first; nothing before its time."""

    async def scenario() -> World:
        world = World()
        await fill(world.store, WEBHOOK, {})
        for action, value in actions:
            await world.act(action, value)
        return world

    world = asyncio.run(scenario())
    assert world.expected == world.endpoint.sent


@settings(max_examples=200)
@given(ACTIONS)
def test_the_store_knows_what_the_model_knows(actions: list[tuple[str, Any]]) -> None:
    """Whether the webhook is enabled, and what waits for which attempt at what time."""

    async def scenario() -> tuple[Any, Any, World]:
        world = World()
        await fill(world.store, WEBHOOK, {})
        for action, value in actions:
            await world.act(action, value)
        await world.act("deliver", [DOWN])
        return await world.store.deliveries.progress(1), await got(world.store, WEBHOOK, 1), world

    progress, webhook, world = asyncio.run(scenario())
    assert world.model.enabled == webhook.enabled
    if webhook.enabled:
        expected = [] if world.model.due is None else [(world.model.failures, world.model.due)]
        assert expected == [(len(each.attempts), each.next_attempt_at) for each in progress.pending]
