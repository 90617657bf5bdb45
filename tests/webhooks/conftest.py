"""Deliveries from one store at a time, new and empty for each test."""

import pytest

from tests.builders import Clock
from tests.contract.conftest import clock, other, store, stores
from tests.webhooks.endpoints import Endpoints

__all__ = ["clock", "endpoints", "other", "store", "stores"]


@pytest.fixture
def endpoints(clock: Clock) -> Endpoints:
    """Return endpoints that accept everything unless a test says otherwise."""
    return Endpoints(clock)
