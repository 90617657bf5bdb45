"""Reading together what is asked for at the same time: one connection and one statement for all."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

from attrs import define, field

from domain.errors import Unavailable

AT_ONCE = 2
"""How many statements are on their way at the same time; what is asked for meanwhile goes with the next."""

MAX_TOGETHER = 256

K = TypeVar("K")
V = TypeVar("V")


@define(eq=False)
class BatchLoader(Generic[K, V]):
    """Reads single values of one kind by their keys. None is older than the question: it is read after that.

    A request that is queued is always read by somebody: while anything is queued, a reader runs that has not looked
    into the queue for the last time. Readers end only where they find it empty, whatever becomes of what they read.
    """

    read: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]

    _waiting: deque[tuple[K, asyncio.Future[V | None]]] = field(factory=deque, init=False)
    _readers: list[asyncio.Task[None]] = field(factory=list, init=False)

    async def get(self, key: K) -> V | None:
        """Return a value, or None. Raises what `read` does."""
        answer: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, answer))
        # A callback that drops a reader would come too late: those whom it answered last ask again before that.
        self._readers = [reader for reader in self._readers if not reader.done()]
        if len(self._readers) < AT_ONCE:
            # It begins when all have asked whose turn is before that.
            self._readers.append(asyncio.create_task(self._run()))
        return await answer

    async def _run(self) -> None:
        while group := self._group():
            try:
                found = await self.read([key for key, _ in group])
            except asyncio.CancelledError:  # of what it waited for, and the others that are queued still are to be read
                _fail(group, Unavailable())
            except Exception as error:  # noqa: BLE001 - all who asked are told
                _fail(group, error)
            else:
                for key, answer in group:
                    if not answer.done():  # the caller may have gone
                        answer.set_result(found.get(key))

    def _group(self) -> list[tuple[K, asyncio.Future[V | None]]]:
        """Take what is waiting, and leave out those who have gone."""
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
