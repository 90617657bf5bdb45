"""Heavy work: the computing for a large request, in a thread, so that the event loop serves others meanwhile."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from attrs import define, field

from adapters.http.fairness.slots import Slots
from adapters.http.timing.stopwatch import Phase, timed

HEAVY_BYTES = 16 * 1024
"""Bytes of a body above which its request is heavy. Below, a thread would cost more than it saves."""

T = TypeVar("T")


@define(eq=False)
class HeavyWork:
    """The heavy work of one process, done one by one: several threads would share the interpreter with the loop.

    A heavy request has one of the `slots` from the end of its body to the beginning of its response. More of them at
    once would only wait for the store, and compute while it computes for one of them.
    """

    slots: Slots = field(factory=lambda: Slots(1))
    _thread: ThreadPoolExecutor = field(factory=lambda: ThreadPoolExecutor(1, "backroom-heavy"), init=False)

    async def do(self, work: Callable[[], T]) -> T:
        """Return what `work` returns in the thread."""
        with timed(Phase.HEAVY):
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
