"""Reading and appending the log of changes."""

from collections.abc import Iterable, Mapping, Set
from typing import Any

import apsw

from adapters.sqlite.connections import fetch
from adapters.sqlite.insertion import Insertion
from adapters.sqlite.table_mapping import SqlValue, microseconds, moment
from domain.access.access_key import Actor
from domain.changes import Action, Change, Cursor, Entry
from domain.cursor_codec import CursorCodec
from domain.entity_type import EntityType
from domain.errors import CursorExpired
from domain.ports import LogPage
from domain.public_types import PUBLIC_TYPES
from domain.stored_entity import StoredEntity
from domain.trace import TraceContext

LOOKED_AT = 10_000
"""How many changes one read scans at most while it looks for matching ones."""

_PUBLISHED = f"kind IN ({', '.join(repr(entity_type.name) for entity_type in PUBLIC_TYPES)})"
COLUMNS = "number, kind, id, version, action, at, request_id, changed, document, reason, actor_key, actor_name, trace"
LOG_NAMES = "SELECT name FROM log UNION ALL SELECT name FROM former_logs"
APPENDING = Insertion("changes", COLUMNS.split(", "))


def _of_types(count: int) -> str:
    return f"kind || '.' || action IN ({', '.join('?' * count)})"


class Log:
    """The log in one file, for one connection's thread at a time."""

    def __init__(
        self, name: str, entity_types: Iterable[EntityType[Any]], *, former: Mapping[str, int | None] | None = None
    ) -> None:
        """`former` holds the names of the logs that this one was moved from, as the codec knows them."""
        self.cursor_codec = CursorCodec(name, former or {})
        self._entity_types = {entity_type.name: entity_type for entity_type in entity_types}

    def number(self, connection: apsw.Connection, cursor: Cursor) -> int:
        """Return the number of the change that a cursor points to. Raises `BadCursor` and `CursorExpired`."""
        try:
            return self.cursor_codec.number(cursor)
        except CursorExpired:
            found = fetch(connection, "SELECT number FROM former_cursors WHERE cursor = ?", (cursor,))
            if not found:
                raise
            number: int = found[0][0]
            return number

    def head(self, connection: apsw.Connection, before: int = 0) -> int:
        """Return the number of the newest change, or of the one in front of the newest `before` that are kept."""
        number: int = fetch(connection, "SELECT max(forgotten, newest - ?) FROM log", (before,))[0][0]
        return number

    def oldest(self, connection: apsw.Connection) -> int:
        """Return the number of the newest purged change."""
        forgotten: int = fetch(connection, "SELECT forgotten FROM log")[0][0]
        return forgotten

    def read(self, connection: apsw.Connection, after: Cursor | None, types: Set[str], limit: int) -> LogPage:
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
        return LogPage(entries=tuple(self.entry(row) for row in found), cursor=self.cursor_codec.cursor(behind))

    def history(
        self, connection: apsw.Connection, entity_type: str, id: int, after: int, limit: int
    ) -> tuple[Entry, ...]:
        """Read the entries of one entity with versions above `after`."""
        found = connection.execute(
            f"SELECT {COLUMNS} FROM changes WHERE id = ? AND kind = ? AND version > ? ORDER BY version LIMIT ?",
            (id, entity_type, after, limit),
        )
        return tuple(self.entry(row) for row in found)

    def last(self, connection: apsw.Connection, entity_type: str, id: int) -> Change[Any] | None:
        """Return the newest change of one entity that the log still has."""
        found = fetch(
            connection,
            f"SELECT {COLUMNS} FROM changes WHERE id = ? AND kind = ? ORDER BY version DESC LIMIT 1",
            (id, entity_type),
        )
        return self.change(*found[0][1:]) if found else None

    def append(self, connection: apsw.Connection, first: int, changes: Iterable[Change[Any]]) -> None:
        """Append changes, numbered from `first` on."""
        APPENDING.insert(connection, [row(number, change) for number, change in enumerate(changes, first)])

    def change(self, *columns: Any) -> Change[Any]:
        """Return the change of a row; the row has no number."""
        entity_type, id, version, action, at, request_id, changed, document, reason, key, name, trace = columns
        return Change(
            entity_type=self._entity_types[entity_type],
            action=Action(action),
            record=StoredEntity(id, version, document),
            changed=tuple(changed.split()),
            at=moment(at),
            request_id=request_id,
            reason=reason,
            actor=None if key is None else Actor(key, name),
            trace=None if trace is None else TraceContext.stored(trace),
        )

    def entry(self, row: tuple[Any, ...]) -> Entry:
        """Return the entry of a row with all `COLUMNS`."""
        return Entry(cursor=self.cursor_codec.cursor(row[0]), change=self.change(*row[1:]))


def rewrite(connection: apsw.Connection) -> None:
    """Write as any write does, and change nothing. It takes two steps, because SQLite skips a void update."""
    connection.execute("UPDATE log SET newest = newest + 1")
    connection.execute("UPDATE log SET newest = newest - 1")


def row(number: int, change: Change[Any]) -> tuple[SqlValue, ...]:
    """Return a change as a row."""
    record = change.record
    return (
        number,
        change.entity_type.name,
        record.id,
        record.version,
        change.action._value_,  # computing `value` is slow
        microseconds(change.at),
        change.request_id,
        " ".join(change.changed),
        record.document,
        change.reason,
        *((None, None) if change.actor is None else (change.actor.key, change.actor.name)),
        None if change.trace is None else change.trace.text,
    )


def open_log(connection: apsw.Connection, entity_types: Iterable[EntityType[Any]]) -> Log:
    """Return the log of a file, with its names."""
    name: str = fetch(connection, "SELECT name FROM log")[0][0]
    return Log(name, entity_types, former=dict(fetch(connection, "SELECT name, newest FROM former_logs")))
