"""Notifying waiting readers that the log may have new changes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

from domain.errors import Unavailable

LOOK_AGAIN_S = 1.0
"""How often the log is read without a notification."""

TELL_EVERY_S = 0.02
"""The least time between two notifications to other processes."""

_log = logging.getLogger("backroom")


class ChangeNotifier:
    """Wakes the waiting readers of one process. A notification only says "look again": the table is the truth.

    A notification inside a writing transaction would make all commits of the database wait for one another. Instead
    each process notifies the others after its commits, once for many. If it dies before that, the others find the
    changes when they next look. One look serves all waiting readers of the process.
    """

    def __init__(
        self,
        *,
        look: Callable[[], Awaitable[int]],
        tell: Callable[[], Awaitable[object]],
        listen: Callable[[Callable[[], None]], Awaitable[None]],
    ) -> None:
        """`look` returns the number of the newest change; `listen` runs until its connection is lost."""
        self._look = look
        self._tell = tell
        self._listen = listen
        self._waiters: dict[asyncio.Event, int] = {}  # with the number that each has seen
        self._wake_event = asyncio.Event()
        self._untold = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._closed = False

    def notify(self) -> None:
        """Note that this process has committed changes."""
        self._wake_event.set()
        self._untold.set()
        self._keep_doing(self._tell_others)

    async def beyond(self, number: int) -> None:
        """Return when the newest change is no longer `number`, or when the notifier closes.

        Any look that ends during the wait counts, in whatever order looks end.
        """
        passed = asyncio.Event()
        self._waiters[passed] = number
        try:
            await self._look_once()
            self._keep_doing(self._wait_for_changes)
            self._keep_doing(self._hear)
            if not self._closed:
                await passed.wait()
        finally:
            del self._waiters[passed]

    async def close(self) -> None:
        """Release all waiting readers."""
        self._closed = True
        for passed in self._waiters:
            passed.set()
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _look_once(self) -> None:
        newest = await self._look()
        for passed, number in self._waiters.items():
            if number != newest:
                passed.set()

    def _keep_doing(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if work.__name__ not in self._tasks and not self._closed:
            self._tasks[work.__name__] = asyncio.create_task(self._again_and_again(work))

    async def _again_and_again(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            try:
                await work()
            except Unavailable:
                await asyncio.sleep(LOOK_AGAIN_S)
            except Exception:  # noqa: BLE001 - logged; the waiting readers still need the loop
                _log.exception("waiting for changes failed, and goes on")
                await asyncio.sleep(LOOK_AGAIN_S)

    async def _wait_for_changes(self) -> None:
        """Look once: at the next notification, or when it is time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_AGAIN_S):
                await self._wake_event.wait()
        self._wake_event.clear()
        if self._waiters:
            await self._look_once()

    async def _hear(self) -> None:
        """Listen to other processes; look again when the connection is lost."""
        await self._listen(self._wake_event.set)
        self._wake_event.set()

    async def _tell_others(self) -> None:
        await self._untold.wait()
        self._untold.clear()
        await self._tell()
        await asyncio.sleep(TELL_EVERY_S)
