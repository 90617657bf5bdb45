"""Work for a client that may leave."""

import asyncio

import pytest
from starlette.types import Message

from adapters.http.feed.until_disconnect import until_disconnect

pytestmark = pytest.mark.anyio


async def silent() -> Message:
    """Wait for a client that stays, and sends nothing."""
    await asyncio.Event().wait()
    raise AssertionError


async def test_a_failure_is_raised() -> None:
    """What the work raises reaches whoever asked for it."""

    async def fail() -> None:
        raise ValueError("odd")

    with pytest.raises(ValueError, match="odd"):
        await until_disconnect(silent, fail())


async def test_a_client_that_leaves() -> None:
    """The work is cancelled, and has cleaned up when the caller goes on; other messages end nothing."""
    told = iter(("websocket.receive", "websocket.disconnect"))
    cleaned = asyncio.Event()

    async def receive() -> Message:
        return {"type": next(told)}

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.set()

    await until_disconnect(receive, work())
    assert cleaned.is_set()
    assert [] == list(told)
