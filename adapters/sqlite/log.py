"""Reading and appending the log of changes."""

from collections.abc import Iterable, Set
from typing import Any

import apsw

from adapters.sqlite.connections import fetch
from adapters.sqlite.rows import SqlValue, microseconds, moment
from domain.changes import Action, Change, Cursor, Entry, log_of
from domain.errors import CursorExpired
from domain.kinds import Kind
from domain.numbering import Numbering
from domain.ports import Batch
from domain.published import PUBLISHED
from domain.records import Record

LOOKED_AT = 10_000
"""How many changes one read passes at most while it looks for those that are asked for."""

_PUBLISHED = f"kind IN ({', '.join(repr(kind.name) for kind in PUBLISHED)})"
COLUMNS = "number, kind, id, version, action, at, request_id, changed, document"
APPEND = f"INSERT INTO changes ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


def _of_types(count: int) -> str:
    return f"kind || '.' || action IN ({', '.join('?' * count)})"


class Log:
    """The log in one file, for one connection's thread at a time."""

    def __init__(self, name: str, kinds: Iterable[Kind[Any]], *, former: Set[str] = frozenset()) -> None:
        """`former` are the names of the logs from which this one was moved here."""
        self.numbering = Numbering(name)
        self.former = former
        self._kinds = {kind.name: kind for kind in kinds}

    def number(self, connection: apsw.Connection, cursor: Cursor) -> int:
        """Return the number of the change that a cursor is behind, also one that it was given before it was moved here.

        Raises `BadCursor`, and `CursorExpired` for a former one that was not moved along.
        """
        if log_of(cursor) not in self.former:
            return self.numbering.number(cursor)
        found = fetch(connection, "SELECT number FROM former_cursors WHERE cursor = ?", (cursor,))
        if not found:
            raise CursorExpired
        number: int = found[0][0]
        return number

    def head(self, connection: apsw.Connection) -> int:
        """Return the number of the newest change."""
        newest: int = fetch(connection, "SELECT newest FROM log")[0][0]
        return newest

    def oldest(self, connection: apsw.Connection) -> int:
        """Return the number of the newest change that is no longer kept."""
        forgotten: int = fetch(connection, "SELECT forgotten FROM log")[0][0]
        return forgotten

    def read(self, connection: apsw.Connection, after: Cursor | None, types: Set[str], limit: int) -> Batch:
        """Read entries after a cursor from the connection's snapshot. Raises `BadCursor` and `CursorExpired`."""
        wanted = None if after is None else self.number(connection, after)
        newest, forgotten = fetch(connection, "SELECT newest, forgotten FROM log")[0]
        start = forgotten if wanted is None else wanted
        if not forgotten <= start <= newest:
            raise CursorExpired
        end = min(newest, start + LOOKED_AT)
        condition = f"AND {_of_types(len(types)) if types else _PUBLISHED} "
        found = fetch(
            connection,
            f"SELECT {COLUMNS} FROM changes WHERE number > ? AND number <= ? {condition}ORDER BY number LIMIT ?",
            (start, end, *sorted(types), limit),
        )
        behind = found[-1][0] if len(found) == limit else end
        return Batch(entries=tuple(self._entry(row) for row in found), cursor=self.numbering.cursor(behind))

    def history(self, connection: apsw.Connection, kind: str, id: int, after: int, limit: int) -> tuple[Entry, ...]:
        """Read the entries of one entity with versions above `after`."""
        found = connection.execute(
            f"SELECT {COLUMNS} FROM changes WHERE id = ? AND kind = ? AND version > ? ORDER BY version LIMIT ?",
            (id, kind, after, limit),
        )
        return tuple(self._entry(row) for row in found)

    def last(self, connection: apsw.Connection, kind: str, id: int) -> Change[Any] | None:
        """Return the newest kept change of one entity."""
        found = fetch(
            connection,
            f"SELECT {COLUMNS} FROM changes WHERE id = ? AND kind = ? ORDER BY version DESC LIMIT 1",
            (id, kind),
        )
        return self.change(*found[0][1:]) if found else None

    def append(self, connection: apsw.Connection, first: int, changes: Iterable[Change[Any]]) -> None:
        """Write changes under their numbers, which begin with `first`."""
        connection.executemany(APPEND, [row(number, change) for number, change in enumerate(changes, first)])

    def change(self, *columns: Any) -> Change[Any]:
        """Return the change of a row, whose number is left out."""
        kind, id, version, action, at, request_id, changed, document = columns
        return Change(
            kind=self._kinds[kind],
            action=Action(action),
            record=Record(id, version, document),
            changed=tuple(changed.split()),
            at=moment(at),
            request_id=request_id,
        )

    def _entry(self, row: tuple[Any, ...]) -> Entry:
        return Entry(cursor=self.numbering.cursor(row[0]), change=self.change(*row[1:]))


def row(number: int, change: Change[Any]) -> tuple[SqlValue, ...]:
    """Return a change as a row."""
    record = change.record
    return (
        number,
        change.kind.name,
        record.id,
        record.version,
        change.action.value,
        microseconds(change.at),
        change.request_id,
        " ".join(change.changed),
        record.document,
    )


def open_log(connection: apsw.Connection, kinds: Iterable[Kind[Any]]) -> Log:
    """Return the log of a file, with its names."""
    name: str = fetch(connection, "SELECT name FROM log")[0][0]
    former = frozenset(each for (each,) in fetch(connection, "SELECT name FROM former_logs"))
    return Log(name, kinds, former=former)
