"""Deliveries to webhooks: the messages, their attempts, and the port that stores them."""

from abc import abstractmethod
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol, Self

from attrs import evolve

from domain.changes import Change, Cursor
from domain.entity_type import Entity
from domain.value_object import value_object

MAX_CLOCK_SKEW = timedelta(minutes=1)
"""How far apart the clocks of two hosts may be. A time further ahead comes from a wrong clock."""

TEST = "webhook.test"
"""The type of a test message, which carries no change."""


class DeliveryStatus(Enum):
    """The state of a delivery: another attempt is due, it arrived, or there will be no more attempts."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@value_object(kw_only=True)
class SendResult:
    """The result of sending a message once: the HTTP status of the answer, or an error.

    `error` is a short text for the owner of the webhook; `retry_after` is in seconds, from 0 to a day.
    """

    status: int | None = None
    error: str | None = None
    retry_after: float | None = None
    duration_ms: int

    @property
    def arrived(self) -> bool:
        """Whether the endpoint took the message: any status from 200 to 299 says so."""
        return self.status is not None and 200 <= self.status <= 299


@value_object(kw_only=True)
class Attempt:
    """The record of one attempt, begun `at` a time."""

    at: datetime
    status: int | None
    error: str | None
    duration_ms: int


@value_object(kw_only=True)
class Delivery:
    """A message for a webhook, with its attempts in their order.

    `after` is a position in the log: the change is the first of this `type` behind it. A message without one is a test.
    A `requested` delivery is attempted once, in any order, also for a disabled webhook. Every other delivery is
    attempted again, at `next_attempt_at`, and those behind it wait.
    """

    id: str  # 1 to 64 of A-Z a-z 0-9 _ -, unique in the store
    webhook: int
    message_id: str  # the same for every delivery of the same change
    type: str
    after: Cursor | None
    requested: bool
    at: datetime  # when it was begun
    status: DeliveryStatus = DeliveryStatus.PENDING
    attempts: tuple[Attempt, ...] = ()
    next_attempt_at: datetime | None = None

    @classmethod
    def of_change(cls, webhook: int, change: Change[Entity], *, after: Cursor, id: str, at: datetime) -> Self:
        """Return a new delivery of a change."""
        message = message_id(change)
        return cls(id=id, webhook=webhook, message_id=message, type=change.type, after=after, requested=False, at=at)

    @classmethod
    def test(cls, webhook: int, *, id: str, at: datetime) -> Self:
        """Return a new delivery that only tells a webhook that it can be reached."""
        message = f"msg_{id}"
        return cls(
            id=id, webhook=webhook, message_id=message, type=TEST, after=None, requested=True, at=at, next_attempt_at=at
        )

    def again(self, *, id: str, at: datetime) -> Self:
        """Return what brings the message once more, at once: itself while it is pending, else a new delivery."""
        if self.status is DeliveryStatus.PENDING:
            return evolve(self, next_attempt_at=at)
        new = evolve(self, id=id, at=at, next_attempt_at=at, attempts=())
        return evolve(new, requested=True, status=DeliveryStatus.PENDING)

    def attempted(self, result: SendResult, *, at: datetime) -> Self:
        """Return the delivery with one more attempt; the next is not decided yet."""
        made = Attempt(at=at, status=result.status, error=result.error, duration_ms=result.duration_ms)
        return evolve(self, attempts=(*self.attempts, made), next_attempt_at=None)

    def ended(self, status: DeliveryStatus) -> Self:
        """Return the delivery without further attempts."""
        return evolve(self, status=status, next_attempt_at=None)


def message_id(change: Change[Entity]) -> str:
    """Return the id of the message about a change, the same whoever sends it and however often."""
    microseconds = round(change.at.timestamp() * 1_000_000)
    return f"msg_{change.entity_type.name}_{change.id}_{change.version}_{microseconds}"


@value_object(kw_only=True)
class Progress:
    """The progress of a webhook: the position behind the last change that it got, and its pending deliveries."""

    position: Cursor
    pending: tuple[Delivery, ...] = ()  # oldest first


@value_object(kw_only=True)
class Lease:
    """The right of an owner, such as a process, to deliver to a webhook."""

    webhook: int
    owner: str


class Deliveries(Protocol):
    """Keeps the progress, the lease and the deliveries of each webhook.

    A webhook has a position in the log from its creation or restore to its deletion. The deletion removes its
    deliveries too. A position never goes back. A deliverer holds a lease on its webhook, by the store's clock.
    """

    @abstractmethod
    async def positions(self, webhooks: Collection[int]) -> Mapping[int, Cursor]:
        """Return the positions of those of some webhooks that exist."""

    @abstractmethod
    async def progress(self, webhook: int) -> Progress | None:
        """Return the progress of a webhook, read at one moment, or None if there is no such webhook."""

    @abstractmethod
    async def backlogs(self) -> Mapping[int, Progress]:
        """Return the progress of each webhook that may need a delivery, all read at one moment.

        These are the webhooks with a pending delivery, and the enabled ones with changes behind their position.
        """

    @abstractmethod
    async def needed(self) -> Cursor | None:
        """Return the earliest position of the enabled webhooks, or None if no webhook is enabled."""

    @abstractmethod
    async def claim(self, webhook: int, owner: str, lease: timedelta) -> bool:
        """Take or prolong a lease, and tell whether `owner` holds it now.

        It fails while another owner's lease lasts, and if there is no such webhook. A lease that ends more than
        `MAX_CLOCK_SKEW` later than a new one does not count, because a wrong clock gave it.
        """

    @abstractmethod
    async def release(self, webhook: int, owner: str) -> None:
        """Give a lease back, if `owner` holds it."""

    @abstractmethod
    async def record(
        self, webhook: int, owner: str, *, delivery: Delivery | None = None, position: Cursor | None = None
    ) -> bool:
        """Store a delivery, in place of the one with its id, and move the position: both or neither.

        Returns whether `owner` still held the lease; without it nothing changes. Raises
        `StorageFull`.
        """

    @abstractmethod
    async def delivery(self, webhook: int, id: str) -> Delivery | None:
        """Return a delivery of a webhook, or None if there is none."""

    @abstractmethod
    async def history(self, webhook: int, *, before: str | None = None, limit: int = 100) -> tuple[Delivery, ...]:
        """Return up to `limit` deliveries of a webhook, newest first, begun before the one with the id `before`.

        The list is empty if the delivery `before` does not exist.
        """


class WebhookDispatcher(Protocol):
    """The dispatcher, as the use cases for owners of webhooks see it."""

    @abstractmethod
    async def refusal(self, url: str) -> str | None:
        """Return why nothing may be sent to a URL, as the rest of the sentence "<field> …"; None if it is allowed."""

    @abstractmethod
    def secret(self, webhook: int, version: int) -> str:
        """Return a secret of a webhook, as its owner needs it: `whsec_…` (standardwebhooks.com, version 1.0.0)."""

    @abstractmethod
    def test(self, webhook: int) -> Delivery:
        """Return a new delivery that only tells a webhook that it can be reached."""

    @abstractmethod
    def again(self, delivery: Delivery) -> Delivery:
        """Return what brings a message once more, at once: the delivery itself while it is pending, else a new one."""

    @property
    @abstractmethod
    def has_readers(self) -> bool:
        """Whether there may be an enabled webhook; without one, a write need not wake the dispatcher."""

    @abstractmethod
    async def wake(self) -> None:
        """Look for pending deliveries at once. Returns before anything is sent."""
