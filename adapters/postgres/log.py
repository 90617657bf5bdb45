"""Reading the log of changes."""

from collections.abc import Iterable, Mapping, Set
from typing import Any

from adapters.postgres.connections import Connection
from adapters.postgres.places import START, Bookmark, Names, Place
from adapters.postgres.table_mapping import json
from domain.access.access_key import Actor
from domain.changes import Action, Change, Cursor, Entry
from domain.entity_type import EntityType
from domain.errors import CursorExpired
from domain.ports import LogPage
from domain.public_types import CHANGE_TYPES
from domain.stored_entity import StoredEntity

LOOKED_AT = 10_000
"""How many changes one read passes at most while it looks for those that are asked for."""

EPOCH = "(SELECT max(epoch) FROM log_names)"
XMIN = "pg_snapshot_xmin(pg_current_snapshot())"

SETTLED = f"(epoch, xid) < ({EPOCH}, {XMIN})"
"""What readers of the log may see: nothing can commit in front of it any more."""

_DOWN = "ORDER BY epoch DESC, xid DESC, seq DESC LIMIT 1"
_FORGOTTEN = f"SELECT epoch, xid, seq FROM forgotten {_DOWN}"
COLUMNS = "epoch, xid, seq, kind, id, version, action, at, request_id, changed, document, reason, actor_key, actor_name"


def newest(where: str = "true") -> str:
    """Return a query for the place of the newest change that there was, whether it is still kept or not."""
    places = [f"(SELECT epoch, xid, seq FROM {table} WHERE {where} {_DOWN})" for table in ("changes", "forgotten")]
    places.append("(SELECT epoch, xid, seq FROM forgotten WHERE kind = '')")
    return f"SELECT epoch, xid, seq FROM ({' UNION ALL '.join(places)}) AS places {_DOWN}"


MOMENT = f"(SELECT {EPOCH} AS now, pg_current_snapshot() AS snapshot)"
"""One row that tells from which moment everything is that a statement reads."""

_HEAD = f"SELECT * FROM {MOMENT} AS moment, ({newest()}) AS newest"

_NEWS = f"SELECT newest.*, settled.* FROM ({newest()}) AS newest, ({newest(SETTLED)}) AS settled"

_READ = f"""
WITH looked_at AS MATERIALIZED (
  SELECT epoch, xid, seq FROM (
    SELECT epoch, xid, seq FROM changes WHERE (epoch, xid, seq) > ($1, $2, $3) AND {SETTLED}
    ORDER BY epoch, xid, seq LIMIT $7
  ) AS ahead {_DOWN}
)
SELECT ARRAY[newest.epoch, newest.xid::text::bigint, newest.seq] AS newest,
  ARRAY[forgotten.epoch, forgotten.xid::text::bigint, forgotten.seq] AS forgotten,
  (SELECT ARRAY[epoch, xid::text::bigint, seq] FROM looked_at) AS looked_at,
  found.*
FROM ({newest()}) AS newest CROSS JOIN ({_FORGOTTEN}) AS forgotten LEFT JOIN (
  SELECT {COLUMNS} FROM changes
  WHERE (epoch, xid, seq) > ($1, $2, $3)
  AND (epoch, xid, seq) <= ((SELECT epoch FROM looked_at), (SELECT xid FROM looked_at), (SELECT seq FROM looked_at))
  AND kind || '.' || action = ANY($4::text[])
  AND ($5::pg_snapshot IS NULL OR epoch > $1 OR NOT pg_visible_in_snapshot(xid, $5))
  ORDER BY epoch, xid, seq LIMIT $6
) AS found ON true
"""

_HISTORY = f"""
SELECT {COLUMNS}, {EPOCH} AS now, {XMIN} AS xmin FROM changes
WHERE id = $1 AND kind = $2 AND version > $3 ORDER BY version LIMIT $4
"""

_LAST = f"""
SELECT last.* FROM jsonb_to_recordset($1) AS gone(kind text, id bigint) CROSS JOIN LATERAL (
  SELECT {COLUMNS} FROM changes WHERE changes.id = gone.id AND changes.kind = gone.kind ORDER BY version DESC LIMIT 1
) AS last
"""

# What changed is asked for here, not how it was left: no document is read.
_SINCE = f"""
SELECT {COLUMNS.replace("document", "'' AS document")}
FROM jsonb_to_recordset($1) AS asked(kind text, id bigint, since bigint)
JOIN changes USING (kind, id) WHERE version > since
"""

_FORMER = "SELECT epoch, xid, seq FROM former_cursors WHERE cursor = $1"


