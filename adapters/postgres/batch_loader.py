"""Batch loading: concurrent requests share one connection and one statement."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

from attrs import define, field

from domain.errors import Unavailable

AT_ONCE = 2
"""How many statements run at the same time. Requests that arrive meanwhile go with the next one."""

MAX_TOGETHER = 256

K = TypeVar("K")
V = TypeVar("V")


@define(eq=False)
class BatchLoader(Generic[K, V]):
    """Reads single values by key. It reads each value after the request for it, so none is older.

    Every queued request is answered: while the queue has requests, a reader runs that will look into it again. A reader
    ends only when it finds the queue empty, even if a read fails.
    """

    read: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]

    _waiting: deque[tuple[K, asyncio.Future[V | None]]] = field(factory=deque, init=False)
    _readers: list[asyncio.Task[None]] = field(factory=list, init=False)

    def get(self, key: K) -> asyncio.Future[V | None]:
        """Queue a request at once, and return the future of its value or None. It may have an error of `read`."""
        answer: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, answer))
        # No callback drops readers that are done: their last callers may ask again before it runs.
        self._readers = [reader for reader in self._readers if not reader.done()]
        if len(self._readers) < AT_ONCE:
            # The task starts after the requests that are already scheduled, so they share its statement.
            self._readers.append(asyncio.create_task(self._run()))
        return answer

    async def _run(self) -> None:
        while group := self._group():
            try:
                found = await self.read([key for key, _ in group])
            except asyncio.CancelledError:  # of the awaited read; the queue must still be read
                _fail(group, Unavailable())
            except Exception as error:  # noqa: BLE001 - every caller gets it
                _fail(group, error)
            else:
                for key, answer in group:
                    if not answer.done():  # the caller may have left
                        answer.set_result(found.get(key))

    def _group(self) -> list[tuple[K, asyncio.Future[V | None]]]:
        """Take the waiting requests, without those whose callers have left."""
        group: list[tuple[K, asyncio.Future[V | None]]] = []
        while self._waiting and len(group) < MAX_TOGETHER:
            key, answer = self._waiting.popleft()
            if not answer.done():
                group.append((key, answer))
        return group


def _fail(group: Sequence[tuple[K, asyncio.Future[V | None]]], error: Exception) -> None:
    for _, answer in group:
        if not answer.done():
            answer.set_exception(error)
