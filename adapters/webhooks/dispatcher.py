"""The webhook dispatcher of a process: it looks for due deliveries and starts one run for each endpoint."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Protocol

from attrs import define, field

from adapters.webhooks.addresses import Address, AddressRefused, AddressUnresolved
from adapters.webhooks.delivery_run import DeliveryRun, LeasedSender, Transport
from adapters.webhooks.signing import secret_of
from domain.changes import Entry
from domain.deliveries import Delivery, Progress, WebhookDispatcher
from domain.errors import DomainError
from domain.ports import Store
from domain.scheduling import Send, Step, Wait
from domain.stored_entity import Serializer
from domain.use_cases.deliver import Deliver

LOOK_EVERY = timedelta(seconds=1)
"""How often to look for changes of other processes, and for deliveries that dead processes left."""

MAX_RUNS = 100
"""How many runs go on at the same time, beside those to endpoints whose last attempt failed."""

MAX_RETRIES = 50
"""How many runs go on after a failed attempt: a limit of their own, so that silent endpoints delay no others."""

_log = logging.getLogger("backroom")


class VettingTransport(Transport, Protocol):
    """Sends messages, only to vetted addresses."""

    async def vet(self, url: str) -> Sequence[Address]: ...


def new_id() -> str:
    """Return a unique id for a delivery."""
    return token_hex(8)


@define(eq=False, kw_only=True)
class Dispatcher(WebhookDispatcher):
    """Delivers for as long as `run` runs.

    `key` is the secret of the store; `payload` writes the body of a message. A lease decides which process delivers to
    an endpoint. A slow endpoint delays no other.
    """

    store: Store
    transport: VettingTransport
    documents: Serializer
    payload: Callable[[Delivery, Entry | None], bytes]
    key: bytes = field(repr=False)
    clock: Callable[[], datetime]
    random: Callable[[], float] = random.random
    on_attempt: Callable[[Delivery], object] = lambda _: None

    _deliver: Deliver = field(init=False)
    _delivery_run: DeliveryRun = field(init=False)
    _runs: dict[int, asyncio.Task[None]] = field(factory=dict, init=False)
    _slots: asyncio.Semaphore = field(factory=lambda: asyncio.Semaphore(MAX_RUNS), init=False)
    _retry_slots: asyncio.Semaphore = field(factory=lambda: asyncio.Semaphore(MAX_RETRIES), init=False)
    _wake_event: asyncio.Event = field(factory=asyncio.Event, init=False)
    _has_readers: bool = field(default=True, init=False)

    def __attrs_post_init__(self) -> None:
        sender = LeasedSender(
            deliveries=self.store.deliveries,
            transport=self.transport,
            payload=self.payload,
            key=self.key,
            owner=token_hex(8),
        )
        self._deliver = Deliver(
            store=self.store,
            documents=self.documents,
            sender=sender,
            owner=sender.owner,
            clock=self.clock,
            random=self.random,
            new_id=new_id,
            observe=self.on_attempt,
        )
        self._delivery_run = DeliveryRun(deliver=self._deliver, sender=sender)

    async def refusal(self, url: str) -> str | None:
        try:
            await self.transport.vet(url)
        except AddressRefused as refused:
            return refused.reason
        except AddressUnresolved:
            return "must have a host that can be found"
        return None

    def secret(self, webhook: int, version: int) -> str:
        return secret_of(self.key, webhook=webhook, version=version)

    def test(self, webhook: int) -> Delivery:
        return Delivery.test(webhook, id=new_id(), at=self.clock())

    def again(self, delivery: Delivery) -> Delivery:
        return delivery.again(id=new_id(), at=self.clock())

    @property
    def has_readers(self) -> bool:
        return self._has_readers

    async def wake(self) -> None:
        self._wake_event.set()

    async def run(self) -> None:
        """Deliver until cancelled. The next process sends an interrupted message again."""
        try:
            while True:
                self._wake_event.clear()
                await self._rest(await self._looked())
        finally:
            runs = tuple(self._runs.values())
            for each in runs:
                each.cancel()
            await asyncio.gather(*runs, return_exceptions=True)

    async def look(self) -> datetime:
        """Start a run for every endpoint with a due delivery; return when to look again."""
        again = self.clock() + LOOK_EVERY
        self._has_readers = await self.store.deliveries.needed() is not None
        for id, progress in (await self.store.deliveries.backlogs()).items():
            if id in self._runs:
                continue
            step = await self._step(id, progress)
            if isinstance(step, Wait):
                again = min(again, step.until)
            elif step is not None:
                slots = self._retry_slots if isinstance(step, Send) and step.is_retry else self._slots
                self._runs[id] = asyncio.create_task(self._run(id, slots))
        return again

    async def _step(self, id: int, progress: Progress) -> Step:
        try:
            return await self._deliver.next_step(id, progress)
        except DomainError:  # a fault of the store affects all webhooks
            raise
        except Exception:  # noqa: BLE001 - one webhook must not stop the search for all others
            _log.exception("looking for deliveries to webhook %d failed, and will be tried again", id)
            return None

    async def idle(self) -> None:
        """Return when every started run has ended."""
        while self._runs:
            await asyncio.wait(self._runs.values())

    async def _looked(self) -> float:
        """Look, then return how many seconds to rest: at most `LOOK_EVERY`, even if the clock is set back."""
        try:
            rest = min(await self.look() - self.clock(), LOOK_EVERY)
            return max(0.0, rest.total_seconds())
        except DomainError as error:
            _log.warning("looking for deliveries failed, and will be tried again: %s", error)
        except Exception:  # noqa: BLE001 - logged; the dispatcher must go on
            _log.exception("looking for deliveries failed, and will be tried again")
        return LOOK_EVERY.total_seconds()

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake_event.wait()

    async def _run(self, id: int, slots: asyncio.Semaphore) -> None:
        try:
            async with slots:
                if await self._delivery_run.run(id):
                    self._wake_event.set()  # others may have missed changes while this held the lease
        except DomainError as error:
            _log.warning("delivering to webhook %d failed, and will be tried again: %s", id, error)
        except Exception:  # noqa: BLE001 - one endpoint must not stop the deliveries to all others
            _log.exception("delivering to webhook %d failed, and will be tried again", id)
        finally:
            del self._runs[id]
