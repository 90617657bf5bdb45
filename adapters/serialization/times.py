"""Serialization of timestamps."""

from datetime import datetime
from functools import lru_cache


@lru_cache(256)  # one write uses the same time in several places
def timestamp(at: datetime) -> str:
    """Write a time in UTC by RFC 3339, always with microseconds."""
    return at.isoformat(timespec="microseconds")[:-6] + "Z"
