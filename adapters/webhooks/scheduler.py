"""What is to be done next for a webhook: read from the store, done by nobody here."""

from collections.abc import Callable, Iterable
from datetime import datetime
from secrets import token_hex
from typing import Any

from attrs import evolve, frozen

from adapters.webhooks.retry_policy import is_due
from domain.changes import Change, Cursor, Entry
from domain.deliveries import Delivery, Status
from domain.errors import CursorExpired
from domain.ports import Store
from domain.public_types import followed
from domain.stored_entity import Serializer
from domain.webhook import WEBHOOK, Webhook


@frozen(kw_only=True)
class Send:
    """Attempt a delivery. Without an `entry`, it is a test, or its change is no longer kept."""

    webhook: Webhook
    delivery: Delivery
    entry: Entry | None


@frozen(kw_only=True)
class Move:
    """Nothing up to `position` is for this webhook; `dropped` is what it has no use for any more."""

    position: Cursor
    dropped: Delivery | None = None


@frozen
class Wait:
    """Nothing is due before a time."""

    until: datetime


Step = Send | Move | Wait | None


@frozen(kw_only=True, eq=False)
class Scheduler:
    """Plans from what the store holds at this moment."""

    store: Store
    documents: Serializer
    clock: Callable[[], datetime]

    async def plan(self, id: int, position: Cursor, pending: Iterable[Delivery]) -> Step:
        """Return the next step for a webhook with its own pending deliveries; None where all is done."""
        record = await self.store.get(WEBHOOK, id)
        if record is None:
            return None
        webhook: Webhook = self.documents.read(WEBHOOK, record.document)
        # What was requested goes before what waits for its turn.
        first = min(pending, key=lambda each: not each.requested, default=None)
        if first is not None and first.requested:
            return Send(webhook=webhook, delivery=first, entry=await self._entry_of(first))
        if not webhook.enabled:
            return None
        if first is not None and first.next_attempt_at is not None and not is_due(first, self.clock()):
            return Wait(first.next_attempt_at)
        return await self._next(webhook, position, first)

    async def _next(self, webhook: Webhook, position: Cursor, waiting: Delivery | None) -> Step:
        try:
            batch = await self.store.read(position, types=followed(webhook.types), limit=1)
        except CursorExpired:  # it was disabled for longer than changes are kept: it goes on with what there is
            return Move(position=await self.store.oldest())
        if not batch.entries:
            return None if batch.cursor == position else Move(position=batch.cursor)
        (entry,) = batch.entries
        if waiting is None:
            return Send(webhook=webhook, delivery=self._begun(webhook.id, entry.change, position), entry=entry)
        if waiting.message_id != message_id(entry.change):  # its types were edited meanwhile
            return Move(position=position, dropped=evolve(waiting, status=Status.FAILED, next_attempt_at=None))
        return Send(webhook=webhook, delivery=waiting, entry=entry)

    def _begun(self, webhook: int, change: Change[Any], position: Cursor) -> Delivery:
        return Delivery(
            id=token_hex(8),
            webhook=webhook,
            message_id=message_id(change),
            type=change.type,
            after=position,
            requested=False,
            at=self.clock(),
        )

    async def _entry_of(self, delivery: Delivery) -> Entry | None:
        """Find the change of a delivery again."""
        after = delivery.after
        while after is not None:
            try:
                batch = await self.store.read(after, types=frozenset({delivery.type}), limit=1)
            except CursorExpired:
                return None
            if batch.entries:
                return batch.entries[0]
            after = None if batch.cursor == after else batch.cursor
        return None


def message_id(change: Change[Any]) -> str:
    """Return the id of the message about a change, the same whoever sends it and however often."""
    microseconds = round(change.at.timestamp() * 1_000_000)
    return f"msg_{change.entity_type.name}_{change.record.id}_{change.record.version}_{microseconds}"
