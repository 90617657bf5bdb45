"""Examining a database: what there is in it and around it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from adapters.postgres.access_keys import KEYS, key_of
from adapters.postgres.checking import NOT_DURABLE
from adapters.postgres.connections import Connection, connect
from adapters.postgres.errors import explaining
from adapters.postgres.log import FORGOTTEN, NEWEST
from adapters.postgres.measuring import measure
from adapters.postgres.migrating import at_home, check_schema, known_codec, schema_version
from domain.entity_type import EntityType
from domain.status import StoreStatus

_ENDS = f"""
SELECT {NEWEST} AS newest, {FORGOTTEN} AS forgotten,
  (SELECT at FROM changes ORDER BY number DESC LIMIT 1) AS newest_at, clock_timestamp() AS now
"""
_DISABLED = """
SELECT id, document::json ->> 'disabled_reason' FROM webhooks
WHERE document::json ->> 'disabled_reason' IS NOT NULL ORDER BY id
"""
RENAMED = "the database is at another place than its log: with the next start the log gets a new name by itself"


async def examine(dsn: str, *, entity_types: Sequence[EntityType[Any]]) -> StoreStatus:
    """Examine a database; change nothing.

    Raises `BadAddress`, `Unsuitable` where it holds no store, `SchemaTooOld`, `SchemaTooNew` and `Unavailable`.
    """
    with explaining():
        connection = await connect(dsn)
        try:
            await check_schema(connection)
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return await _status(connection, entity_types)
        finally:
            await connection.close()


async def _status(connection: Connection, entity_types: Sequence[EntityType[Any]]) -> StoreStatus:
    codec, ends = await known_codec(connection), await connection.fetchrow(_ENDS)
    assert ends is not None, "the query has one row"
    keys = [key_of(row) for row in await connection.fetch(KEYS)]
    hints = [] if await at_home(connection) else [RENAMED]
    if await connection.fetchval("SHOW synchronous_commit") == "off":
        hints.append(NOT_DURABLE)
    return StoreStatus(
        schema=str(await schema_version(connection)),
        log=codec.name,
        former_logs=len(codec.former),
        entities={
            each.collection: await connection.fetchval(f"SELECT count(*) FROM {each.collection}")
            for each in entity_types
        },
        changes=ends["newest"] - ends["forgotten"],
        newest_change=ends["newest_at"],
        keys=sum(each.is_valid(datetime.now(UTC)) for each in keys),
        disabled=dict(await connection.fetch(_DISABLED)),
        measurements=await measure(connection),
        versions={"PostgreSQL": await connection.fetchval("SHOW server_version")},
        now=ends["now"],
        hints=tuple(hints),
    )
