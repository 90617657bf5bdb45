"""Delivering changes to webhooks: the messages, what is kept of each, and the port through which it is kept."""

from abc import abstractmethod
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Protocol, Self

from attrs import evolve, frozen

from domain.changes import Change, Cursor

MAX_CLOCK_SKEW = timedelta(minutes=1)
"""How far apart the clocks of two hosts may be. What lies further ahead was written by a clock that was wrong."""

TEST = "webhook.test"
"""The type of a message that only tells a webhook that it can be reached."""


class DeliveryStatus(Enum):
    """What became of a delivery: another attempt is due, it arrived, or there will be no more attempts."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@frozen(kw_only=True)
class SendResult:
    """What came of sending a message once: the HTTP status that was answered, or an error instead of one.

    `error` is a short text that may be shown to the owner of the webhook; `retry_after` is in seconds, from 0 to a day.
    """

    status: int | None = None
    error: str | None = None
    retry_after: float | None = None
    duration_ms: int

    @property
    def arrived(self) -> bool:
        """Whether the endpoint took the message: any status from 200 to 299 says so."""
        return self.status is not None and 200 <= self.status <= 299


@frozen(kw_only=True)
class Attempt:
    """What is kept of sending a message once, begun `at` a time."""

    at: datetime
    status: int | None
    error: str | None
    duration_ms: int


@frozen(kw_only=True)
class Delivery:
    """A message for a webhook, with its attempts in their order.

    `after` is a position in the log: the change is the first of this `type` behind it. A message without one is a test.
    One that was `requested` is attempted once, whatever the order and whether or not the webhook is enabled; every
    other one is attempted again and again, at `next_attempt_at`, and those behind it wait.
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
    def of_change(cls, webhook: int, change: Change[Any], *, after: Cursor, id: str, at: datetime) -> Self:
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
        """Return the delivery with one attempt more, and nothing decided on the next."""
        made = Attempt(at=at, status=result.status, error=result.error, duration_ms=result.duration_ms)
        return evolve(self, attempts=(*self.attempts, made), next_attempt_at=None)

    def ended(self, status: DeliveryStatus) -> Self:
        """Return the delivery as there will be no more attempts at it."""
        return evolve(self, status=status, next_attempt_at=None)


def message_id(change: Change[Any]) -> str:
    """Return the id of the message about a change, the same whoever sends it and however often."""
    microseconds = round(change.at.timestamp() * 1_000_000)
    return f"msg_{change.entity_type.name}_{change.id}_{change.version}_{microseconds}"


@frozen(kw_only=True)
class Progress:
    """How far a webhook has come: the position behind the last change that it has had, and what is pending there."""

    position: Cursor
    pending: tuple[Delivery, ...] = ()  # oldest first


@frozen(kw_only=True)
class Lease:
    """The right of an owner, such as a process, to deliver to a webhook."""

    webhook: int
    owner: str


class Deliveries(Protocol):
    """Keeps how far each webhook has come, who delivers for it, and what was attempted.

    A webhook has a position in the log from its creation (or its restoring) to its deletion, which takes its
    deliveries along. A position never goes back. Who delivers for a webhook holds a lease on it, by the store's clock.
    """

    @abstractmethod
    async def positions(self, webhooks: Collection[int]) -> Mapping[int, Cursor]:
        """Return the position of each of some webhooks that is there."""

    @abstractmethod
    async def progress(self, webhook: int) -> Progress | None:
        """Return how far a webhook has come, read at one moment, or None where there is none."""

    @abstractmethod
    async def backlogs(self) -> Mapping[int, Progress]:
        """Return how far each webhook has come to which something may have to be sent, all read at one moment.

        They are those with a pending delivery and, of the enabled ones, those with changes behind their position.
        """

    @abstractmethod
    async def needed(self) -> Cursor | None:
        """Return the earliest of the positions of enabled webhooks, or None where no webhook is enabled."""

    @abstractmethod
    async def claim(self, webhook: int, owner: str, lease: timedelta) -> bool:
        """Take or prolong a lease, and tell whether `owner` holds it now.

        It does not where another owner's lease has not run out, and where there is no such webhook. A lease that ends
        more than `MAX_CLOCK_SKEW` later than one that is taken now is none: a clock that was wrong gave it.
        """

    @abstractmethod
    async def release(self, webhook: int, owner: str) -> None:
        """Give a lease back. Does nothing where `owner` does not hold it."""

    @abstractmethod
    async def record(
        self, webhook: int, owner: str, *, delivery: Delivery | None = None, position: Cursor | None = None
    ) -> bool:
        """Put a delivery into the log of deliveries, in place of the one with its id, and move the position.

        Both or neither; returns whether `owner` still held the lease, without which nothing changes. Raises
        `StorageFull`.
        """

    @abstractmethod
    async def delivery(self, webhook: int, id: str) -> Delivery | None:
        """Return a delivery of a webhook, or None where there is none."""

    @abstractmethod
    async def history(self, webhook: int, *, before: str | None = None, limit: int = 100) -> tuple[Delivery, ...]:
        """Return up to `limit` deliveries of a webhook, newest first, begun before the one with the id `before`.

        Nothing is before a delivery that is not there.
        """


class WebhookDispatcher(Protocol):
    """What delivers to webhooks, as those see it who manage them."""

    @abstractmethod
    async def refusal(self, url: str) -> str | None:
        """Return why nothing may be sent to a URL, completing the sentence "<field> …", or None where it may."""

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
        """Whether there may be an enabled webhook, so that to wake the dispatcher after a write could be of use."""

    @abstractmethod
    async def wake(self) -> None:
        """Look at once for what is to be delivered. Returns before anything is sent."""
