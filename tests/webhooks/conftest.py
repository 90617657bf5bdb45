"""Deliveries from one store at a time, new and empty for each test."""

import pytest

from tests.builders import Clock
from tests.contract.conftest import clock, other, pytest_generate_tests, store, stores
from tests.webhooks.endpoints import Endpoints

__all__ = ["clock", "endpoints", "other", "pytest_generate_tests", "store", "stores"]


@pytest.fixture
def endpoints(clock: Clock) -> Endpoints:
    """Return endpoints that accept everything unless a test says otherwise."""
    return Endpoints(clock)
