"""One delivery run: it delivers all due messages of one webhook, in order, under a lease."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Protocol

from attrs import frozen

from adapters.webhooks.signing import secret_of, sign
from domain.changes import Entry
from domain.deliveries import Deliveries, Delivery, SendResult
from domain.errors import DomainError
from domain.scheduling import Send
from domain.use_cases.deliver import Deliver, MessageSender

LEASE = timedelta(seconds=3)
"""How long the lease of a dead process keeps others from an endpoint."""

RENEW_S = 1.0
MAX_STEPS = 100  # then other endpoints get their turn


class Transport(Protocol):
    """Sends one message and returns the result."""

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> SendResult: ...


@frozen(kw_only=True, eq=False)
class LeasedSender(MessageSender):
    """Signs and sends, and renews the lease of `owner` meanwhile. `key` is the secret of the store."""

    deliveries: Deliveries
    transport: Transport
    payload: Callable[[Delivery, Entry | None], bytes]
    key: bytes
    owner: str

    async def send(self, send: Send, at: datetime) -> SendResult | None:
        webhook, body = send.webhook, self.payload(send.delivery, send.entry)
        secrets = [secret_of(self.key, webhook=webhook.id, version=each) for each in webhook.signing_secrets(at)]
        headers = sign(body, message_id=send.delivery.message_id, at=at, secrets=secrets)
        headers["content-type"] = "application/json"
        if send.entry is not None and send.entry.change.trace is not None:
            headers |= send.entry.change.trace.headers(token_hex(8))
        sending = asyncio.ensure_future(self.transport.send(webhook.url, headers, body))
        try:
            while not (await asyncio.wait({sending}, timeout=RENEW_S))[0]:
                if not await self.hold(webhook.id):
                    return None
            return sending.result()
        finally:
            sending.cancel()

    async def hold(self, webhook: int) -> bool:
        """Take or renew the lease on a webhook; return whether it is held now."""
        return await self.deliveries.claim(webhook, self.owner, LEASE)


@frozen(kw_only=True, eq=False)
class DeliveryRun:
    """Makes delivery runs. This process alone owns its leases."""

    deliver: Deliver
    sender: LeasedSender

    async def run(self, webhook: int) -> bool:
        """Deliver all due messages of a webhook; return whether this process had the lease."""
        if not await self.sender.hold(webhook):
            return False
        try:
            for _ in range(MAX_STEPS):
                if not await self.deliver.deliver_next(webhook):
                    break
        finally:
            with suppress(DomainError):  # the lease expires by itself
                await self.sender.deliveries.release(webhook, self.sender.owner)
        return True
