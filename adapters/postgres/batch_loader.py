"""Reading together what is asked for at the same time: one connection and one statement for all."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

from attrs import define, field

from domain.errors import Unavailable
from domain.stored_entity import StoredEntity

AT_ONCE = 2
"""How many statements are on their way at the same time; what is asked for meanwhile goes with the next."""

MAX_TOGETHER = 256

_Request: TypeAlias = "tuple[int, asyncio.Future[StoredEntity | None]]"


@define(eq=False)
class BatchLoader:
    """Reads single entities of one kind. What is read is never older than the question: it is read after that.

    A request that is queued is always read by somebody: while anything is queued, a reader runs that has not looked
    into the queue for the last time. Readers end only where they find it empty, whatever becomes of what they read.
    """

    read: Callable[[Sequence[int]], Awaitable[Mapping[int, StoredEntity]]]

    _waiting: deque[_Request] = field(factory=deque, init=False)
    _readers: list[asyncio.Task[None]] = field(factory=list, init=False)

    async def get(self, id: int) -> StoredEntity | None:
        """Return an entity, or None. Raises what `read` does."""
        answer: asyncio.Future[StoredEntity | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((id, answer))
        # A callback that drops a reader would come too late: those whom it answered last ask again before that.
        self._readers = [reader for reader in self._readers if not reader.done()]
        if len(self._readers) < AT_ONCE:
            # It begins when all have asked whose turn is before that.
            self._readers.append(asyncio.create_task(self._run()))
        return await answer

    async def _run(self) -> None:
        while group := self._group():
            try:
                found = await self.read([id for id, _ in group])
            except asyncio.CancelledError:  # of what it waited for, and the others that are queued still are to be read
                _fail(group, Unavailable())
            except Exception as error:  # noqa: BLE001 - all who asked are told
                _fail(group, error)
            else:
                for id, answer in group:
                    if not answer.done():  # the caller may have gone
                        answer.set_result(found.get(id))

    def _group(self) -> list[_Request]:
        """Take what is waiting, and leave out those who have gone."""
        group: list[_Request] = []
        while self._waiting and len(group) < MAX_TOGETHER:
            id, answer = self._waiting.popleft()
            if not answer.done():
                group.append((id, answer))
        return group


def _fail(group: Sequence[_Request], error: Exception) -> None:
    for _, answer in group:
        if not answer.done():
            answer.set_exception(error)
