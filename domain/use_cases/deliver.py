"""Deliver changes to webhooks, one step at a time. Each step is decided on the store's state at that moment."""

from abc import abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from attrs import frozen

from domain.changes import Cursor, Entry
from domain.commands import Precondition
from domain.decisions import CommandBatch
from domain.deliveries import Delivery, Lease, Progress, SendResult
from domain.errors import CursorExpired
from domain.ports import Store
from domain.public_types import followed
from domain.scheduling import (
    NOT_KEPT,
    Conclusion,
    InTurn,
    Move,
    Requested,
    Send,
    Step,
    conclude,
    first_due,
    next_in_turn,
)
from domain.stored_entity import Serializer
from domain.webhook import WEBHOOK, Disable, Webhook


class MessageSender(Protocol):
    """Sends messages to webhooks."""

    @abstractmethod
    async def send(self, send: Send, at: datetime) -> SendResult | None:
        """Send a message, signed as of a time, and return the result, which may be a failure.

        None if the lease on the webhook was lost meanwhile; another owner then delivers.
        """


@frozen(kw_only=True, eq=False)
class Deliver:
    """Delivers for an `owner` of leases. `random` returns numbers from 0 up to 1, `new_id` ids of deliveries.

    `observe` is told of each attempt.
    """

    store: Store
    documents: Serializer
    sender: MessageSender
    owner: str
    clock: Callable[[], datetime]
    random: Callable[[], float]
    new_id: Callable[[], str]
    observe: Callable[[Delivery], object] = lambda _: None

    async def deliver_next(self, webhook: int) -> bool:
        """Take the next step for a webhook on which `owner` has the lease; tell whether another may follow at once."""
        progress = await self.store.deliveries.progress(webhook)
        match None if progress is None else await self.next_step(webhook, progress):
            case Move(position=position, dropped=dropped):
                return await self._record(webhook, dropped, position)
            case Send() as send:
                return await self._send(send)
        return False

    async def next_step(self, webhook: int, progress: Progress) -> Step:
        """Return the next step for a webhook with this progress; None if nothing is left to do."""
        record = await self.store.get(WEBHOOK, webhook)
        if record is None:
            return None
        subscriber = self.documents.read(WEBHOOK, record.document)
        match first_due(subscriber, progress.pending, self.clock()):
            case Requested(delivery=delivery):
                return Send(webhook=subscriber, delivery=delivery, entry=await self._entry_of(delivery))
            case InTurn(waiting=waiting):
                return await self._in_turn(subscriber, waiting, progress.position)
            case step:
                return step

    async def _in_turn(self, webhook: Webhook, waiting: Delivery | None, position: Cursor) -> Step:
        try:
            page = await self.store.read(position, types=followed(webhook.types), limit=1)
        except CursorExpired:  # it was disabled for longer than changes are kept, and continues with the oldest
            return Move(position=await self.store.oldest())
        if not page.entries:
            return None if page.cursor == position else Move(position=page.cursor)
        return next_in_turn(webhook, waiting, position, page.entries[0], id=self.new_id(), at=self.clock())

    async def _entry_of(self, delivery: Delivery) -> Entry | None:
        """Find the change of a delivery again."""
        after = delivery.after
        while after is not None:
            try:
                page = await self.store.read(after, types=frozenset({delivery.type}), limit=1)
            except CursorExpired:
                return None
            if page.entries:
                return page.entries[0]
            after = None if page.cursor == after else page.cursor
        return None

    async def _send(self, send: Send) -> bool:
        began = self.clock()
        result = NOT_KEPT if send.cannot_be_sent else await self.sender.send(send, began)
        if result is None:
            return False
        conclusion = conclude(send, result, began=began, at=self.clock(), random=self.random())
        self.observe(conclusion.delivery)
        return await self._keep(send.webhook, conclusion)

    async def _keep(self, webhook: Webhook, conclusion: Conclusion) -> bool:
        if conclusion.disabled_reason is not None:
            await self._give_up(webhook, conclusion.delivery, conclusion.disabled_reason)
            return False
        recorded = await self._record(webhook.id, conclusion.delivery, conclusion.position)
        return recorded and conclusion.goes_on

    async def _record(self, webhook: int, delivery: Delivery | None, position: Cursor | None) -> bool:
        return await self.store.deliveries.record(webhook, self.owner, delivery=delivery, position=position)

    async def _give_up(self, webhook: Webhook, failed: Delivery, reason: str) -> None:
        """Store a failure and disable its webhook, unless somebody has edited it since: the edit may be the cure."""
        command = Disable(id=webhook.id, reason=reason, precondition=Precondition(frozenset({webhook.version})))
        batch = CommandBatch(
            commands=(command,),
            request_id=f"webhook-{webhook.id}",
            atomic=False,
            deliveries=(failed,),
            lease=Lease(webhook=webhook.id, owner=self.owner),
        )
        await self.store.submit(batch)
