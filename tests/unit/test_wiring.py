"""The background work of a running service."""

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from adapters.memory.store import MemoryStore
from domain.task import TASK
from entrypoints import wiring
from tests.builders import SERIALIZER, Clock
from tests.contract.steps import fill, trail

pytestmark = pytest.mark.anyio


async def test_sweeping_goes_on(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever goes wrong with it is logged, and it is tried again: it must not end for as long as the service runs."""
    swept, faults = asyncio.Event(), [RuntimeError("odd")]

    async def purge(*_: Any, **__: Any) -> bool:
        if faults:
            raise faults.pop()
        swept.set()
        return False

    monkeypatch.setattr(MemoryStore, "purge", purge)
    monkeypatch.setattr(wiring, "PURGE_EVERY_S", 0)
    purging = asyncio.create_task(wiring._purge(MemoryStore(Clock(), SERIALIZER), timedelta(days=1)))
    with caplog.at_level(logging.ERROR, "backroom"):
        await asyncio.wait({purging, asyncio.ensure_future(swept.wait())}, return_when=asyncio.FIRST_COMPLETED)
    assert ["sweeping failed, and will be tried again"] == caplog.messages
    purging.cancel()


async def test_a_clock_that_is_ahead_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """One warning has both times, and earlier data is kept."""
    clock = Clock()
    store = MemoryStore(clock, SERIALIZER)
    await fill(store, TASK, {})
    turns = iter(range(6))

    async def rest(seconds: float) -> None:
        if next(turns, None) is None:
            raise asyncio.CancelledError

    monkeypatch.setattr(wiring, "now", lambda: clock.now + timedelta(days=400))
    monkeypatch.setattr(asyncio, "sleep", rest)
    with caplog.at_level(logging.WARNING, "backroom"), suppress(asyncio.CancelledError):
        await wiring._purge(store, timedelta(days=30))
    assert [("task.created", 1, 1)] == await trail(store)
    clock_says = "the clock says 2027-03-07 12:00 UTC, but by what was written lately it is 2026-01-31 12:00 UTC. "
    assert [clock_says] == [each[: len(clock_says)] for each in caplog.messages]
