"""What followers of the log share in one process: one reader, one encoding of each change, one bell.

A follower has a cursor and asks for what is behind it; recent changes come from the window that
all share, older ones from the log. So there is no queue for each, and nothing that could be lost between two of them.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Set
from contextlib import asynccontextmanager

from attrs import define, field, frozen

from backroom.adapters.http.wire import change_document
from backroom.domain.changes import Cursor, Entry
from backroom.domain.errors import DomainError
from backroom.domain.ports import ChangeLog

WINDOW = 4096
MAX_BEHIND = 1000
READ_AT_ONCE = 500
RETRY_S = 1.0
PATIENCE_S = 10.0


@frozen(eq=False)
class News:
    """A change, written once for all followers."""

    cursor: Cursor
    type: str
    text: str

    @classmethod
    def of(cls, entry: Entry) -> "News":
        return cls(entry.cursor, entry.change.type, change_document(entry))


@define(eq=False)
class Follower:
    """One reader of the feed. `cursor` is behind the last change that it took; `types` of none means all."""

    cursor: Cursor
    types: Set[str]
    number: int | None = None  # of the change behind which the cursor is, where that is within the window
    patience: asyncio.Timeout | None = None  # what it is being waited for with, while something is sent to it


@define(eq=False)
class Feed:
    """The window of recent changes, kept by one task for as long as anybody follows."""

    log: ChangeLog

    _window: deque[News] = field(factory=lambda: deque(maxlen=WINDOW), init=False)
    _newest: int = field(default=0, init=False)  # changes that ever were in the window; numbers its entries
    _numbers: dict[Cursor, int] = field(factory=dict, init=False)
    _bell: asyncio.Event = field(factory=asyncio.Event, init=False)
    _followers: set[Follower] = field(factory=set, init=False)
    _reader: asyncio.Task[None] | None = field(default=None, init=False)
    _closed: bool = field(default=False, init=False)

    @property
    def is_closed(self) -> bool:
        """Tell whether the service is going down, so that nobody should wait for news any more."""
        return self._closed

    @asynccontextmanager
    async def follower(self, after: Cursor, types: Set[str]) -> AsyncIterator[Follower]:
        """Yield a follower that starts at a cursor."""
        follower = Follower(after, types)
        self._followers.add(follower)
        if self._reader is None and not self._closed:
            self._reader = asyncio.create_task(self._read())
        try:
            yield follower
        finally:
            self._followers.discard(follower)
            if not self._followers:
                await self._stop()

    async def take(self, follower: Follower) -> list[News]:
        """Return the next changes for a follower, and none where it has seen all that there is.

        Raises `BadCursor` and `CursorExpired`.
        """
        while (number := self._number(follower)) is None:
            batch = await self.log.read(follower.cursor, types=follower.types, limit=READ_AT_ONCE)
            moved, follower.cursor = batch.cursor != follower.cursor, batch.cursor
            if batch.entries or not moved:
                return [News.of(entry) for entry in batch.entries]
        behind = self._newest - number
        if behind == 0:
            return []
        recent = [self._window[index] for index in range(-behind, 0)]
        follower.cursor, follower.number = recent[-1].cursor, self._newest
        return [each for each in recent if not follower.types or each.type in follower.types]

    async def next(self, follower: Follower) -> list[News]:
        """Return the next changes once there are any, or none when the feed closes."""
        while not self._closed:
            bell = self._bell
            if news := await self.take(follower):
                return news
            await bell.wait()
        return []

    async def close(self) -> None:
        """Let every follower go."""
        self._closed = True
        self._ring()
        await self._stop()

    def _number(self, follower: Follower) -> int | None:
        """Return the number of the change behind which a follower is, or None where the window has it no more."""
        if follower.number is None:
            follower.number = self._numbers.get(follower.cursor)
        if follower.number is not None and self._newest - follower.number > len(self._window):
            follower.number = None
        return follower.number

    async def _read(self) -> None:
        """Read on and on, and ring for every piece; where the store fails, start again in a while."""
        while True:
            try:
                cursor = await self.log.head()
                self._forget()
                self._numbers[cursor] = self._newest
                self._ring()  # what was written before this is in the log for whoever looked too early
                while True:
                    await self.log.watch(cursor)
                    batch = await self.log.read(cursor, limit=READ_AT_ONCE)
                    cursor = batch.cursor
                    for entry in batch.entries:
                        self._add(News.of(entry))
                    self._ring()
                    self._hurry()
            except DomainError:
                await asyncio.sleep(RETRY_S)

    def _add(self, news: News) -> None:
        if len(self._window) == WINDOW:
            self._numbers.pop(self._window[0].cursor, None)
        self._window.append(news)
        self._newest += 1
        self._numbers[news.cursor] = self._newest

    def _ring(self) -> None:
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()

    def _hurry(self) -> None:
        """Give up on followers that are being sent something and are too far behind by now."""
        now = asyncio.get_running_loop().time()
        for follower in self._followers:
            number, patience = follower.number, follower.patience
            if patience is not None and number is not None and self._newest - number > MAX_BEHIND:
                patience.reschedule(now)

    def _forget(self) -> None:
        """Empty the window; followers find what they need in the log."""
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


async def delivered(follower: Follower, sending: Awaitable[None]) -> bool:
    """Send something to a follower; return False where it took none for too long, or fell too far behind meanwhile."""
    try:
        async with asyncio.timeout(PATIENCE_S) as follower.patience:
            await sending
    except TimeoutError:
        return False
    finally:
        follower.patience = None
    return True
