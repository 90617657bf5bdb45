"""Point reads: entities and grants that are asked for at the same time come in one statement.

A request that reads one entity asks for its grant, too. Together they cost little more than the entity alone.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, cast

from adapters.postgres.batch_loader import BatchLoader
from adapters.postgres.connections import Connection
from adapters.postgres.table_mapping import TableMapping
from domain.access.access_key import OPEN, Actor, CredentialType, Grant
from domain.access.scopes import AccessScope
from domain.stored_entity import StoredEntity

Asked = tuple[str, int] | bytes
"""An entity by its type and id, or a grant by the hash of its credential."""

_NO_HASH = b""
"""A hash that no credential has. Its grant only tells whether there ever was a key."""

# A subquery hides the length of an array from the planner, so that it keeps one plan for all.
_ENTITIES = """
SELECT '{name}' AS entity, id, version, document, NULL::bytea AS hash, NULL AS scope, NULL AS type,
  NULL::timestamptz AS expires_at
FROM {table} WHERE id = ANY((SELECT {ids}::bigint[])::bigint[])
"""
_GRANTS = """
SELECT NULL AS entity, key AS id, NULL::bigint AS version, name AS document, hash, scope, type, credentials.expires_at
FROM credentials JOIN access_keys ON access_keys.id = key
WHERE hash = ANY((SELECT {hashes}::bytea[])::bytea[])
  AND (credentials.expires_at IS NULL OR credentials.expires_at > {now}::timestamptz)
"""
_IS_OPEN = "SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL WHERE NOT EXISTS (SELECT FROM access_keys)"
_GRANT = _GRANTS.format(hashes="ARRAY[$1]", now="$2")


class PointReads:
    """Reads entities and grants, all that are asked for at the same time in one statement."""

    def __init__(
        self,
        use: Callable[[], AbstractAsyncContextManager[Connection]],
        clock: Callable[[], datetime],
        rows: Mapping[str, TableMapping],
    ) -> None:
        self._use = use
        self._clock = clock
        self._names = tuple(rows)
        self._loader: BatchLoader[Asked, StoredEntity | Grant] = BatchLoader(self._read)
        parts = [
            _ENTITIES.format(name=name, table=each.table, ids=f"${number}")
            for number, (name, each) in enumerate(rows.items(), 1)
        ]
        grants = _GRANTS.format(hashes=f"${len(parts) + 1}", now=f"${len(parts) + 2}")
        self._sql = " UNION ALL ".join([*parts, grants, _IS_OPEN])

    def entity(self, name: str, id: int) -> Awaitable[StoredEntity | None]:
        """Ask at once for an entity."""
        return cast("Awaitable[StoredEntity | None]", self._loader.get((name, id)))

    def grant(self, hash: bytes | None) -> Awaitable[Grant | None]:
        """Ask at once for the grant of a credential."""
        return cast("Awaitable[Grant | None]", self._loader.get(hash or _NO_HASH))

    async def _read(self, asked: Sequence[Asked]) -> Mapping[Asked, StoredEntity | Grant]:
        ids: dict[str, list[int]] = {name: [] for name in self._names}
        hashes = set()
        for each in asked:
            if isinstance(each, bytes):
                hashes.add(each)
            else:
                ids[each[0]].append(each[1])
        async with self._use() as connection:
            rows = await connection.fetch(self._sql, *ids.values(), hashes, self._clock())
        found: dict[Asked, StoredEntity | Grant] = {}
        for row in rows:
            entity, id, version, document, hash, *_ = row
            if entity is not None:
                found[entity, id] = StoredEntity(id, version, document)
            elif hash is not None:
                found[hash] = _grant(row)
            else:
                found |= dict.fromkeys(hashes, OPEN)
        return found


async def read_grant(connection: Connection, hash: bytes, at: datetime) -> Grant | None:
    """Return the grant of a credential as a transaction sees it."""
    row = await connection.fetchrow(_GRANT, hash, at)
    return None if row is None else _grant(row)


def _grant(row: Mapping[str, Any]) -> Grant:
    return Grant(
        scope=AccessScope(row["scope"]),
        actor=Actor(row["id"], row["document"]),
        type=CredentialType(row["type"]),
        expires_at=row["expires_at"],
    )
