"""Reading and appending the log of changes."""

from collections.abc import Iterable, Set
from typing import Any

import apsw

from backroom.adapters.sqlite.connections import fetch
from backroom.adapters.sqlite.rows import microseconds, moment
from backroom.domain.changes import Action, Change, Cursor, Entry
from backroom.domain.errors import CursorExpired
from backroom.domain.kinds import Kind
from backroom.domain.numbering import Numbering
from backroom.domain.ports import Batch
from backroom.domain.published import PUBLISHED
from backroom.domain.records import Record

LOOKED_AT = 10_000
"""How many changes one read passes at most while it looks for those that are asked for."""

_PUBLISHED = f"kind IN ({', '.join(repr(kind.name) for kind in PUBLISHED)})"
_COLUMNS = "number, kind, id, version, action, at, request_id, changed, document"


def _of_types(count: int) -> str:
    return f"kind || '.' || action IN ({', '.join('?' * count)})"


class Log:
    """The log in one file, for one connection's thread at a time."""

    def __init__(self, name: str, kinds: Iterable[Kind[Any]]) -> None:
        self.numbering = Numbering(name)
        self._kinds = {kind.name: kind for kind in kinds}

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
        wanted = None if after is None else self.numbering.number(after)
        newest, forgotten = fetch(connection, "SELECT newest, forgotten FROM log")[0]
        start = forgotten if wanted is None else wanted
        if not forgotten <= start <= newest:
            raise CursorExpired
        end = min(newest, start + LOOKED_AT)
        condition = f"AND {_of_types(len(types)) if types else _PUBLISHED} "
        found = fetch(
            connection,
            f"SELECT {_COLUMNS} FROM changes WHERE number > ? AND number <= ? {condition}ORDER BY number LIMIT ?",
            (start, end, *sorted(types), limit),
        )
        behind = found[-1][0] if len(found) == limit else end
        return Batch(entries=tuple(self._entry(row) for row in found), cursor=self.numbering.cursor(behind))

    def history(self, connection: apsw.Connection, kind: str, id: int, after: int, limit: int) -> tuple[Entry, ...]:
        """Read the entries of one entity with versions above `after`."""
        found = connection.execute(
            f"SELECT {_COLUMNS} FROM changes WHERE id = ? AND kind = ? AND version > ? ORDER BY version LIMIT ?",
            (id, kind, after, limit),
        )
        return tuple(self._entry(row) for row in found)

    def last(self, connection: apsw.Connection, kind: str, id: int) -> Change[Any] | None:
        """Return the newest kept change of one entity."""
        found = fetch(
            connection,
            f"SELECT {_COLUMNS} FROM changes WHERE id = ? AND kind = ? ORDER BY version DESC LIMIT 1",
            (id, kind),
        )
        return self._entry(found[0]).change if found else None

    def append(self, connection: apsw.Connection, number: int, change: Change[Any]) -> None:
        """Write a change under its number."""
        record = change.record
        connection.execute(
            f"INSERT INTO changes ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                number,
                change.kind.name,
                record.id,
                record.version,
                change.action.value,
                microseconds(change.at),
                change.request_id,
                " ".join(change.changed),
                record.document,
            ),
        )

    def _entry(self, row: tuple[Any, ...]) -> Entry:
        number, kind, id, version, action, at, request_id, changed, document = row
        change = Change(
            kind=self._kinds[kind],
            action=Action(action),
            record=Record(id, version, document),
            changed=tuple(changed.split()),
            at=moment(at),
            request_id=request_id,
        )
        return Entry(cursor=self.numbering.cursor(number), change=change)
