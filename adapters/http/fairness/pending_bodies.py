"""Bodies that are being received: how long each may take, and which are given up when there are too many."""

import asyncio
from collections.abc import Callable
from heapq import nsmallest

from attrs import define, field

from adapters.http.fairness.fair_share import FairShare
from adapters.http.responses.http_errors import HttpError, Overloaded, TimedOut

STOPPED_S = 10.0  # from one piece to the next
LEAST_RATE = 500  # bytes a second, of the whole body
HEAD_START_S = 10.0  # during which the rate does not count
LONGEST_S = 120.0  # for the whole body
LOOK_EVERY_S = 1.0

MOST, MOST_EACH = 1000, 500
MOST_BYTES, MOST_BYTES_EACH = 64 * 1024 * 1024, 32 * 1024 * 1024  # complete bodies that are worked on count, too

GIVEN_UP_TOGETHER = 20
"""How many bodies make room at once. Finding the slowest takes longer than receiving the next body."""


@define(eq=False)
class PendingBody:
    """A body that is being read, and the part that has arrived. Times are by the loop's clock."""

    client: str
    began: float
    moved_at: float
    size: int = field(default=0, init=False)
    error: HttpError | None = field(default=None, init=False)
    deadline: asyncio.Timeout = field(factory=lambda: asyncio.timeout(None), init=False)

    def lead(self, now: float) -> float:
        """Return how many bytes it is ahead of the least rate. Below 0, it is behind."""
        return self.size - LEAST_RATE * (now - self.began)

    def lateness(self, now: float) -> str | None:
        """Return why it has timed out, or None."""
        if now - self.moved_at > STOPPED_S:
            return f"the body stopped for {STOPPED_S:g} seconds"
        if self.lead(now) < -LEAST_RATE * HEAD_START_S:
            return f"the body came with less than {LEAST_RATE} bytes a second"
        if now - self.began > LONGEST_S:
            return f"the body was not complete after {LONGEST_S:g} seconds"
        return None

    def waste(self, now: float) -> float:
        """Return how much memory it wastes: its bytes, times the seconds since the last of them came."""
        return self.size * (now - self.moved_at)


@define(eq=False)
class PendingBodies:
    """The bodies that one process is reading.

    If there are too many, the bodies that are furthest behind the least rate make room. If there is too little memory,
    the bodies that waste the most make room. So a client that begins bodies and does not send them loses those bodies.
    No other body is refused or delayed, even from the same address.
    """

    count: FairShare = field(factory=lambda: FairShare("bodies on their way", MOST, MOST_EACH))
    bytes: FairShare = field(factory=lambda: FairShare("bytes of bodies", MOST_BYTES, MOST_BYTES_EACH))
    _pending: dict[PendingBody, None] = field(factory=dict, init=False)
    _timer: asyncio.TimerHandle | None = field(default=None, init=False)

    def begin(self, client: str) -> PendingBody:
        """Return a new body. Enter its `deadline` before you await anything else."""
        loop = asyncio.get_running_loop()
        body = PendingBody(client, loop.time(), loop.time())
        self.count.take(client)
        self._make_room(self.count, client, PendingBody.lead)
        self._pending[body] = None
        if self._timer is None:
            self._timer = loop.call_later(LOOK_EVERY_S, self._look)
        return body

    def grow(self, body: PendingBody, amount: int) -> None:
        """Count a piece. Raises `Overloaded` if there is no room for it."""
        body.size += amount
        body.moved_at = asyncio.get_running_loop().time()
        self.bytes.take(body.client, amount)
        self._make_room(self.bytes, body.client, lambda each, now: -each.waste(now))
        if self.bytes.is_exceeded() or self.bytes.is_exceeded_by(body.client):
            raise Overloaded("too many bodies are worked on")

    def end(self, body: PendingBody) -> None:
        """Note that a body is not read any further. Its bytes stay in memory until `forget`."""
        if body in self._pending:
            del self._pending[body]
            self.count.give_back(body.client)

    def forget(self, body: PendingBody) -> None:
        """Note that the bytes of a body are no longer in memory."""
        self.end(body)
        if body.size:
            self.bytes.give_back(body.client, body.size)
            body.size = 0

    def close(self) -> None:
        """Give up every body that is not complete."""
        for body in list(self._pending):
            self._give_up(body, Overloaded("the service is shutting down"))

    def _make_room(self, share: FairShare, client: str, value: Callable[[PendingBody, float], float]) -> None:
        """Give up the bodies of least value, if one client has too many, or all clients together."""
        of_client = share.is_exceeded_by(client)
        if not (of_client or share.is_exceeded()):
            return
        now = asyncio.get_running_loop().time()
        among = (body for body in self._pending if body.client == client or not of_client)
        for body in nsmallest(GIVEN_UP_TOGETHER, among, key=lambda each: value(each, now)):
            self._give_up(body, Overloaded("too many bodies are on their way, and others come faster"))

    def _give_up(self, body: PendingBody, error: HttpError) -> None:
        body.error = error
        self.forget(body)
        body.deadline.reschedule(asyncio.get_running_loop().time())

    def _look(self) -> None:
        """Give up the bodies that have timed out, and check again later."""
        loop = asyncio.get_running_loop()
        self._timer = None
        for body in list(self._pending):
            if (lateness := body.lateness(loop.time())) is not None:
                self._give_up(body, TimedOut(lateness))
        if self._pending:
            self._timer = loop.call_later(LOOK_EVERY_S, self._look)
