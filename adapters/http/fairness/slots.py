"""Slots: only so many at once, and whoever waits has its turn client by client."""

import asyncio
from collections import deque

from attrs import define, field


@define(eq=False)
class Waiting:
    """Callers that wait for a turn. Clients have turns one after the other, however many callers each of them has."""

    _of: dict[str, deque[asyncio.Future[None]]] = field(factory=dict, init=False)  # the next client is the first

    def __bool__(self) -> bool:
        return bool(self._of)

    def join(self, client: str) -> asyncio.Future[None]:
        """Return a future that is done once a caller of this client has its turn."""
        turn = asyncio.get_running_loop().create_future()
        self._of.setdefault(client, deque()).append(turn)
        return turn

    def call_next(self) -> bool:
        """Give a turn to the next caller that is still there. Return whether there was one."""
        while self._of:
            client = next(iter(self._of))
            callers = self._of.pop(client)
            turn = callers.popleft()
            if callers:
                self._of[client] = callers  # behind all other clients
            if not turn.done():
                turn.set_result(None)
                return True
        return False


@define(eq=False)
class Slots:
    """Slots for work that `most` callers may do at once."""

    most: int
    _taken: int = field(default=0, init=False)
    _waiting: Waiting = field(factory=Waiting, init=False)

    async def take(self, client: str) -> None:
        """Return once the caller has a slot, which it must give back."""
        if self._taken < self.most:
            self._taken += 1
            return
        turn = self._waiting.join(client)
        try:
            await turn  # whoever gives its slot back passes it on
        except asyncio.CancelledError:
            if not turn.cancelled():  # the slot came just now
                self.give_back()
            raise

    def give_back(self) -> None:
        """Pass a slot on to the next caller, if one waits."""
        if not self._waiting.call_next():
            self._taken -= 1
