"""What goes on beside the service for as long as it runs."""

import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest

from adapters.memory.store import MemoryStore
from entrypoints import wiring
from tests.builders import SERIALIZER, Clock

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
    sweeping = asyncio.create_task(wiring._purge(MemoryStore(Clock(), SERIALIZER), timedelta(days=1)))
    with caplog.at_level(logging.ERROR, "backroom"):
        await asyncio.wait({sweeping, asyncio.ensure_future(swept.wait())}, return_when=asyncio.FIRST_COMPLETED)
    assert ["sweeping failed, and will be tried again"] == caplog.messages
    sweeping.cancel()
