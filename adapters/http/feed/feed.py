"""What all followers in one process share: one reader of the log, one encoding of each change, one notification.

A follower has a cursor and asks for the changes after it. Recent changes come from a window that all followers
share, older ones from the log. So no follower needs a queue, and none can lose a change between two queues.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Set
from contextlib import asynccontextmanager, nullcontext
from math import inf

from attrs import define, field, frozen

from adapters.http.fairness.turns import Turns
from adapters.http.timing.stopwatch import Phase, timed
from adapters.serialization.changes import change_document
from domain.changes import Cursor, Entry
from domain.errors import CursorExpired, DomainError
from domain.ports import ChangeLog, LogPage

MAX_BEHIND = 1000
WINDOW = MAX_BEHIND  # a follower further behind reads the log itself
TAKEN_AT_ONCE = 50
SENT_AT_ONCE = 5000  # messages to all followers together, before other work has a turn
RETRY_S = 1.0
TIMEOUT_S = 10.0
LATE_ALLOWED_S = 1.0  # for followers too far behind; a burst may put them there for a moment
LOOK_EVERY_S = 0.5  # between two checks of all deadlines; a timer for each message would cost more than sending it

_log = logging.getLogger("backroom")


@frozen(eq=False)
class FeedEvent:
    """A change, encoded once for all followers."""

    cursor: Cursor
    type: str
    text: str

    @classmethod
    def of(cls, entry: Entry) -> "FeedEvent":
        return cls(entry.cursor, entry.change.type, change_document(entry))


@define(eq=False)
class Follower:
    """One reader of the feed. If `types` is empty, it reads all types."""

    cursor: Cursor | None  # after the last change that it took; None is before the oldest change that is kept
    types: Set[str]
    client: str  # its address; clients have turns one after the other
    number: int | None = None  # of the last change before the cursor, if that is within the window
    deadline: float = inf  # by the loop's clock; until then it must take what is being sent to it
    timeout: asyncio.Timeout = field(factory=lambda: asyncio.timeout(None), init=False)

    async def take(self, sending: Awaitable[None]) -> None:
        """Send something to it. If that takes too long, the feed's `follower` raises `TooSlow`."""
        self.deadline = asyncio.get_running_loop().time() + TIMEOUT_S
        await sending
        self.deadline = inf


class TooSlow(Exception):
    """A follower took nothing for too long, or fell too far behind during a send."""


@define(eq=False)
class Feed:
    """The window of recent changes. One task fills it while anybody follows."""

    log: ChangeLog
    turns: Turns = field(factory=Turns)  # shared by all long work of the process

    _window: deque[FeedEvent] = field(factory=lambda: deque(maxlen=WINDOW), init=False)
    _newest: int = field(default=0, init=False)  # changes that were ever in the window; this numbers its entries
    _numbers: dict[Cursor | None, int] = field(factory=dict, init=False)
    _wake_event: asyncio.Event = field(factory=asyncio.Event, init=False)
    _followers: set[Follower] = field(factory=set, init=False)
    _reader: asyncio.Task[None] | None = field(default=None, init=False)
    _wait_for_changes: asyncio.TimerHandle | None = field(default=None, init=False)
    _closed: bool = field(default=False, init=False)

    @property
    def is_closed(self) -> bool:
        """Tell whether the service is shutting down. Then nobody should wait for changes."""
        return self._closed

    @asynccontextmanager
    async def follower(self, after: Cursor | None, types: Set[str], client: str = "") -> AsyncIterator[Follower]:
        """Yield a follower that starts at a cursor, or at the oldest change that is kept. Raises `TooSlow`."""
        follower = Follower(after, types, client)
        self._followers.add(follower)
        if self._reader is None and not self._closed:
            self._reader = asyncio.create_task(self._read())
        if self._wait_for_changes is None:
            self._look()
        try:
            async with follower.timeout:
                yield follower
        except TimeoutError:
            if not follower.timeout.expired():
                raise
            raise TooSlow from None
        finally:
            self._followers.discard(follower)
            if not self._followers:
                self._look_no_more()
                await self._stop()

    async def earlier(self, follower: Follower) -> list[FeedEvent]:
        """Return the next changes from the log, or none at its end. Then the follower has every change written before.

        Raises `BadCursor`, `CursorExpired` and `Unavailable`.
        """
        batch = await self.read_on(follower.cursor, follower.types, TAKEN_AT_ONCE, follower.client)
        follower.cursor, follower.number = batch.cursor, None
        return [FeedEvent.of(entry) for entry in batch.entries]

    async def read_on(
        self, after: Cursor | None, types: Set[str], limit: int, client: str, *, at_once: bool = False
    ) -> LogPage:
        """Return the next entries of the log, or none at its end. Raises what `ChangeLog.read` does.

        It waits for a turn before it reads, because the caller, too, should encode no more than that at once; only the
        first read may be `at_once`.
        """
        while True:
            async with nullcontext() if at_once else self.turns.read(client):
                with timed(Phase.STORE):
                    batch = await self.log.read(after, types=types, limit=limit)
            at_once = False
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
        """End every follower."""
        self._closed = True
        self._notify()
        await self._stop()

    def _number(self, follower: Follower) -> int | None:
        """Return the number of the follower's last change, or None if the window no longer has it."""
        if follower.number is None:
            follower.number = self._numbers.get(follower.cursor)
        if follower.number is not None and self._newest - follower.number > len(self._window):
            follower.number = None
        return follower.number

    async def _take(self, follower: Follower) -> list[FeedEvent]:
        """Return the next changes, or none for a follower that has seen everything in the window."""
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
        """Read the log forever. After an error of the store, continue from the same cursor after a pause."""
        cursor: Cursor | None = None
        while True:
            try:
                cursor = await (self._begin() if cursor is None else self._go_on(cursor))
            except CursorExpired:
                cursor = None  # it was purged before it was read; followers learn that from the log
            except DomainError:
                await asyncio.sleep(RETRY_S)
            except Exception:  # noqa: BLE001 - if the reader ended, all would wait for it forever
                _log.exception("following the log failed, and will be tried again")
                await asyncio.sleep(RETRY_S)

    async def _begin(self) -> Cursor:
        """Start a new window at the end of the log. Followers find older changes in the log."""
        cursor = await self.log.head()
        self._forget()
        self._numbers[cursor] = self._newest
        self._notify()  # a follower that looked too early finds in the log what was written before this
        return cursor

    async def _go_on(self, cursor: Cursor) -> Cursor:
        """Add the next changes to the window, in pieces, so that followers hear of each piece before the next."""
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
        """Give less time to a follower that is too far behind and still being sent something."""
        soon = asyncio.get_running_loop().time() + LATE_ALLOWED_S
        for follower in self._followers:
            is_late = follower.number is not None and self._newest - follower.number > MAX_BEHIND
            if is_late and soon < follower.deadline < inf:
                follower.deadline = soon

    def _look(self) -> None:
        """End the followers whose deadline has passed, and check again later."""
        loop = asyncio.get_running_loop()
        for follower in self._followers:
            if follower.deadline <= loop.time():
                follower.deadline = inf  # a second timeout would be an error
                follower.timeout.reschedule(loop.time())
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
