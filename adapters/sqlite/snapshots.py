"""Snapshots: a read sees the file as it was at one moment."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import apsw


@contextmanager
def snapshot(connection: apsw.Connection) -> Iterator[apsw.Connection]:
    """Hold one snapshot for all reads in the block."""
    connection.execute("BEGIN")
    try:
        yield connection
    finally:
        if connection.in_transaction:  # a failure may already have ended it
            connection.execute("COMMIT")


class SharedSnapshot:
    """A snapshot that all reads in one turn of the event loop share. Taking one costs twice as much as a point read.

    A request still sees every write that was acknowledged before it was sent. The end of the snapshot is queued before
    the snapshot is taken. So the loop handles any later acknowledgement or request only after that end.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._end: asyncio.Handle | None = None
        self.found: dict[Any, Any] = {}
        """What reads of this turn have found, for those that ask the same. It is forgotten with the snapshot."""

    def connection(self) -> apsw.Connection:
        """Return the connection, in the snapshot of this turn."""
        if self._end is None:
            self._end = asyncio.get_running_loop().call_soon(self.end)
            self._connection.execute("BEGIN")
        return self._connection

    def end(self) -> None:
        """Release the snapshot, if there is one."""
        if self._end is not None:
            self._end.cancel()
            self._end = None
            self.found.clear()
            with suppress(apsw.Error):  # nothing was written; if something is wrong, the next read raises it
                if self._connection.in_transaction:
                    self._connection.execute("COMMIT")
