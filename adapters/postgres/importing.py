"""Importing the data of another store into a database."""

import asyncio
from collections.abc import AsyncIterator, Sequence, Set
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

from adapters.postgres.access_keys import CREDENTIAL, KEY, credential_row, key_row
from adapters.postgres.calendars import CALENDAR, calendar_row
from adapters.postgres.connections import Connection, connect
from adapters.postgres.declared_fields import give_declared_fields
from adapters.postgres.deliveries import COLUMNS, row_of
from adapters.postgres.errors import explaining
from adapters.postgres.exporting import NO_TIMEOUTS, PostgresExport
from adapters.postgres.folding import refold
from adapters.postgres.log import COLUMNS as CHANGE
from adapters.postgres.log import Log
from adapters.postgres.migrating import check_unused, cursor_codec_of_log, is_migrated, migrate
from adapters.postgres.table_mapping import TableMapping
from domain.entity_type import EntityType
from domain.snapshot import (
    AllCalendars,
    AllDeliveries,
    Changes,
    Credentials,
    Entities,
    FormerCursors,
    Import,
    Keys,
    Metadata,
    NotEmpty,
    Part,
    Positions,
    SameLog,
    StoredOutcomes,
)
from domain.stored_entity import Serializer

_TABLES = (
    "changes",
    "receipts",
    "positions",
    "deliveries",
    "access_keys",
    "credentials",
    "calendars",
    "former_cursors",
    "forgotten",
    "secrets",
    "log_names",
)
_EMPTY = (
    "SELECT NOT EXISTS (SELECT FROM changes) AND NOT EXISTS (SELECT FROM receipts)"
    " AND NOT EXISTS (SELECT FROM access_keys)"
    " AND NOT EXISTS (SELECT FROM forgotten WHERE kind <> '')"
    " AND NOT EXISTS (SELECT FROM log_names WHERE epoch < 1)"  # an imported log, even an empty one
)
_NO_CALENDARS = "SELECT NOT EXISTS (SELECT FROM calendars)"  # earlier schemas lack the table
_LIMITS = f"{NO_TIMEOUTS}; SET LOCAL maintenance_work_mem = '128MB'"

# The indexes of constraints stay: rows arrive nearly in their order.
_INDEXES = """
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS sql FROM pg_index
WHERE indrelid = ANY($1::text[]::regclass[]) AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
ORDER BY name
"""

_DAY = date(2000, 1, 1)
_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@asynccontextmanager
async def importing(
    dsn: str, *, entity_types: Sequence[EntityType[Any]], documents: Serializer, source_logs: Set[str] = frozenset()
) -> AsyncIterator["PostgresImport"]:
    """Import into a database, and create the schema if missing. An import that is not committed is rolled back.

    Raises `InUse` if a service has the store open: it would go on with the secret and the names that it had read.
    Raises `SameLog` for a database with one of the names of the source's log, `BadAddress`, `NotEmpty`, `SchemaTooNew`,
    `Unsuitable`, `StorageFull` and `Unavailable`.
    """
    with explaining():
        connection = await connect(dsn)
        try:
            if await is_migrated(connection):  # before the schema changes
                async with connection.transaction(isolation="read_committed"):
                    await connection.execute(_LIMITS)
                    await _check_empty(connection, _EMPTY)
                    await _check_other(connection, source_logs)
                    await check_unused(connection)  # before the locks, for which a service would have to wait
            await migrate(connection)
            await give_declared_fields(connection, map(TableMapping, entity_types), documents)
            await refold(connection, map(TableMapping, entity_types), documents)
            log = Log(entity_types)
            log.cursor_codec = await cursor_codec_of_log(connection)
            await _take_exact_times(connection)
            transaction = connection.transaction(isolation="read_committed")
            await transaction.start()
            await connection.execute(_LIMITS)
            tables = [*(entity_type.collection for entity_type in entity_types), *_TABLES]
            await connection.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
            await check_unused(connection)  # a service that starts from now on waits, and reads what has come
            await _check_empty(connection, _EMPTY, _NO_CALENDARS)
            indexes = [(row["name"], row["sql"]) for row in await connection.fetch(_INDEXES, tables)]
            for name, _ in indexes:
                await connection.execute(f"DROP INDEX {name}")
            yield PostgresImport(connection, log, entity_types, documents, indexes=[sql for _, sql in indexes])
        finally:
            connection.terminate()  # rolls back an uncommitted import, in any state of the connection


async def _check_other(connection: Connection, source_logs: Set[str]) -> None:
    """Refuse the source itself, before this waits for the locks of the source's own snapshot."""
    if not source_logs.isdisjoint(row["name"] for row in await connection.fetch("SELECT name FROM log_names")):
        raise SameLog


async def _check_empty(connection: Connection, *questions: str) -> None:
    for sql in questions:
        if not await connection.fetchval(sql):
            raise NotEmpty


