"""Reading together what is asked for at the same time: one connection and one statement for all."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence

from attrs import define, field

from domain.records import Record

AT_ONCE = 2
"""How many statements are on their way at the same time; what is asked for meanwhile goes with the next."""

MAX_TOGETHER = 256


@define(eq=False)
class Gatherer:
    """Reads single entities of one kind. What is read is never older than the question: it is read after that."""

    read: Callable[[Sequence[int]], Awaitable[Mapping[int, Record]]]

    _waiting: "deque[tuple[int, asyncio.Future[Record | None]]]" = field(factory=deque, init=False)
    _tasks: set[asyncio.Task[None]] = field(factory=set, init=False)

    async def get(self, id: int) -> Record | None:
        """Return an entity, or None. Raises what `read` does."""
        answer: asyncio.Future[Record | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((id, answer))
        if len(self._tasks) < AT_ONCE:
            task = asyncio.create_task(self._run())  # it begins when all have asked whose turn is before that
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await answer

    async def _run(self) -> None:
        while self._waiting:
            group = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_TOGETHER))]
            try:
                found = await self.read([id for id, _ in group])
            except Exception as error:  # noqa: BLE001 - all who asked are told
                for _, answer in group:
                    if not answer.done():
                        answer.set_exception(error)
            else:
                for id, answer in group:
                    if not answer.done():  # the caller may have gone
                        answer.set_result(found.get(id))
