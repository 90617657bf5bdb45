"""Exporting all data of a database."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from adapters.postgres.access_keys import CREDENTIALS, KEYS, credential_of, key_of
from adapters.postgres.calendars import CALENDARS, calendar_of
from adapters.postgres.connections import Connection, connect
from adapters.postgres.declared_fields import check_declared_fields
from adapters.postgres.deliveries import SELECT, delivery_of
from adapters.postgres.errors import explaining
from adapters.postgres.log import COLUMNS, Log
from adapters.postgres.migrating import check_schema, cursor_codec_of_log
from adapters.postgres.pages import Selection
from adapters.postgres.table_mapping import TableMapping
from domain.changes import Cursor, Entry
from domain.entity_type import EntityType
from domain.queries import Condition, Query
from domain.snapshot import (
    BATCH,
    OUTCOMES_BATCH,
    AllCalendars,
    AllDeliveries,
    Changes,
    Credentials,
    Entities,
    FormerCursors,
    Keys,
    Metadata,
    Part,
    Positions,
    Snapshot,
    StoredOutcome,
    StoredOutcomes,
)
from domain.stored_entity import StoredEntity

NO_TIMEOUTS = (
    "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = '5s'"
)

_CHANGES = f"SELECT {COLUMNS} FROM changes ORDER BY number"
_CHANGES_OF = f"SELECT {COLUMNS} FROM changes WHERE kind = ANY($1::text[]) ORDER BY number"
FORMER = "SELECT cursor, number FROM former_cursors ORDER BY cursor"
OUTCOMES = (
    "SELECT caller, name, fingerprint, receipt AS outcome, expires_at FROM receipts ORDER BY expires_at, caller, name"
)
POSITIONS = "SELECT webhook, number FROM positions ORDER BY webhook"

T = TypeVar("T")


@asynccontextmanager
async def exporting(dsn: str, *, entity_types: Sequence[EntityType[Any]]) -> AsyncIterator["PostgresExport"]:
    """Export a snapshot of a database; others may read and write it meanwhile.

    Raises `BadAddress`, `Unsuitable` where it holds no store, `SchemaTooOld`, `SchemaTooNew` and `Unavailable`.
    """
    with explaining():
        connection = await connect(dsn)
        try:
            await check_schema(connection)
            await check_declared_fields(connection, entity_types)
            log = Log(entity_types)
            log.cursor_codec = await cursor_codec_of_log(connection)
            await connection.transaction(isolation="repeatable_read", readonly=True).start()
            await connection.execute(NO_TIMEOUTS)
            # An import into the same tables delays this lock, and not a later read.
            await connection.execute(f"LOCK TABLE {', '.join(tables_of(entity_types))} IN ACCESS SHARE MODE")
            await connection.execute("SELECT")  # the first query takes the snapshot
            yield PostgresExport(connection, log, entity_types)
        finally:
            connection.terminate()  # cannot fail, in any state of the connection


class PostgresExport(Snapshot):
    """Reads in the open transaction of a connection."""

    def __init__(self, connection: Connection, log: Log, entity_types: Sequence[EntityType[Any]]) -> None:
        self._connection = connection
        self._log = log
        self._entity_types = entity_types
        self._facts: Metadata | None = None

    async def size(self) -> int:
        counts = " + ".join(f"(SELECT count(*) FROM {table})" for table in tables_of(self._entity_types))
        return int(await self._connection.fetchval(f"SELECT {counts}"))

    async def read(self) -> AsyncIterator[Part]:
        if self._facts is None:  # sequences ignore snapshots, so they are read only once
            self._facts = await self.read_facts()
        yield self._facts
        for entity_type in self._entity_types:
            records = f"SELECT id, version, document FROM {entity_type.collection} ORDER BY id"
            async for of_kind in self._batches(records, lambda row: StoredEntity(*row)):
                yield Entities(entity_type=entity_type, records=of_kind)
        async for changes in self._batches(_CHANGES, self._log.change):
            yield Changes(changes=changes)
        async for cursors in self._batches(FORMER, lambda row: (Cursor(row["cursor"]), int(row["number"]))):
            yield FormerCursors(numbers=dict(cursors))
        async for outcomes in self._batches(OUTCOMES, lambda row: StoredOutcome(**row), OUTCOMES_BATCH):
            yield StoredOutcomes(outcomes=outcomes)
        yield Positions(numbers=dict(await self._connection.fetch(POSITIONS)))
        async for deliveries in self._batches(f"{SELECT} ORDER BY number", delivery_of):
            yield AllDeliveries(deliveries=deliveries)
        async for keys in self._batches(KEYS, key_of):
            yield Keys(keys=keys)
        async for credentials in self._batches(CREDENTIALS, credential_of):
            yield Credentials(credentials=credentials)
        async for calendars in self._batches(CALENDARS, calendar_of):
            yield AllCalendars(calendars=calendars)

    async def count(self, entity_type: EntityType[Any], where: tuple[Condition, ...] = ()) -> int:
        selection = Selection(TableMapping(entity_type), Query(entity_type=entity_type, where=where))
        return int(await self._connection.fetchval(selection.count(), *selection.values))

    async def entities(
        self, entity_type: EntityType[Any], where: tuple[Condition, ...] = ()
    ) -> AsyncIterator[tuple[StoredEntity, ...]]:
        selection = Selection(TableMapping(entity_type), Query(entity_type=entity_type, where=where))
        async for records in self._batches(selection.all(), lambda row: StoredEntity(*row), values=selection.values):
            yield records

    async def count_changes(self, entity_types: Collection[EntityType[Any]]) -> int:
        sql = "SELECT count(*) FROM changes WHERE kind = ANY($1::text[])"
        return int(await self._connection.fetchval(sql, [each.name for each in entity_types]))

    async def entries(self, entity_types: Collection[EntityType[Any]]) -> AsyncIterator[tuple[Entry, ...]]:
        names = [each.name for each in entity_types]
        async for entries in self._batches(_CHANGES_OF, self._log.entry, values=[names]):
            yield entries

    async def _batches(
        self, sql: str, each: Callable[[Any], T], size: int = BATCH, values: Sequence[Any] = ()
    ) -> AsyncIterator[tuple[T, ...]]:
        cursor = await self._connection.cursor(sql, *values)
        while rows := await cursor.fetch(size):
            yield tuple(map(each, rows))

    async def read_facts(self) -> Metadata:
        """Return the single facts, as they are now."""
        codec = self._log.cursor_codec
        return Metadata(
            secret=await self._connection.fetchval("SELECT secret FROM secrets"),
            logs={**codec.former, codec.name: await self._log.newest(self._connection)},
            forgotten=await self._log.forgotten(self._connection),
            last_ids={entity_type.name: await self._last_id(entity_type) for entity_type in self._entity_types},
        )

    async def _last_id(self, entity_type: EntityType[Any]) -> int:
        sql = f"SELECT last_value - (NOT is_called)::integer FROM {entity_type.collection}_ids"
        return int(await self._connection.fetchval(sql))


def tables_of(entity_types: Sequence[EntityType[Any]]) -> list[str]:
    """Return the names of the tables that may have many rows."""
    return [
        *(entity_type.collection for entity_type in entity_types),
        "changes",
        "former_cursors",
        "receipts",
        "deliveries",
        "access_keys",
        "credentials",
        "calendars",
    ]
