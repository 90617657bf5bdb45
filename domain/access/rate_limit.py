"""Rate limits by the generic cell rate algorithm, in whole nanoseconds.

The only state of a subject is the time at which its quota is whole again. So two numbers and one comparison are enough,
nothing is counted, and a subject that was quiet for a whole window needs no state.
"""

from abc import abstractmethod
from typing import NamedTuple, Protocol

from attrs import frozen

SECOND = 1_000_000_000


@frozen
class Quota:
    """How many requests are allowed in each window of seconds, also all at once. The quota comes back bit by bit."""

    amount: int
    window: int


class Verdict(NamedTuple):
    """Whether the request is allowed, how many more are now, and the nanoseconds until the quota is whole again.

    `wait` is the number of nanoseconds until a refused request is allowed.
    """

    allowed: bool
    remaining: int
    reset: int
    wait: int = 0


FAILED_TRIES = Quota(5, 60)
"""How often one address may send a wrong secret."""


def decide(quota: Quota, whole_at: int, now: int) -> tuple[int, Verdict]:
    """Return when the quota will be whole again after this, and the verdict. Both times are in nanoseconds."""
    window = quota.window * SECOND
    step = window // quota.amount
    start = max(whole_at, now)
    after = start + step
    left = window - (after - now)
    if left < 0:
        return whole_at, Verdict(False, 0, start - now, -left)
    return after, Verdict(True, left // step, after - now)


class RateLimiter(Protocol):
    """Keeps the state of subjects, for all processes that share them."""

    @abstractmethod
    def take(self, subject: bytes, quota: Quota) -> Verdict:
        """Let a subject do something once, if its quota allows that."""
