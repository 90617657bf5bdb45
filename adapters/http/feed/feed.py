"""What followers of the log share in one process: one reader, one encoding of each change, one bell.

A follower has a cursor and asks for what is behind it; recent changes come from the window that
all share, older ones from the log. So there is no queue for each, and nothing that could be lost between two of them.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Set
from contextlib import asynccontextmanager
from math import inf

from attrs import define, field, frozen

from adapters.http.fairness.turns import Turns
from adapters.serialization.changes import change_document
from domain.changes import Cursor, Entry
from domain.errors import CursorExpired, DomainError
from domain.ports import ChangeLog, LogPage

MAX_BEHIND = 1000
WINDOW = MAX_BEHIND  # whoever is further behind reads the log itself
TAKEN_AT_ONCE = 50
SENT_AT_ONCE = 5000  # messages to all followers together, before anybody else has a turn
RETRY_S = 1.0
TIMEOUT_S = 10.0
PATIENCE_WITH_LATE_S = 1.0  # with those that are too far behind; they may be so for a moment, as when a burst comes
LOOK_EVERY_S = 0.5  # at all who are being waited for; a timer for each message would cost more than sending it

_log = logging.getLogger("backroom")


@frozen(eq=False)
class FeedEvent:
    """A change, written once for all followers."""

    cursor: Cursor
    type: str
    text: str

    @classmethod
    def of(cls, entry: Entry) -> "FeedEvent":
        return cls(entry.cursor, entry.change.type, change_document(entry))


@define(eq=False)
class Follower:
    """One reader of the feed; no `types` mean all."""

    cursor: Cursor | None  # behind the last change that it took; None is in front of the oldest kept
    types: Set[str]
    number: int | None = None  # of the change behind which the cursor is, where that is within the window
    deadline: float = inf  # by the loop's clock, until when it must have taken what is being sent to it
    patience: asyncio.Timeout = field(factory=lambda: asyncio.timeout(None), init=False)

    async def take(self, sending: Awaitable[None]) -> None:
        """Send something to it. Where it is given up meanwhile, the `follower` of the feed raises `TooSlow`."""
        self.deadline = asyncio.get_running_loop().time() + TIMEOUT_S
        await sending
        self.deadline = inf


class TooSlow(Exception):
    """A follower took nothing for too long, or fell too far behind while something was being sent to it."""


@define(eq=False)
class Feed:
    """The window of recent changes, kept by one task for as long as anybody follows."""

    log: ChangeLog
    turns: Turns = field(factory=Turns)  # with all long work of the process

    _window: deque[FeedEvent] = field(factory=lambda: deque(maxlen=WINDOW), init=False)
    _newest: int = field(default=0, init=False)  # changes that ever were in the window; numbers its entries
    _numbers: dict[Cursor | None, int] = field(factory=dict, init=False)
    _wake_event: asyncio.Event = field(factory=asyncio.Event, init=False)
    _followers: set[Follower] = field(factory=set, init=False)
    _reader: asyncio.Task[None] | None = field(default=None, init=False)
    _wait_for_changes: asyncio.TimerHandle | None = field(default=None, init=False)
    _closed: bool = field(default=False, init=False)

    @property
    def is_closed(self) -> bool:
        """Tell whether the service is going down, so that nobody should wait for news any more."""
        return self._closed

    @asynccontextmanager
    async def follower(self, after: Cursor | None, types: Set[str]) -> AsyncIterator[Follower]:
        """Yield a follower that starts at a cursor, or at the oldest change that is kept. Raises `TooSlow`."""
        follower = Follower(after, types)
        self._followers.add(follower)
        if self._reader is None and not self._closed:
            self._reader = asyncio.create_task(self._read())
        if self._wait_for_changes is None:
            self._look()
        try:
            async with follower.patience:
                yield follower
        except TimeoutError:
            if not follower.patience.expired():
                raise
            raise TooSlow from None
        finally:
            self._followers.discard(follower)
            if not self._followers:
                self._look_no_more()
                await self._stop()

    async def earlier(self, follower: Follower) -> list[FeedEvent]:
        """Return the next changes from the log, and none where it ends: then all that was written before was told.

        Raises `BadCursor`, `CursorExpired` and `Unavailable`.
        """
        batch = await self.read_on(follower.cursor, follower.types, TAKEN_AT_ONCE)
        follower.cursor, follower.number = batch.cursor, None
        return [FeedEvent.of(entry) for entry in batch.entries]

    async def read_on(self, after: Cursor | None, types: Set[str], limit: int) -> LogPage:
        """Return the next entries of the log, and none only where it ends. Raises what `ChangeLog.read` does.

        It waits for its turn before it reads, since the caller, too, is to work on no more than that at once.
        """
        while True:
            await self.turns.next()
            batch = await self.log.read(after, types=types, limit=limit)
            if batch.entries or batch.cursor == after:
                return batch
            after = batch.cursor

    async def next(self, follower: Follower) -> list[FeedEvent]:
        """Return the next changes once there are any, or none when the feed closes. Raises what `earlier` does."""
        while not self._closed:
            wake_event = self._wake_event
            if news := await self._take(follower):
                return news
            await wake_event.wait()
        return []

    async def close(self) -> None:
        """Let every follower go."""
        self._closed = True
        self._notify()
        await self._stop()

    def _number(self, follower: Follower) -> int | None:
        """Return the number of the change behind which a follower is, or None where the window has it no more."""
        if follower.number is None:
            follower.number = self._numbers.get(follower.cursor)
        if follower.number is not None and self._newest - follower.number > len(self._window):
            follower.number = None
        return follower.number

    async def _take(self, follower: Follower) -> list[FeedEvent]:
        """Return the next changes, and none where a follower has seen all that the reader has."""
        while (number := self._number(follower)) != self._newest:
            if number is None:
                return await self.earlier(follower)
            if news := self._recent(follower, self._newest - number):
                return news
        return []

    def _recent(self, follower: Follower, behind: int) -> list[FeedEvent]:
        recent = [self._window[index] for index in range(-behind, min(0, TAKEN_AT_ONCE - behind))]
        follower.cursor, follower.number = recent[-1].cursor, self._newest - behind + len(recent)
        return [each for each in recent if each.type in follower.types] if follower.types else recent

    async def _read(self) -> None:
        """Read on and on; where the store fails, go on from there in a while."""
        cursor: Cursor | None = None
        while True:
            try:
                cursor = await (self._begin() if cursor is None else self._go_on(cursor))
            except CursorExpired:
                cursor = None  # it was swept before it was read; the log tells so to those who follow
            except DomainError:
                await asyncio.sleep(RETRY_S)
            except Exception:  # noqa: BLE001 - if the reader ended, all would wait for it forever
                _log.exception("following the log failed, and will be tried again")
                await asyncio.sleep(RETRY_S)

    async def _begin(self) -> Cursor:
        """Start a new window at the end of the log; what is older followers find there."""
        cursor = await self.log.head()
        self._forget()
        self._numbers[cursor] = self._newest
        self._notify()  # what was written before this is in the log for whoever looked too early
        return cursor

    async def _go_on(self, cursor: Cursor) -> Cursor:
        """Add what comes next to the window, in pieces that followers can be told of before there is more."""
        await self.log.wait_for_changes(cursor)
        limit = min(TAKEN_AT_ONCE, 1 + SENT_AT_ONCE // (1 + len(self._followers)))
        batch = await self.log.read(cursor, limit=limit)
        for entry in batch.entries:
            self._add(FeedEvent.of(entry))
        self._notify()
        self._hurry()
        await asyncio.sleep(0)
        return batch.cursor

    def _add(self, news: FeedEvent) -> None:
        if len(self._window) == WINDOW:
            self._numbers.pop(self._window[0].cursor, None)
        self._window.append(news)
        self._newest += 1
        self._numbers[news.cursor] = self._newest

    def _notify(self) -> None:
        wake_event, self._wake_event = self._wake_event, asyncio.Event()
        wake_event.set()

    def _hurry(self) -> None:
        """Give those that are being sent something, and are too far behind by now, less time to take it."""
        soon = asyncio.get_running_loop().time() + PATIENCE_WITH_LATE_S
        for follower in self._followers:
            is_late = follower.number is not None and self._newest - follower.number > MAX_BEHIND
            if is_late and soon < follower.deadline < inf:
                follower.deadline = soon

    def _look(self) -> None:
        """Give up those whose time is over, and look again in a while."""
        loop = asyncio.get_running_loop()
        for follower in self._followers:
            if follower.deadline <= loop.time():
                follower.deadline = inf  # to be given up twice would be an error
                follower.patience.reschedule(loop.time())
        self._wait_for_changes = loop.call_later(LOOK_EVERY_S, self._look)

    def _look_no_more(self) -> None:
        if self._wait_for_changes is not None:
            self._wait_for_changes.cancel()
            self._wait_for_changes = None

    def _forget(self) -> None:
        self._window.clear()
        self._numbers.clear()
        for follower in self._followers:
            follower.number = None

    async def _stop(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            self._forget()
            reader.cancel()
            await asyncio.wait({reader})
