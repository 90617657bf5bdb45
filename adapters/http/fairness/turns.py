"""Turns: long work for one client is done in pieces, and other clients are served between them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter

from attrs import define, field

from adapters.http.fairness.slots import Slots, Waiting
from adapters.http.timing.stopwatch import Phase, timed

BUDGET_S = 0.003
"""Seconds that all long work together has in one pass of the event loop."""

READS_AT_ONCE = 2
"""How many pieces may wait for the store at the same time. So its threads or connections stay free for others."""


@define(eq=False)
class Turns:
    """The turns of all long work in one process. Work of more than a few milliseconds asks before each piece.

    All pieces in one pass of the event loop share its budget. Once that is spent, each pass begins one more piece,
    client by client. So other requests wait for one piece only, however many pieces wait for a turn.
    """

    _began: float | None = field(default=None, init=False)  # when the first piece of this pass began
    _waiting: Waiting = field(factory=Waiting, init=False)
    _reads: Slots = field(factory=lambda: Slots(READS_AT_ONCE), init=False)

    async def next(self, client: str) -> None:
        """Return when it is the caller's turn: at once, if there is time left."""
        if self._waiting or (self._began is not None and perf_counter() - self._began > BUDGET_S):
            turn = self._waiting.join(client)
            try:
                with timed(Phase.TURN):
                    await turn
            finally:
                if not turn.cancelled():  # even if the caller is cancelled now, or no other turn would follow
                    self._begin()
        elif self._began is None:
            self._begin()

    @asynccontextmanager
    async def read(self, client: str) -> AsyncIterator[None]:
        """Surround a piece that waits for the store. It begins when it is the caller's turn."""
        with timed(Phase.TURN):
            await self._reads.take(client)
        try:
            await self.next(client)
            yield
        finally:
            self._reads.give_back()

    def _begin(self) -> None:
        self._began = perf_counter()
        asyncio.get_running_loop().call_soon(self._end)

    def _end(self) -> None:
        """Give the next turn, or note that none is needed."""
        if not self._waiting.call_next():
            self._began = None
