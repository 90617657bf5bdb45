"""Taking turns: what takes long for one client goes on in pieces, between which others are served."""

import asyncio
from collections import deque
from time import perf_counter

from attrs import define, field

BUDGET_S = 0.003
"""Seconds of one pass of the event loop that all long work has together."""


@define(eq=False)
class Turns:
    """The turns of all long work in one process: whoever has more to do than a few milliseconds asks before each piece.

    All pieces that are asked for in one pass of the event loop share its budget. When that is spent, one more begins
    in each pass, in the order in which they were asked for. So the others wait for one piece, however many want a turn.
    """

    _began: float | None = field(default=None, init=False)  # the first piece of this pass
    _waiting: deque[asyncio.Future[None]] = field(factory=deque, init=False)

    async def next(self) -> None:
        """Return when it is one's turn: at once, if there is time left."""
        if self._waiting or (self._began is not None and perf_counter() - self._began > BUDGET_S):
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            finally:
                if not turn.cancelled():  # also for one who leaves at this very moment, or nobody would come next
                    self._begin()
        elif self._began is None:
            self._begin()

    def _begin(self) -> None:
        self._began = perf_counter()
        asyncio.get_running_loop().call_soon(self._end)

    def _end(self) -> None:
        """Give the next turn to the one that has waited longest, unless it has left."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._began = None
