"""The retry policy: the effect of one attempt at a delivery, and the time of the next.

The Standard Webhooks specification (standardwebhooks.com, version 1.0.0), section "Operational considerations", gives
the delays, and defines success and the meaning of a 410.
"""

from datetime import datetime, timedelta

from attrs import frozen

from domain.deliveries import MAX_CLOCK_SKEW, Delivery, SendResult

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
"""The delay after each failed attempt; the first attempt follows the change at once."""

MAX_ATTEMPTS = len(DELAYS) + 1
MAX_RETRY_AFTER = DELAYS[-1]
"""An endpoint may slow its deliveries down, not put them off for ever."""

JITTER = 0.2
"""Up to this share of the delay is added, so that messages that failed together are not retried together."""

MAX_WAIT = DELAYS[-1] * (1 + JITTER)
GONE = 410


@frozen(kw_only=True)
class Arrived:
    """The endpoint has the message; the next one may be sent."""


@frozen(kw_only=True)
class Retry:
    """The same message is due again after `delay`; those behind it wait."""

    delay: timedelta


@frozen(kw_only=True)
class GiveUp:
    """The endpoint gets nothing more, for this `reason`."""

    reason: str


Verdict = Arrived | Retry | GiveUp


def judge(result: SendResult, *, made: int, random: float) -> Verdict:
    """Return the effect of the latest of the `made` attempts at one message (from 1).

    `random` is a random number from 0 up to, not including, 1.
    """
    if result.arrived:
        return Arrived()
    if result.status == GONE:
        return GiveUp(reason="the endpoint answered 410 Gone")
    if made >= MAX_ATTEMPTS:
        return GiveUp(reason=f"{made} attempts failed; the last attempt {_in_words(result)}")
    delay = DELAYS[made - 1] * (1 + JITTER * random)
    asked = min(timedelta(seconds=result.retry_after or 0), MAX_RETRY_AFTER)
    return Retry(delay=max(delay, asked))


def is_due(delivery: Delivery, at: datetime) -> bool:
    """Tell whether the next attempt may be made at a time.

    It may also be made if the stored times are further ahead than possible, because a wrong clock wrote them.
    """
    due, last = delivery.next_attempt_at, max((each.at for each in delivery.attempts), default=at)
    return due is None or due <= at or last > at + MAX_CLOCK_SKEW or due > at + MAX_WAIT + MAX_CLOCK_SKEW


def _in_words(result: SendResult) -> str:
    return f"was answered {result.status}" if result.error is None else f"failed: {result.error}"
