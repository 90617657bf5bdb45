"""Places in the log, and the cursors that name them.

The log is in the order of commits without a lock that all writers share. Each change has the id of its transaction,
and readers look only below the oldest id that is still running: whatever has a lower one is there or never will be,
so that nothing ever appears in front of a reader. The ids start anew in another cluster, hence the epoch before them.
"""

import re

from attrs import field, frozen

from domain.changes import Cursor, log_of
from domain.errors import BadCursor, CursorExpired

Snapshot = tuple[int, int, tuple[int, ...]]
"""Which transactions a reader saw: all below the first number, and below the second all but those listed."""

_CURSOR = re.compile(r"([0-9a-f]{16})-([0-9.]+)(?:-([0-9.]+))?", re.ASCII)
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")
_MOST_OF_INTEGER = 2**31 - 1


@frozen(order=True)
class Place:
    """The place behind a change: the `seq`-th of transaction `xid`."""

    epoch: int
    xid: int
    seq: int


START = Place(0, 0, 0)
END = Place(_MOST_OF_INTEGER, 2**63 - 1, _MOST_OF_INTEGER)


@frozen
class Bookmark:
    """How far someone has read: up to a place and, beyond it, what a snapshot showed.

    A page shows everything that was committed, also by transactions that older ones in progress still keep out of
    the reach of readers. Its snapshot tells those changes from the ones that committed later, so that following from
    the page neither skips nor repeats any.
    """

    place: Place
    shown: Snapshot | None = None

    def moved(self, place: Place) -> "Bookmark":
        """Return the bookmark at a later place."""
        still = self.shown is not None and place < Place(self.place.epoch, self.shown[1], 0)
        return Bookmark(place, self.shown if still else None)


@frozen
class Names:
    """The name that the log has, in its current epoch, and those that it had before it was copied or moved here."""

    current: str
    epoch: int
    former: frozenset[str] = field(default=frozenset())

    def cursor(self, bookmark: Bookmark) -> Cursor:
        """Return the cursor at a bookmark."""
        place, shown = bookmark.place, bookmark.shown
        text = f"{self.current}-{place.epoch}.{place.xid}.{place.seq}"
        if shown is not None:
            text += "-" + ".".join(map(str, (*shown[:2], *shown[2])))
        return Cursor(text)

    def bookmark(self, cursor: Cursor) -> Bookmark:
        """Return the bookmark of a cursor. Raises `BadCursor`, or `CursorExpired` for one of a former name."""
        if self.is_former(cursor):
            raise CursorExpired
        return self._read(cursor)[1]

    def is_former(self, cursor: Cursor) -> bool:
        """Tell whether a cursor has a former name. Only the database knows where it is, if it was moved here."""
        return log_of(cursor) in self.former

    def place(self, cursor: Cursor) -> Place:
        """Return the place of a cursor, also of one of a former name. Raises `BadCursor`."""
        return self._read(cursor)[1].place

    def _read(self, cursor: Cursor) -> tuple[str, Bookmark]:
        parts = _CURSOR.fullmatch(cursor)
        if parts is None:
            raise BadCursor
        name, place, shown = parts.groups()
        if name != self.current and name not in self.former:
            raise BadCursor
        return name, Bookmark(_place(_numbers(place)), None if shown is None else _snapshot(_numbers(shown)))


def _numbers(text: str) -> tuple[int, ...]:
    parts = text.split(".")
    if not all(_NUMBER.fullmatch(part) for part in parts):
        raise BadCursor
    return tuple(map(int, parts))


def _place(numbers: tuple[int, ...]) -> Place:
    if len(numbers) != 3 or max(numbers[0], numbers[2]) > _MOST_OF_INTEGER:
        raise BadCursor
    return Place(*numbers)


def _snapshot(numbers: tuple[int, ...]) -> Snapshot:
    lowest, beyond, *running = numbers if len(numbers) > 1 else (1, 0)
    if not lowest <= beyond or running != sorted(set(running)) or not all(lowest <= xid < beyond for xid in running):
        raise BadCursor
    return lowest, beyond, tuple(running)
