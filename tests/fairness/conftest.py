"""The service on each store."""

from tests.contract.conftest import clock, doors, store
from tests.feed.conftest import service

__all__ = ["clock", "doors", "service", "store"]
