"""The time for purging: the clock's, as far as it can be believed.

A clock that is far ahead, even for one start, would make all data old at once. So the believed time moves with the
time that really went by, and at most twice as fast until it has caught up with the clock. After a long pause data is
kept for longer than necessary, and a wrong clock purges hardly more than a right one.
"""

from datetime import datetime, timedelta

from attrs import frozen

CATCH_UP = 2
"""How many times as fast as time itself the believed time may move."""


@frozen
class Belief:
    """The believed time, and the clock's time when it was last decided."""

    believed: datetime
    said: datetime


def advance(before: Belief | None, *, now: datetime, elapsed: timedelta, newest: datetime | None) -> Belief:
    """Return the believed time when the clock says `now`.

    `elapsed` is the time since the caller's last call. Without `before`, the time of the `newest` change is believed,
    or the clock if there is no change.
    """
    if before is None:
        return Belief(believed=now if newest is None else min(newest, now), said=now)
    passed = max(min(now - before.said, elapsed), timedelta())  # several processes ask, and count the same time once
    return Belief(believed=min(before.believed + CATCH_UP * passed, now), said=now)
