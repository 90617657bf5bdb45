"""How a point in time is written."""

from datetime import datetime
from functools import lru_cache


@lru_cache(256)  # one write has the same time in several places
def timestamp(at: datetime) -> str:
    """Write a time in UTC as RFC 3339 says, always with its microseconds."""
    return at.isoformat(timespec="microseconds")[:-6] + "Z"
