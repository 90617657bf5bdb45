"""The memory that all workers of a service share. It is made before they are forked."""

from attrs import frozen

from adapters.shared_memory.numbers import SharedNumbers
from adapters.shared_memory.rate_limits import SharedRateLimiter


@frozen
class Shared:
    """The rate limits and the numbers of all workers."""

    limiter: SharedRateLimiter
    numbers: SharedNumbers

    @classmethod
    def among(cls, workers: int) -> "Shared":
        """Return new memory for so many workers."""
        return cls(SharedRateLimiter(alone=workers == 1), SharedNumbers(blocks=workers))
