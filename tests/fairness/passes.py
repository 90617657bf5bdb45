"""Counting the passes of the event loop, and what happens in each of them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from attrs import define, field


@define
class Passes:
    """How often an event happened in each pass of the event loop."""

    number: int = 0
    counts: Counter[int] = field(factory=Counter)

    def note(self) -> None:
        """Count an event now."""
        self.counts[self.number] += 1

    def noted(self, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """Return a function that counts each call when it begins."""

        async def counted(*args: Any, **kwargs: Any) -> Any:
            self.note()
            return await call(*args, **kwargs)

        return counted

    @property
    def most(self) -> int:
        """The most events in one pass."""
        return max(self.counts.values())


@asynccontextmanager
async def counting() -> AsyncIterator[Passes]:
    """Count the passes of the running loop."""
    passes = Passes()
    ticking = asyncio.create_task(_tick(passes))
    yield passes
    ticking.cancel()


async def _tick(passes: Passes) -> None:
    while True:
        passes.number += 1
        await asyncio.sleep(0)
