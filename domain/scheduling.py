"""The schedule of a webhook: the next message, its time, and the effect of sending it, as pure functions.

Requested deliveries go first. Then an enabled webhook gets every change of its types in the order of the log. The retry
policy repeats a change until it arrives. In the end the policy disables the webhook, which keeps its position: after it
is enabled again, it gets the same change first.
"""

from collections.abc import Sequence
from datetime import datetime

from attrs import evolve, frozen

from domain.changes import Cursor, Entry
from domain.deliveries import Delivery, DeliveryStatus, SendResult, message_id
from domain.retry_policy import Arrived, GiveUp, Retry, is_due, judge
from domain.webhook import Webhook

NOT_KEPT = SendResult(error="the change is no longer kept", duration_ms=0)


@frozen
class Requested:
    """A requested delivery goes first."""

    delivery: Delivery


@frozen
class InTurn:
    """The next change of the log is due. `waiting` is its delivery, if there were attempts at it."""

    waiting: Delivery | None


@frozen
class Wait:
    """Nothing is due before a time."""

    until: datetime


@frozen(kw_only=True)
class Send:
    """Attempt a delivery. Without an `entry`, it is a test, or its change is no longer kept."""

    webhook: Webhook
    delivery: Delivery
    entry: Entry | None

    @property
    def is_retry(self) -> bool:
        """Whether the last attempt at this message failed, so that this one may take long as well."""
        return bool(self.delivery.attempts)

    @property
    def cannot_be_sent(self) -> bool:
        """Whether the change of the message is no longer kept."""
        return self.entry is None and self.delivery.after is not None


@frozen(kw_only=True)
class Move:
    """Nothing up to `position` is for this webhook; `dropped` are deliveries that it no longer needs."""

    position: Cursor
    dropped: Delivery | None = None


Step = Send | Move | Wait | None
"""The next step for a webhook; None if nothing is left to do."""


@frozen(kw_only=True)
class Conclusion:
    """The effect of an attempt: the delivery to store, the position of the webhook, the reason to disable it."""

    delivery: Delivery
    position: Cursor | None = None
    disabled_reason: str | None = None

    @property
    def goes_on(self) -> bool:
        """Whether another delivery may follow at once."""
        return self.delivery.requested or self.delivery.status is DeliveryStatus.DELIVERED


def first_due(webhook: Webhook, pending: Sequence[Delivery], at: datetime) -> Requested | InTurn | Wait | None:
    """Return the first delivery among the pending ones, oldest first, and the coming changes."""
    first = min(pending, key=lambda each: not each.requested, default=None)
    if first is not None and first.requested:
        return Requested(first)
    if not webhook.enabled:
        return None
    if first is not None and first.next_attempt_at is not None and not is_due(first, at):
        return Wait(first.next_attempt_at)
    return InTurn(first)


def next_in_turn(
    webhook: Webhook, waiting: Delivery | None, position: Cursor, entry: Entry, *, id: str, at: datetime
) -> Send | Move:
    """Return the step for the next change of the webhook's types; `id` is for its delivery, if that is new."""
    if waiting is None:
        new = Delivery.of_change(webhook.id, entry.change, after=position, id=id, at=at)
        return Send(webhook=webhook, delivery=new, entry=entry)
    if waiting.message_id != message_id(entry.change):  # the webhook's types were edited meanwhile
        return Move(position=position, dropped=waiting.ended(DeliveryStatus.FAILED))
    return Send(webhook=webhook, delivery=waiting, entry=entry)


def conclude(send: Send, result: SendResult, *, began: datetime, at: datetime, random: float) -> Conclusion:
    """Return the effect of an attempt that `began` at one time and ended `at` another.

    `random` is a random number from 0 up to, not including, 1.
    """
    delivery = send.delivery.attempted(result, at=began)
    if delivery.requested:
        status = DeliveryStatus.DELIVERED if result.arrived else DeliveryStatus.FAILED
        return Conclusion(delivery=delivery.ended(status))
    match judge(result, made=len(delivery.attempts), random=random):
        case Arrived():
            position = None if send.entry is None else send.entry.cursor
            return Conclusion(delivery=delivery.ended(DeliveryStatus.DELIVERED), position=position)
        case Retry(delay=delay):
            return Conclusion(delivery=evolve(delivery, next_attempt_at=at + delay))
        case GiveUp(reason=reason):
            return Conclusion(delivery=delivery.ended(DeliveryStatus.FAILED), disabled_reason=reason)
