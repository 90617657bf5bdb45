"""What one attempt at a delivery means, and when the next one is due. Nothing here reads a clock or sends anything.

The Standard Webhooks specification (standardwebhooks.com, version 1.0.0), section "Operational considerations", gives
the delays, what counts as a success, and what a 410 asks for.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from attrs import frozen

from domain.deliveries import MAX_CLOCK_SKEW, Delivery

DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""How long after each failed attempt the next one is due; the first follows the change at once."""

MAX_ATTEMPTS = len(DELAYS) + 1
MAX_RETRY_AFTER = DELAYS[-1]  # an endpoint may slow its deliveries down, not put them off for ever
JITTER = 0.2  # up to this share of the delay is added, so that what failed together is not retried together
MAX_WAIT = DELAYS[-1] * (1 + JITTER)


@frozen(kw_only=True)
class Attempt:
    """What came of sending a message once: an answer, or an error instead of one.

    `error` is a short text that may be shown to the owner of the webhook; `retry_after` is in seconds, from 0 to a day.
    """

    status: int | None = None
    error: str | None = None
    retry_after: float | None = None
    duration_ms: int

    @property
    def delivered(self) -> bool:
        """Whether the endpoint took the message: any status from 200 to 299 says so."""
        return self.status is not None and 200 <= self.status <= 299

    @property
    def outcome(self) -> str:
        """What happened, in words, completing "the last attempt …"."""
        return f"was answered {self.status}" if self.error is None else f"failed: {self.error}"


@frozen(kw_only=True)
class Delivered:
    """The message has arrived; the next one may be sent."""


@frozen(kw_only=True)
class Retry:
    """The same message is due again after `delay`; those behind it wait."""

    delay: timedelta


@frozen(kw_only=True)
class Disable:
    """Nothing more is to be sent to this endpoint, for this `reason`."""

    reason: str


def decide(attempt: Attempt, *, made: int, random: Callable[[], float]) -> Delivered | Retry | Disable:
    """Return what follows from the latest of the `made` attempts at one message (from 1).

    `random` returns numbers from 0 up to, not including, 1.
    """
    if attempt.delivered:
        return Delivered()
    if attempt.status == 410:
        return Disable(reason="the endpoint answered 410 Gone")
    if made >= MAX_ATTEMPTS:
        return Disable(reason=f"{made} attempts failed; the last attempt {attempt.outcome}")
    delay = DELAYS[made - 1] * (1 + JITTER * random())
    return Retry(delay=max(delay, timedelta(seconds=attempt.retry_after or 0)))


def is_due(delivery: Delivery, at: datetime) -> bool:
    """Tell whether the next attempt may be made at a time.

    It may also where the last one, or this one, lies further ahead than it can: a clock that was wrong wrote that.
    """
    due, last = delivery.next_attempt_at, max((each.at for each in delivery.attempts), default=at)
    return due is None or due <= at or last > at + MAX_CLOCK_SKEW or due > at + MAX_WAIT + MAX_CLOCK_SKEW


def retry_after(value: str, *, now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` header (RFC 9110, section 10.2.3) asks for; None when it makes no sense.

    `value` is a number of seconds or an HTTP date, which is compared with `now`. The answer is from 0 to a day.
    """
    seconds = float(value) if value.isascii() and value.isdigit() else _seconds_until(value, now)
    return None if seconds is None else min(max(seconds, 0.0), MAX_RETRY_AFTER.total_seconds())


def _seconds_until(http_date: str, now: datetime) -> float | None:
    try:
        at = parsedate_to_datetime(http_date)
    except (ValueError, OverflowError):
        return None
    # The obsolete forms of the date have no zone and mean UTC.
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
