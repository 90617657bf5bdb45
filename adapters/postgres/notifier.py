"""Telling whoever waits that there may be something new in the log."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

from domain.errors import Unavailable

LOOK_AGAIN_S = 1.0
"""How often the log is looked at although nobody said that there is anything new in it."""

TELL_EVERY_S = 0.02
"""How often other processes are told of what this one commits."""

_log = logging.getLogger("backroom")


class ChangeNotifier:
    """Wakes whoever waits in one process. What it says is only that one should look: the table is the truth.

    A notification inside the transaction that writes would make all commits of the database wait for one another.
    Instead each process tells the others after it has committed, many commits at once; a process that dies in between
    only delays them until they look again by themselves. One look serves everyone who waits in this process.
    """

    def __init__(
        self,
        *,
        look: Callable[[], Awaitable[int]],
        tell: Callable[[], Awaitable[object]],
        listen: Callable[[Callable[[], None]], Awaitable[None]],
    ) -> None:
        """`look` returns the number of the newest change; `listen` lasts until it is cut off."""
        self._look = look
        self._tell = tell
        self._listen = listen
        self._waiters: dict[asyncio.Event, int] = {}  # each with the number that it waits to see passed
        self._wake_event = asyncio.Event()
        self._untold = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._closed = False

    def notify(self) -> None:
        """Say that this process has committed something."""
        self._wake_event.set()
        self._untold.set()
        self._keep_doing(self._tell_others)

    async def beyond(self, number: int) -> None:
        """Return when the newest change is another one than `number`, or at the end.

        Whatever any look says counts that ends while this waits, in whichever order looks end.
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
        """Let everyone go who waits."""
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
            except Exception:  # noqa: BLE001 - told, and nobody who waits is left alone
                _log.exception("waiting for changes failed, and goes on")
                await asyncio.sleep(LOOK_AGAIN_S)

    async def _wait_for_changes(self) -> None:
        """Look once, as soon as somebody says so or it is time to."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_AGAIN_S):
                await self._wake_event.wait()
        self._wake_event.clear()
        if self._waiters:
            await self._look_once()

    async def _hear(self) -> None:
        """Listen to other processes, and look as soon as that ends."""
        await self._listen(self._wake_event.set)
        self._wake_event.set()

    async def _tell_others(self) -> None:
        await self._untold.wait()
        self._untold.clear()
        await self._tell()
        await asyncio.sleep(TELL_EVERY_S)
