"""How often somebody may do something: the generic cell rate algorithm, in whole nanoseconds.

All that is kept of a subject is the time at which he will have his whole quota again. So two numbers and one comparison
are enough, nothing is ever counted, and whoever was quiet for a whole window can be forgotten.
"""

from abc import abstractmethod
from typing import NamedTuple, Protocol

from attrs import frozen

SECOND = 1_000_000_000


@frozen
class Quota:
    """How many at once, and again in every window; the window is in seconds. It comes back bit by bit."""

    amount: int
    window: int


class Verdict(NamedTuple):
    """Whether it may be done, how many more may be now, and in how many nanoseconds the quota is whole again.

    Where it may not, `wait` is the number of nanoseconds until it may.
    """

    allowed: bool
    remaining: int
    reset: int
    wait: int = 0


FAILED_TRIES = Quota(5, 60)
"""How often one address may show a secret that is none."""


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
    """Keeps what is known of subjects, for all who decide on the same ones."""

    @abstractmethod
    def take(self, subject: bytes, quota: Quota) -> Verdict:
        """Let a subject do something once, if its quota allows that."""
