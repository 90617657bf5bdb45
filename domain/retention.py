"""By which time old things are purged: the clock's, as far as it can be believed.

A clock that is far ahead, if only from one start to the next, would make everything old at once. So the time that is
believed moves on with the time that really went by, and at most twice as fast until it has caught up. After a long rest
things are kept for longer than they need be, and a wrong clock purges hardly more than a right one.
"""

from datetime import datetime, timedelta

from attrs import frozen

CATCH_UP = 2
"""How many times as fast as time itself the believed time may move."""


@frozen
class Belief:
    """The time that is believed, and what the clock said when that was last decided."""

    believed: datetime
    said: datetime


def advance(before: Belief | None, *, now: datetime, elapsed: timedelta, newest: datetime | None) -> Belief:
    """Return what is believed of a clock that says `now`.

    `elapsed` is the time that went by, for whoever asks, since it asked before. Where nothing is known from `before`,
    the time of the `newest` change is believed, or the clock where there is none.
    """
    if before is None:
        return Belief(believed=now if newest is None else min(newest, now), said=now)
    passed = max(min(now - before.said, elapsed), timedelta())  # several processes ask, and count the same time once
    return Belief(believed=min(before.believed + CATCH_UP * passed, now), said=now)
