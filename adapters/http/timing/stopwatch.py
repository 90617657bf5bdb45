"""Where the time of one request went. Nothing is measured unless slow requests are to be told."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from time import perf_counter

from attrs import define, field
from starlette.types import Message, Send


class Phase(StrEnum):
    """What a request spends its time with."""

    ADMISSION = "admission"  # looking up its key, and counting it
    BODY = "body"  # waiting for its body
    TURN = "turn"  # waiting while long work of others has its turn
    HEAVY = "heavy"  # parsing a large body and writing the answer, in the thread for that
    QUEUE = "queue"  # waiting for the store: behind other writes, or for a connection
    STORE = "store"  # the work of the store
    CHANGES = "changes"  # waiting for changes, which a follower wants
    SENDING = "sending"  # waiting until the client takes the answer
    OTHER = "other"  # all else: checks, decisions, rendering, and waiting for the event loop


@define(eq=False)
class Stopwatch:
    """The seconds that one request has spent with each phase."""

    _spent: dict[Phase, float] = field(factory=dict)

    def add(self, phase: Phase, seconds: float) -> None:
        """Add to a phase."""
        self._spent[phase] = self._spent.get(phase, 0.0) + seconds

    def working(self, total: float) -> float:
        """Return how much of a request's time was not spent waiting for changes."""
        return total - self._spent.get(Phase.CHANGES, 0.0)

    def phases(self, total: float) -> Mapping[Phase, float]:
        """Return the seconds of each phase of a request that took `total`. Waiting for the store is no work of it."""
        spent = {phase: self._spent.get(phase, 0.0) for phase in Phase}
        spent[Phase.STORE] = max(0.0, spent[Phase.STORE] - spent[Phase.QUEUE])
        spent[Phase.OTHER] = max(0.0, total - sum(spent.values()))
        return spent

    def sending(self, send: Send) -> Send:
        """Return `send` with the time that it takes."""

        async def timed_send(message: Message) -> None:
            with timed(Phase.SENDING):
                await send(message)

        return timed_send


_current: ContextVar[Stopwatch | None] = ContextVar("stopwatch", default=None)


def begin() -> Stopwatch:
    """Measure this task, and those that it starts, with a new stopwatch."""
    stopwatch = Stopwatch()
    _current.set(stopwatch)
    return stopwatch


def note(phase: Phase, seconds: float) -> None:
    """Add to a phase of the request that this task works for, if it is measured."""
    if (stopwatch := _current.get()) is not None:
        stopwatch.add(phase, seconds)


@contextmanager
def timed(phase: Phase) -> Iterator[None]:
    """Add the time of the block to a phase of the request that this task works for, if it is measured."""
    began = perf_counter()
    try:
        yield
    finally:
        note(phase, perf_counter() - began)