def bookmark_at(place: Place, moment: Mapping[str, Any]) -> Bookmark:
    """Return the bookmark behind everything that was committed at a `MOMENT` when the newest change was at `place`.

    It names no id of a transaction above that of the newest change. A standby that is promoted knows only the ids that
    it was sent, and gives higher ones again; those of a change that can be seen it was sent.
    """
    now, (lowest, _, running) = moment["now"], moment["snapshot"]
    if (place.epoch, place.xid) < (now, lowest):
        return Bookmark(place)
    return Bookmark(Place(now, lowest, 0), (lowest, place.xid + 1, tuple(xid for xid in running if xid <= place.xid)))


class Log:
    """The log in one database. Its `names` are learnt with each connection that is made."""

    names: Names

    def __init__(self, entity_types: Iterable[EntityType[Any]]) -> None:
        self._entity_types = {entity_type.name: entity_type for entity_type in entity_types}

    async def head(self, connection: Connection) -> Cursor:
        """Return the place behind everything that is committed."""
        row = await _row(connection, _HEAD)
        return self.names.cursor(bookmark_at(_place(row), row))

    async def oldest(self, connection: Connection) -> Cursor:
        """Return the place in front of the oldest kept entry."""
        return self.names.cursor(Bookmark(Place(*await _row(connection, _FORGOTTEN))))

    async def news(self, connection: Connection) -> tuple[Place, Place]:
        """Return the places of the newest change and of the newest one that readers may see."""
        row = await _row(connection, _NEWS)
        return Place(*row[:3]), Place(*row[3:])

    async def read(self, connection: Connection, after: Cursor | None, types: Set[str], limit: int) -> LogPage:
        """Read entries after a cursor. Raises `BadCursor` and `CursorExpired`."""
        start = Bookmark(START) if after is None else await self._bookmark(connection, after)
        place = start.place
        asked = (sorted(types or CHANGE_TYPES), start.shown, limit, max(limit, LOOKED_AT))
        rows = await connection.fetch(_READ, place.epoch, place.xid, place.seq, *asked)
        forgotten, end = Place(*rows[0]["forgotten"]), Place(*rows[0]["newest"])
        if after is None:
            start = Bookmark(forgotten)
        elif not forgotten <= place <= end:
            raise CursorExpired
        found = [row for row in rows if row["xid"] is not None]
        entries = tuple(self._entry(row, start.moved(_place(row))) for row in found)
        if len(found) == limit:
            return LogPage(entries=entries, cursor=entries[-1].cursor)
        last = rows[0]["looked_at"]
        return LogPage(entries=entries, cursor=self.names.cursor(start if last is None else start.moved(Place(*last))))

    async def history(
        self, connection: Connection, entity_type: str, id: int, after: int, limit: int
    ) -> tuple[Entry, ...]:
        """Read the entries of one entity with versions above `after`.

        An entry that a running transaction still keeps out of the reach of readers has a cursor from which it comes
        again, because others may yet appear in front of it.
        """
        rows = await connection.fetch(_HISTORY, id, entity_type, after, limit)
        return tuple(self._entry(row, Bookmark(min(_place(row), Place(row["now"], row["xmin"], 0)))) for row in rows)

    async def last(self, connection: Connection, refs: Iterable[tuple[EntityType[Any], int]]) -> list[Change[Any]]:
        """Return the newest kept change of each entity that has one."""
        asked = [{"kind": entity_type.name, "id": id} for entity_type, id in refs]
        return [self.change(row) for row in await connection.fetch(_LAST, json(asked))]

    async def since(
        self, connection: Connection, versions: Iterable[tuple[tuple[EntityType[Any], int], int]]
    ) -> list[Change[Any]]:
        """Return the kept changes, without their documents, of each entity after a version."""
        asked = [{"kind": entity_type.name, "id": id, "since": version} for (entity_type, id), version in versions]
        return [self.change(row) for row in await connection.fetch(_SINCE, json(asked))]

    async def _bookmark(self, connection: Connection, cursor: Cursor) -> Bookmark:
        """Return the bookmark of a cursor, also of one that was given before the log was moved here."""
        if self.names.is_former(cursor):
            row = await connection.fetchrow(_FORMER, cursor)
            if row is not None:
                return Bookmark(_place(row))
        return self.names.bookmark(cursor)

    def _entry(self, row: Mapping[str, Any], bookmark: Bookmark) -> Entry:
        return Entry(cursor=self.names.cursor(bookmark), change=self.change(row))

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
        )


async def _row(connection: Connection, sql: str) -> Any:
    return await connection.fetchrow(sql)


def _place(row: Mapping[str, Any]) -> Place:
    return Place(row["epoch"], row["xid"], row["seq"])
