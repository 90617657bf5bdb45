"""Reading the log of changes."""

from collections.abc import Iterable, Mapping, Set
from typing import Any

from adapters.postgres.connections import Connection
from adapters.postgres.table_mapping import json
from domain.access.access_key import Actor
from domain.changes import Action, Change, Cursor, Entry
from domain.cursor_codec import CursorCodec
from domain.entity_type import EntityType
from domain.errors import CursorExpired
from domain.ports import LogPage
from domain.public_types import CHANGE_TYPES
from domain.stored_entity import StoredEntity
from domain.trace import TraceContext

LOOKED_AT = 10_000
"""How many changes one read scans at most while it looks for matching ones."""

COLUMNS = "number, kind, id, version, action, at, request_id, changed, document, reason, actor_key, actor_name, trace"

FORGOTTEN = "(SELECT max(number) FROM forgotten)"
"""The number of the newest purged change."""

NEWEST = f"coalesce((SELECT number FROM changes ORDER BY number DESC LIMIT 1), {FORGOTTEN})"
"""The number of the newest change, purged or not."""


def newest_of(entity_type: str) -> str:
    """Return the number of the newest change of one entity type, purged or not."""
    kept = f"(SELECT number FROM changes WHERE kind = '{entity_type}' ORDER BY number DESC LIMIT 1)"
    forgotten = f"(SELECT number FROM forgotten WHERE kind = '{entity_type}')"
    return f"coalesce({kept}, {forgotten}, (SELECT number FROM forgotten WHERE kind = ''))"


_READ = f"""
WITH ends AS MATERIALIZED (SELECT {NEWEST} AS newest, {FORGOTTEN} AS forgotten)
SELECT ends.*, found.* FROM ends LEFT JOIN (
  SELECT {COLUMNS} FROM changes
  WHERE number > coalesce($1, (SELECT forgotten FROM ends))
  AND number <= coalesce($1, (SELECT forgotten FROM ends)) + $4
  AND kind || '.' || action = ANY($2::text[])
  ORDER BY number LIMIT $3
) AS found ON true
"""

_HISTORY = f"""
SELECT {COLUMNS} FROM changes WHERE id = $1 AND kind = $2 AND version > $3 ORDER BY version LIMIT $4
"""

_LAST = f"""
SELECT last.* FROM jsonb_to_recordset($1) AS gone(kind text, id bigint) CROSS JOIN LATERAL (
  SELECT {COLUMNS} FROM changes WHERE changes.id = gone.id AND changes.kind = gone.kind ORDER BY version DESC LIMIT 1
) AS last
"""

# This query is for the names of changed fields, so it reads no document. The offset keeps the planner, which expects a
# hundred entities, from reading all changes to join them.
_SINCE = f"""
SELECT found.* FROM jsonb_to_recordset($1) AS asked(kind text, id bigint, since bigint) CROSS JOIN LATERAL (
  SELECT {COLUMNS.replace("document", "'' AS document")} FROM changes
  WHERE changes.id = asked.id AND changes.kind = asked.kind AND changes.version > asked.since OFFSET 0
) AS found
"""

_FORMER = "SELECT number FROM former_cursors WHERE cursor = $1"


class Log:
    """The log in one database. Every new connection sets its `cursor_codec`."""

    cursor_codec: CursorCodec

    def __init__(self, entity_types: Iterable[EntityType[Any]]) -> None:
        self._entity_types = {entity_type.name: entity_type for entity_type in entity_types}

    async def number(self, connection: Connection, cursor: Cursor) -> int:
        """Return the number of the change that a cursor points to. Raises `BadCursor` and `CursorExpired`."""
        try:
            return self.cursor_codec.number(cursor)
        except CursorExpired:
            number: int | None = await connection.fetchval(_FORMER, cursor)
            if number is None:
                raise
            return number

    async def newest(self, connection: Connection) -> int:
        """Return the number of the newest change."""
        newest: int = await connection.fetchval(f"SELECT {NEWEST}")
        return newest

    async def head(self, connection: Connection, before: int) -> int:
        """Return the number of the newest change, or of the one in front of the newest `before` that are kept."""
        number: int = await connection.fetchval(f"SELECT greatest({FORGOTTEN}, {NEWEST} - $1)", before)
        return number

    async def forgotten(self, connection: Connection) -> int:
        """Return the number of the newest purged change."""
        forgotten: int = await connection.fetchval(f"SELECT {FORGOTTEN}")
        return forgotten

    async def read(self, connection: Connection, after: Cursor | None, types: Set[str], limit: int) -> LogPage:
        """Read entries after a cursor. Raises `BadCursor` and `CursorExpired`."""
        wanted = None if after is None else await self.number(connection, after)
        rows = await connection.fetch(_READ, wanted, sorted(types or CHANGE_TYPES), limit, LOOKED_AT)
        newest, forgotten = rows[0]["newest"], rows[0]["forgotten"]
        start = forgotten if wanted is None else wanted
        if not forgotten <= start <= newest:
            raise CursorExpired
        entries = tuple(self.entry(row) for row in rows if row["number"] is not None)
        if len(entries) == limit:
            return LogPage(entries=entries, cursor=entries[-1].cursor)
        return LogPage(entries=entries, cursor=self.cursor_codec.cursor(min(newest, start + LOOKED_AT)))

    async def history(
        self, connection: Connection, entity_type: str, id: int, after: int, limit: int
    ) -> tuple[Entry, ...]:
        """Read the entries of one entity with versions above `after`."""
        return tuple(self.entry(row) for row in await connection.fetch(_HISTORY, id, entity_type, after, limit))

    async def last(self, connection: Connection, refs: Iterable[tuple[EntityType[Any], int]]) -> list[Change[Any]]:
        """Return the newest change of each entity, where the log still has one."""
        asked = [{"kind": entity_type.name, "id": id} for entity_type, id in refs]
        return [self.change(row) for row in await connection.fetch(_LAST, json(asked))]

    async def since(
        self, connection: Connection, versions: Iterable[tuple[tuple[EntityType[Any], int], int]]
    ) -> list[Change[Any]]:
        """Return the changes of each entity after a version, without documents, as far as the log still has them."""
        asked = [{"kind": entity_type.name, "id": id, "since": version} for (entity_type, id), version in versions]
        return [self.change(row) for row in await connection.fetch(_SINCE, json(asked))]

    def entry(self, row: Mapping[str, Any]) -> Entry:
        """Return the entry of a row."""
        return Entry(cursor=self.cursor_codec.cursor(row["number"]), change=self.change(row))

    def change(self, row: Mapping[str, Any]) -> Change[Any]:
        """Return the change of a row."""
        return Change(
            entity_type=self._entity_types[row["kind"]],
            action=Action(row["action"]),
            record=StoredEntity(row["id"], row["version"], row["document"]),
            changed=tuple(row["changed"].split()),
            at=row["at"],
            request_id=row["request_id"],
            reason=row["reason"],
            actor=None if row["actor_key"] is None else Actor(row["actor_key"], row["actor_name"]),
            trace=None if row["trace"] is None else TraceContext.stored(row["trace"]),
        )
