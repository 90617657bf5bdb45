"""Delivering changes to webhooks: what is kept of it, and the port through which it is."""

from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol

from attrs import frozen

from domain.changes import Cursor

MAX_CLOCK_SKEW = timedelta(minutes=1)
"""How far apart the clocks of two hosts may be. What lies further ahead was written by a clock that was wrong."""


class Status(Enum):
    """What became of a delivery: another attempt is due, it arrived, or there will be no more attempts."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@frozen(kw_only=True)
class Attempt:
    """One attempt: the HTTP status that was answered, or a short text on why there was none."""

    at: datetime
    status: int | None
    error: str | None
    duration_ms: int


@frozen(kw_only=True)
class Delivery:
    """A message for a webhook, with its attempts in their order.

    `after` is a place in the log: the change is the first of this `type` behind it. A message without one is a test.
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
    status: Status = Status.PENDING
    attempts: tuple[Attempt, ...] = ()
    next_attempt_at: datetime | None = None


class Deliveries(Protocol):
    """Keeps how far each webhook has come, who delivers for it, and what was attempted.

    A webhook has a position in the log from its creation (or its restoring) to its deletion, which takes its
    deliveries along. A position never goes back. Who delivers for a webhook holds a lease on it, by the store's clock.
    """

    @abstractmethod
    async def positions(self) -> Mapping[int, Cursor]:
        """Return of every webhook the place in the log behind the last change that it has had."""

    @abstractmethod
    async def needed(self) -> Cursor | None:
        """Return the earliest of the positions of enabled webhooks, or None where there is none."""

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
    async def pending(self) -> tuple[Delivery, ...]:
        """Return the pending deliveries of all webhooks, oldest first."""

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
        """Whether there may be a webhook to deliver to, so that a nudge could be of use."""

    @abstractmethod
    async def wake(self) -> None:
        """Look at once for what is to be delivered. Returns before anything is sent."""
