"""Checkpoints: they copy the write-ahead log into the file, so that the log can start again and stays small.

SQLite would do so within a commit, for which a caller waits, and would never finish while somebody reads. Here nearly
all of it is copied beside the writer, who only copies the rest between two groups, and all of it when he is idle.
"""

from concurrent.futures import Future, ThreadPoolExecutor

import apsw
from attrs import define, field

from adapters.sqlite.connections import wait_for_others

PAGES = 4_000
"""The log's size, in pages of 4 KiB, at which it is copied under load. A page that changed often is copied once."""

IDLE_S = 1.0
"""After so many seconds without a write, the log is copied: then the file alone holds everything and may be copied."""

MOST_IDLE_S = 60.0
WAIT_MS = 100
"""How long a checkpoint waits for readers; nobody can write meanwhile."""


@define(eq=False)
class Checkpoints:
    """Decides when to copy. Only the writer thread may use it, until it is closed.

    `beside` is a connection to the same file, for copying while the writer goes on.
    """

    connection: apsw.Connection
    beside: apsw.Connection

    _pages: int = field(default=1, init=False)  # in the log; a killed process may have left some
    _due: int = field(factory=lambda: PAGES, init=False)
    _idle: float = field(factory=lambda: IDLE_S, init=False)
    _thread: ThreadPoolExecutor = field(factory=lambda: ThreadPoolExecutor(1, "backroom-checkpoint"), init=False)
    _copying: Future[tuple[int, int]] | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self.connection.set_wal_hook(self._note)  # replaces SQLite's own checkpoint
        self.connection.execute(f"PRAGMA journal_size_limit={PAGES * 4096}")  # takes effect at a restart

    @property
    def rest(self) -> float | None:
        """Seconds without a write after which to call `when_idle`, or None if the log is empty."""
        return self._idle if self._pages else None

    def after_commit(self) -> None:
        """Have the log copied if it is long enough, and start it again once it is copied. Raises SQLite's errors."""
        self._idle = IDLE_S
        if self._copying is None:
            if self._pages >= self._due:
                self._copying = self._thread.submit(self.beside.wal_checkpoint, mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        elif self._copying.done() or self._pages >= self._due + PAGES:  # a slow disk must not let it grow without end
            # Who reads what was so long ago will go on, and nobody could write while the writer waits for him.
            is_read = self._end_copying() > PAGES // 2
            is_done = not is_read and self._copy(apsw.SQLITE_CHECKPOINT_RESTART)  # copies what was written meanwhile
            self._due = PAGES if is_done else self._pages + PAGES

    def when_idle(self) -> None:
        """Empty the log. Raises SQLite's errors."""
        self._end_copying()
        if self._copy(apsw.SQLITE_CHECKPOINT_TRUNCATE):
            self._pages, self._due = 0, PAGES
        else:
            self._idle = min(2 * self._idle, MOST_IDLE_S)

    def close(self) -> None:
        """Wait for the copying, and close its connection."""
        self._thread.shutdown()
        self.beside.close()

    def _end_copying(self) -> int:
        """Wait for the copying beside the writer. Return how many pages were left, because somebody reads older ones.

        After an error this is 0: the writer copies all again, and meets the same error, at his own connection.
        """
        copying, self._copying = self._copying, None
        if copying is None or copying.exception() is not None:
            return 0
        in_log, copied = copying.result()
        return in_log - copied

    def _copy(self, mode: int) -> bool:
        self.connection.set_busy_timeout(WAIT_MS)
        try:
            self.connection.wal_checkpoint(mode=mode)
        except (apsw.BusyError, apsw.LockedError):
            return False
        finally:
            wait_for_others(self.connection)
        return True

    def _note(self, connection: apsw.Connection, name: str, pages: int) -> int:
        del connection, name
        self._pages = pages
        return apsw.SQLITE_OK
