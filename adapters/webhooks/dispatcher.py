"""The one task of a process that delivers: it looks for what is due, and visits every endpoint on its own."""

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Protocol

from attrs import define, evolve, field

from adapters.webhooks.addresses import Address, AddressRefused, AddressUnresolved
from adapters.webhooks.delivery_run import DeliveryRun, Sends
from adapters.webhooks.scheduler import Scheduler, Send, Step, Wait
from adapters.webhooks.signing import secret_of
from domain.changes import Cursor, Entry
from domain.deliveries import Delivery, Status, WebhookDispatcher
from domain.errors import DomainError
from domain.ports import Store
from domain.stored_entity import Serializer

LOOK_EVERY = timedelta(seconds=1)
"""How often is looked for what other processes wrote, or left undone when they died."""

MAX_VISITS = 100
"""How many endpoints are visited at the same time, those apart that failed the last time."""

MAX_RETRIES = 50
"""How many of those that failed the last time: however many of them are silent, they keep no other waiting."""

TEST = "webhook.test"

_log = logging.getLogger("backroom")


class VettingSender(Sends, Protocol):
    """Sends messages to addresses that it has vetted."""

    async def vet(self, url: str) -> Sequence[Address]: ...


@define(eq=False, kw_only=True)
class Dispatcher(WebhookDispatcher):
    """Delivers for as long as `run` runs.

    `key` is the secret of the store; `payload` writes the body of a message. Where other processes deliver too, leases
    decide who visits an endpoint; one that is slow holds up no other.
    """

    store: Store
    sender: VettingSender
    documents: Serializer
    payload: Callable[[Delivery, Entry | None], bytes]
    key: bytes = field(repr=False)
    clock: Callable[[], datetime]
    random: Callable[[], float] = random.random

    _scheduler: Scheduler = field(init=False)
    _visitor: DeliveryRun = field(init=False)
    _visits: dict[int, asyncio.Task[None]] = field(factory=dict, init=False)
    _slots: asyncio.Semaphore = field(factory=lambda: asyncio.Semaphore(MAX_VISITS), init=False)
    _retry_slots: asyncio.Semaphore = field(factory=lambda: asyncio.Semaphore(MAX_RETRIES), init=False)
    _wake_event: asyncio.Event = field(factory=asyncio.Event, init=False)
    _has_readers: bool = field(default=True, init=False)

    def __attrs_post_init__(self) -> None:
        self._scheduler = Scheduler(store=self.store, documents=self.documents, clock=self.clock)
        self._visitor = DeliveryRun(
            store=self.store,
            sender=self.sender,
            scheduler=self._scheduler,
            payload=self.payload,
            key=self.key,
            owner=token_hex(8),
            clock=self.clock,
            random=self.random,
        )

    async def refusal(self, url: str) -> str | None:
        try:
            await self.sender.vet(url)
        except AddressRefused as refused:
            return refused.reason
        except AddressUnresolved:
            return "must have a host that can be found"
        return None

    def secret(self, webhook: int, version: int) -> str:
        return secret_of(self.key, webhook=webhook, version=version)

    def test(self, webhook: int) -> Delivery:
        id, at = token_hex(8), self.clock()
        return Delivery(
            id=id,
            webhook=webhook,
            message_id=f"msg_{id}",
            type=TEST,
            after=None,
            requested=True,
            at=at,
            next_attempt_at=at,
        )

    def again(self, delivery: Delivery) -> Delivery:
        at = self.clock()
        if delivery.status is Status.PENDING:
            return evolve(delivery, next_attempt_at=at)
        fresh = evolve(delivery, id=token_hex(8), at=at, next_attempt_at=at)
        return evolve(fresh, requested=True, status=Status.PENDING, attempts=())

    @property
    def has_readers(self) -> bool:
        return self._has_readers

    async def wake(self) -> None:
        self._wake_event.set()

    async def run(self) -> None:
        """Deliver until cancelled; what was being sent then is sent again by whoever comes next."""
        try:
            while True:
                self._wake_event.clear()
                await self._rest(await self._looked())
        finally:
            visits = tuple(self._visits.values())
            for visit in visits:
                visit.cancel()
            await asyncio.gather(*visits, return_exceptions=True)

    async def look(self) -> datetime:
        """Begin to visit every endpoint where something is due; return when to look again."""
        again = self.clock() + LOOK_EVERY
        positions = await self.store.deliveries.positions()
        self._has_readers = bool(positions)
        if not positions:
            return again
        pending = _by_webhook(await self.store.deliveries.pending())
        for id, position in positions.items():
            if id in self._visits:
                continue
            step = await self._step(id, position, pending[id])
            if isinstance(step, Wait):
                again = min(again, step.until)
            elif step is not None:
                failed = isinstance(step, Send) and step.delivery.attempts
                slots = self._retry_slots if failed else self._slots
                self._visits[id] = asyncio.create_task(self._visit(id, slots))
        return again

    async def _step(self, id: int, position: Cursor, pending: Sequence[Delivery]) -> Step:
        try:
            return await self._scheduler.plan(id, position, pending)
        except DomainError:  # the store is at fault, for all
            raise
        except Exception:  # noqa: BLE001 - one webhook must not end the looking for all others
            _log.exception("looking for deliveries to webhook %d failed, and will be tried again", id)
            return None

    async def visited(self) -> None:
        """Return when every visit that has begun is over."""
        while self._visits:
            await asyncio.wait(self._visits.values())

    async def _looked(self) -> float:
        """Look, and return for how many seconds to rest then: `LOOK_EVERY` at most, also if the clock is set back."""
        try:
            rest = min(await self.look() - self.clock(), LOOK_EVERY)
            return max(0.0, rest.total_seconds())
        except DomainError as error:
            _log.warning("looking for deliveries failed, and will be tried again: %s", error)
        except Exception:  # noqa: BLE001 - told, and nobody waits for ever for what would be delivered
            _log.exception("looking for deliveries failed, and will be tried again")
        return LOOK_EVERY.total_seconds()

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake_event.wait()

    async def _visit(self, id: int, slots: asyncio.Semaphore) -> None:
        try:
            async with slots:
                if await self._visitor.visit(id):
                    self._wake_event.set()  # what came before the lease was given back may have been refused to others
        except DomainError as error:
            _log.warning("delivering to webhook %d failed, and will be tried again: %s", id, error)
        except Exception:  # noqa: BLE001 - one endpoint must not end the deliveries to all others
            _log.exception("delivering to webhook %d failed, and will be tried again", id)
        finally:
            del self._visits[id]


def _by_webhook(pending: Sequence[Delivery]) -> Mapping[int, list[Delivery]]:
    found: defaultdict[int, list[Delivery]] = defaultdict(list)
    for each in pending:
        found[each.webhook].append(each)
    return found
