"""Telling everything that a database holds."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from adapters.postgres.access_keys import CREDENTIALS, KEYS, credential_of, key_of
from adapters.postgres.connections import Connection, connect
from adapters.postgres.declared_fields import check_declared_fields
from adapters.postgres.deliveries import SELECT, delivery_of
from adapters.postgres.errors import explaining
from adapters.postgres.log import COLUMNS, SETTLED, Log
from adapters.postgres.migrating import check_schema, names_of_log
from adapters.postgres.places import Bookmark, Place
from domain.changes import Cursor
from domain.entity_type import EntityType
from domain.snapshot import (
    BATCH,
    RECEIPTS_BATCH,
    Changes,
    Credentials,
    Entities,
    Export,
    Keys,
    Logged,
    Metadata,
    Part,
    Positions,
    Receipt,
    Receipts,
    Sent,
)
from domain.stored_entity import StoredEntity

PATIENT = (
    "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = '5s'"
)

_CHANGES = f"""
SELECT {COLUMNS}, {SETTLED} AS settled, ARRAY(
  SELECT cursor FROM former_cursors
  WHERE (former_cursors.epoch, former_cursors.xid, former_cursors.seq) = (changes.epoch, changes.xid, changes.seq)
) AS cursors
FROM changes ORDER BY epoch, xid, seq
"""

_OLDEST = """
SELECT epoch, xid, seq, ARRAY(
  SELECT cursor FROM former_cursors
  WHERE (former_cursors.epoch, former_cursors.xid, former_cursors.seq) = (oldest.epoch, oldest.xid, oldest.seq)
) AS cursors
FROM (SELECT epoch, xid, seq FROM forgotten ORDER BY epoch DESC, xid DESC, seq DESC LIMIT 1) AS oldest
"""

_RECEIPTS = "SELECT caller, name, fingerprint, receipt, expires_at FROM receipts ORDER BY expires_at, caller, name"

# A webhook may have had changes behind one that it has not had; those it will have again.
_POSITIONS = """
SELECT webhook, (
  SELECT count(*) FROM changes
  WHERE unseen.xid IS NULL OR (changes.epoch, changes.xid, changes.seq) < (unseen.epoch, unseen.xid, unseen.seq)
) AS had
FROM positions LEFT JOIN LATERAL (
  SELECT epoch, xid, seq FROM changes
  WHERE (changes.epoch, changes.xid, changes.seq) > (positions.epoch, positions.xid, positions.seq)
  AND (shown IS NULL OR changes.epoch > positions.epoch OR NOT pg_visible_in_snapshot(changes.xid, shown))
  ORDER BY epoch, xid, seq LIMIT 1
) AS unseen ON true ORDER BY webhook
"""

T = TypeVar("T")


@asynccontextmanager
async def exporting(dsn: str, *, entity_types: Sequence[EntityType[Any]]) -> AsyncIterator["PostgresExport"]:
    """Tell what a database holds at this moment; others may read and write it meanwhile.

    Raises `BadAddress`, `Unsuitable` where it holds no store, `SchemaTooOld`, `SchemaTooNew` and `Unavailable`.
    """
    with explaining():
        connection = await connect(dsn)
        try:
            await check_schema(connection)
            await check_declared_fields(connection, entity_types)
            log = Log(entity_types)
            log.names = await names_of_log(connection)
            await connection.transaction(isolation="repeatable_read", readonly=True).start()
            await connection.execute(PATIENT)
            # Whoever would take over into the same tables is in the way of this now, and not of a later read.
            await connection.execute(f"LOCK TABLE {', '.join(_tables(entity_types))} IN ACCESS SHARE MODE")
            await connection.execute("SELECT")  # the first query is the moment of all
            yield PostgresExport(connection, log, entity_types)
        finally:
            connection.terminate()  # which cannot fail, whatever has become of the connection meanwhile


class PostgresExport(Export):
    """Reads in the one transaction that a connection has begun."""

    def __init__(self, connection: Connection, log: Log, entity_types: Sequence[EntityType[Any]]) -> None:
        self._connection = connection
        self._log = log
        self._entity_types = entity_types
        self._facts: Metadata | None = None

    async def size(self) -> int:
        counts = " + ".join(f"(SELECT count(*) FROM {table})" for table in _tables(self._entity_types))
        return int(await self._connection.fetchval(f"SELECT {counts}"))

    async def read(self) -> AsyncIterator[Part]:
        if self._facts is None:  # sequences move on, whatever moment a transaction sees
            self._facts = await self._read_facts()
        yield self._facts
        for entity_type in self._entity_types:
            records = f"SELECT id, version, document FROM {entity_type.collection} ORDER BY id"
            async for of_kind in self._batches(records, lambda row: StoredEntity(*row)):
                yield Entities(entity_type=entity_type, records=of_kind)
        async for logged in self._batches(_CHANGES, self._logged):
            yield Changes(logged=logged)
        async for receipts in self._batches(_RECEIPTS, lambda row: Receipt(**row), RECEIPTS_BATCH):
            yield Receipts(receipts=receipts)
        yield Positions(had=dict(await self._connection.fetch(_POSITIONS)))
        async for deliveries in self._batches(f"{SELECT} ORDER BY number", delivery_of):
            yield Sent(deliveries=deliveries)
        async for keys in self._batches(KEYS, key_of):
            yield Keys(keys=keys)
        async for credentials in self._batches(CREDENTIALS, credential_of):
            yield Credentials(credentials=credentials)

    async def _batches(self, sql: str, each: Callable[[Any], T], size: int = BATCH) -> AsyncIterator[tuple[T, ...]]:
        cursor = await self._connection.cursor(sql)
        while rows := await cursor.fetch(size):
            yield tuple(map(each, rows))

    async def _read_facts(self) -> Metadata:
        oldest = await self._connection.fetchrow(_OLDEST)
        assert oldest is not None, "there is a place in front of the first change"
        names = self._log.names
        return Metadata(
            secret=await self._connection.fetchval("SELECT secret FROM secrets"),
            logs=names.former | {names.current},
            oldest=self._cursors(oldest),
            last_ids={entity_type.name: await self._last_id(entity_type) for entity_type in self._entity_types},
        )

    async def _last_id(self, entity_type: EntityType[Any]) -> int:
        sql = f"SELECT last_value - (NOT is_called)::integer FROM {entity_type.collection}_ids"
        return int(await self._connection.fetchval(sql))

    def _logged(self, row: Mapping[str, Any]) -> Logged:
        return Logged(self._log.change(row), self._cursors(row) if row["settled"] else frozenset(row["cursors"]))

    def _cursors(self, row: Mapping[str, Any]) -> frozenset[Cursor]:
        mine = self._log.names.cursor(Bookmark(Place(row["epoch"], row["xid"], row["seq"])))
        return frozenset({mine, *row["cursors"]})


def _tables(entity_types: Sequence[EntityType[Any]]) -> list[str]:
    """Name the tables of what can be many."""
    return [
        *(entity_type.collection for entity_type in entity_types),
        "changes",
        "receipts",
        "deliveries",
        "access_keys",
        "credentials",
    ]
