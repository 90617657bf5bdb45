"""A visit to one endpoint: everything that is due there, in order, while no other process does the same."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol

from attrs import evolve, frozen

from adapters.webhooks import retry_policy
from adapters.webhooks.scheduler import Move, Scheduler, Send, Step
from adapters.webhooks.signing import secret_of, sign
from domain.changes import Entry
from domain.commands import Precondition
from domain.decisions import CommandBatch
from domain.deliveries import Attempt, Delivery, Status
from domain.errors import DomainError
from domain.ports import Store
from domain.webhook import Disable, Webhook

LEASE = timedelta(seconds=3)
"""For how long a process that died keeps others from an endpoint."""

RENEW_S = 1.0
MAX_STEPS = 100  # after which other endpoints get their turn

_UNKEPT = retry_policy.Attempt(error="the change is no longer kept", duration_ms=0)


class Sends(Protocol):
    """Sends one message and tells what came of it."""

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> retry_policy.Attempt: ...


@frozen(kw_only=True, eq=False)
class DeliveryRun:
    """Makes visits. `owner` is the name of this process, which no other one has."""

    store: Store
    sender: Sends
    scheduler: Scheduler
    payload: Callable[[Delivery, Entry | None], bytes]
    key: bytes
    owner: str
    clock: Callable[[], datetime]
    random: Callable[[], float]

    async def visit(self, id: int) -> bool:
        """Do what is due for a webhook, and tell whether it was this process's turn."""
        if not await self._hold(id):
            return False
        try:
            for _ in range(MAX_STEPS):
                if not await self._take(id, await self._plan(id)):
                    break
        finally:
            with suppress(DomainError):  # the lease runs out by itself
                await self.store.deliveries.release(id, self.owner)
        return True

    async def _hold(self, id: int) -> bool:
        return await self.store.deliveries.claim(id, self.owner, LEASE)

    async def _plan(self, id: int) -> Step:
        position = (await self.store.deliveries.positions()).get(id)
        pending = [each for each in await self.store.deliveries.pending() if each.webhook == id]
        return None if position is None else await self.scheduler.plan(id, position, pending)

    async def _take(self, id: int, step: Step) -> bool:
        """Take a step, and tell whether another one may follow at once."""
        match step:
            case Move(position=position, dropped=dropped):
                return await self.store.deliveries.record(id, self.owner, delivery=dropped, position=position)
            case Send():
                return await self._send(step)
        return False

    async def _send(self, send: Send) -> bool:
        at = self.clock()
        unkept = send.entry is None and send.delivery.after is not None
        attempt = _UNKEPT if unkept else await self._attempt(send, at)
        if attempt is None:
            return False
        made = Attempt(at=at, status=attempt.status, error=attempt.error, duration_ms=attempt.duration_ms)
        delivery = evolve(send.delivery, attempts=(*send.delivery.attempts, made), next_attempt_at=None)
        if delivery.requested:
            status = Status.DELIVERED if attempt.delivered else Status.FAILED
            return await self._record(evolve(delivery, status=status))
        return await self._conclude(send, delivery, attempt)

    async def _conclude(self, send: Send, delivery: Delivery, attempt: retry_policy.Attempt) -> bool:
        match retry_policy.decide(attempt, made=len(delivery.attempts), random=self.random):
            case retry_policy.Delivered():
                return await self._record(evolve(delivery, status=Status.DELIVERED), send.entry)
            case retry_policy.Retry(delay=delay):
                await self._record(evolve(delivery, next_attempt_at=self.clock() + delay))
            case retry_policy.Disable(reason=reason):
                if await self._record(evolve(delivery, status=Status.FAILED)):
                    await self._disable(send.webhook, reason)
        return False

    async def _record(self, delivery: Delivery, entry: Entry | None = None) -> bool:
        position = None if entry is None else entry.cursor
        return await self.store.deliveries.record(delivery.webhook, self.owner, delivery=delivery, position=position)

    async def _attempt(self, send: Send, at: datetime) -> retry_policy.Attempt | None:
        """Send a message and hold on to the lease meanwhile; None when that was lost."""
        webhook, body = send.webhook, self.payload(send.delivery, send.entry)
        secrets = [secret_of(self.key, webhook=webhook.id, version=each) for each in webhook.signing_secrets(at)]
        headers = sign(body, message_id=send.delivery.message_id, at=at, secrets=secrets)
        headers["content-type"] = "application/json"
        sending = asyncio.ensure_future(self.sender.send(webhook.url, headers, body))
        try:
            while not (await asyncio.wait({sending}, timeout=RENEW_S))[0]:
                if not await self._hold(webhook.id):
                    return None
            return sending.result()
        finally:
            sending.cancel()

    async def _disable(self, webhook: Webhook, reason: str) -> None:
        """Disable a webhook, unless somebody has changed it since: that may have been the cure."""
        command = Disable(id=webhook.id, reason=reason, precondition=Precondition(frozenset({webhook.version})))
        await self.store.submit(CommandBatch(commands=(command,), request_id=f"webhook-{webhook.id}"))
