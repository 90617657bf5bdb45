"""Keeping the write-ahead log small: what is in it is copied to its place in the file, and the log begins anew.

SQLite would do so in the midst of a commit, for which a caller waits, and never comes to the end of it while somebody
reads. Here the writer does it between two groups, and when there is nothing to write.
"""

import apsw
from attrs import define, field

PAGES = 4_000
"""How long the log may grow while there is no rest, in pages of 4 KiB: a page that changed often is copied once."""

IDLE_S = 1.0
"""After so long without a write the file alone holds everything, so that it can be copied."""

MOST_IDLE_S = 60.0
WAIT_MS = 100
"""For how long readers are waited for, which nobody can write in."""


@define(eq=False)
class Checkpoints:
    """Decides when to copy; used by the thread of the writer's connection alone."""

    connection: apsw.Connection

    _pages: int = field(default=1, init=False)  # in the log; whoever was killed may have left some
    _due: int = field(factory=lambda: PAGES, init=False)
    _idle: float = field(factory=lambda: IDLE_S, init=False)

    def __attrs_post_init__(self) -> None:
        self.connection.set_wal_hook(self._note)  # which takes the place of SQLite's own
        self.connection.execute(f"PRAGMA journal_size_limit={PAGES * 4096}")  # once it begins anew after a long reader

    @property
    def rest(self) -> float | None:
        """Seconds without a write after which `when_idle` is to be called; None where there is nothing to do."""
        return self._idle if self._pages else None

    def after_commit(self) -> None:
        """Begin the log anew where it is long enough. Raises SQLite's errors."""
        self._idle = IDLE_S
        if self._pages >= self._due:
            self._copy(apsw.SQLITE_CHECKPOINT_PASSIVE)  # nearly all of it, while others may go on writing
            is_done = self._copy(apsw.SQLITE_CHECKPOINT_RESTART)
            # Where somebody reads for long, it is in vain to wait for him after each group.
            self._due = PAGES if is_done else self._pages + PAGES

    def when_idle(self) -> None:
        """Leave nothing in the log. Raises SQLite's errors."""
        if self._copy(apsw.SQLITE_CHECKPOINT_TRUNCATE):
            self._pages, self._due = 0, PAGES
        else:
            self._idle = min(2 * self._idle, MOST_IDLE_S)

    def _copy(self, mode: int) -> bool:
        timeout = self.connection.pragma("busy_timeout")
        self.connection.set_busy_timeout(WAIT_MS)
        try:
            self.connection.wal_checkpoint(mode=mode)
        except (apsw.BusyError, apsw.LockedError):
            return False
        finally:
            self.connection.set_busy_timeout(timeout)
        return True

    def _note(self, connection: apsw.Connection, name: str, pages: int) -> int:
        del connection, name
        self._pages = pages
        return apsw.SQLITE_OK