async def _take_exact_times(connection: Connection) -> None:
    """Send times and dates as numbers, because the driver takes the first and the last ones as infinite."""
    await connection.set_type_codec(
        "date",
        schema="pg_catalog",
        format="tuple",
        encoder=lambda day: ((day - _DAY).days,),
        decoder=lambda days: _DAY + timedelta(days=days[0]),
    )
    await connection.set_type_codec(
        "timestamptz",
        schema="pg_catalog",
        format="tuple",
        encoder=lambda at: ((at - _MOMENT) // _MICROSECOND,),
        decoder=lambda passed: _MOMENT + timedelta(microseconds=passed[0]),
    )


class PostgresImport(Import):
    """Writes everything in the open transaction of a connection, and the indexes last."""

    def __init__(
        self,
        connection: Connection,
        log: Log,
        entity_types: Sequence[EntityType[Any]],
        documents: Serializer,
        *,
        indexes: Sequence[str],
    ) -> None:
        """`indexes` are the statements that create the indexes at the end."""
        self._connection = connection
        self._log = log
        self._entity_types = entity_types
        self._documents = documents
        self._indexes = indexes
        self._rows = {entity_type.name: TableMapping(entity_type) for entity_type in entity_types}
        self._newest = 0

    @property
    def taken(self) -> PostgresExport:
        return PostgresExport(self._connection, self._log, self._entity_types)

    async def write(self, part: Part) -> None:
        match part:
            case Metadata():
                await self._take_facts(part)
            case Entities(entity_type=entity_type, records=records):
                rows = self._rows[entity_type.name]
                entities = ((each, self._documents.read(entity_type, each.document)) for each in records)
                written = [tuple(rows.row(entity, record.document).values()) for record, entity in entities]
                await self._copy(rows.table, rows.columns, written)
            case Changes():
                await self._append(part)
            case FormerCursors(numbers=numbers):
                await self._copy("former_cursors", ("cursor", "number"), list(numbers.items()))
            case StoredOutcomes(outcomes=outcomes):
                columns = ("caller", "name", "fingerprint", "receipt", "expires_at")
                stored = [
                    (each.caller, each.name, each.fingerprint, each.outcome, each.expires_at) for each in outcomes
                ]
                await self._copy("receipts", columns, stored)
            case Positions(numbers=numbers):
                await self._copy("positions", ("webhook", "number"), list(numbers.items()))
            case AllDeliveries(deliveries=deliveries):
                await self._copy(
                    "deliveries", COLUMNS.split(", "), [tuple(row_of(each).values()) for each in deliveries]
                )
            case Keys(keys=keys):
                await self._copy("access_keys", KEY, list(map(key_row, keys)))
            case Credentials(credentials=credentials):
                await self._copy("credentials", CREDENTIAL, list(map(credential_row, credentials)))
            case AllCalendars(calendars=calendars):
                await self._copy("calendars", CALENDAR, list(map(calendar_row, calendars)))

    async def arrange(self) -> None:
        for sql in self._indexes:
            await self._connection.execute(sql)
        for entity_type in self._entity_types:  # without statistics the plans of pages are bad
            await self._connection.execute(f"ANALYZE {entity_type.collection}")
        await self._connection.execute("ANALYZE changes")

    async def commit(self) -> None:
        committing = asyncio.ensure_future(self._connection.execute("COMMIT"))
        while not committing.done():  # an interrupted commit would have an unknown outcome
            with suppress(asyncio.CancelledError):
                await asyncio.wait({committing})
        with explaining():
            committing.result()

    async def _take_facts(self, facts: Metadata) -> None:
        self._newest = facts.forgotten
        await self._connection.execute("UPDATE secrets SET secret = $1", facts.secret)
        await self._connection.execute("UPDATE forgotten SET number = $1", facts.forgotten)
        former = [(-index, name, "elsewhere", newest) for index, (name, newest) in enumerate(facts.logs.items())]
        await self._copy("log_names", ("epoch", "name", "home", "newest"), former)
        self._log.cursor_codec = await cursor_codec_of_log(self._connection)
        for entity_type in self._entity_types:  # unlike setval, this rolls back with the rest
            next_id = facts.last_ids[entity_type.name] + 1
            await self._connection.execute(f"ALTER SEQUENCE {entity_type.collection}_ids RESTART WITH {next_id}")

    async def _append(self, changes: Changes) -> None:
        rows = []
        for number, change in enumerate(changes.changes, self._newest + 1):
            record = change.record
            entity = (change.entity_type.name, record.id, record.version, change.action.value)
            told = (change.at, change.request_id, " ".join(change.changed), record.document, change.reason)
            actor = (None, None) if change.actor is None else (change.actor.key, change.actor.name)
            rows.append((number, *entity, *told, *actor, None if change.trace is None else change.trace.text))
        self._newest += len(rows)
        await self._copy("changes", CHANGE.split(", "), rows)

    async def _copy(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        await self._connection.copy_records_to_table(table, records=rows, columns=list(columns))
