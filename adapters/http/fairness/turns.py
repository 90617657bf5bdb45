"""Turns: long work for one client is done in pieces, and other clients are served between them."""

import asyncio
from collections import deque
from time import perf_counter

from attrs import define, field

from adapters.http.timing.stopwatch import Phase, timed

BUDGET_S = 0.003
"""Seconds that all long work together has in one pass of the event loop."""


@define(eq=False)
class Turns:
    """The turns of all long work in one process. Work of more than a few milliseconds asks before each piece.

    All pieces in one pass of the event loop share its budget. Once that is spent, each pass begins one more piece, in
    the order in which they asked. So other requests wait for one piece only, however many pieces wait for a turn.
    """

    _began: float | None = field(default=None, init=False)  # when the first piece of this pass began
    _waiting: deque[asyncio.Future[None]] = field(factory=deque, init=False)

    async def next(self) -> None:
        """Return when it is the caller's turn: at once, if there is time left."""
        if self._waiting or (self._began is not None and perf_counter() - self._began > BUDGET_S):
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                with timed(Phase.TURN):
                    await turn
            finally:
                if not turn.cancelled():  # even if the caller is cancelled now, or no other turn would follow
                    self._begin()
        elif self._began is None:
            self._begin()

    def _begin(self) -> None:
        self._began = perf_counter()
        asyncio.get_running_loop().call_soon(self._end)

    def _end(self) -> None:
        """Give the next turn to the caller that has waited longest and is still there."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._began = None
