"""Inspecting a database for damage: reading it row by row, whatever the rows hold."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import asyncpg

from adapters.postgres.access_keys import CREDENTIALS, KEYS, credential_of, key_of
from adapters.postgres.calendars import CALENDARS, calendar_of
from adapters.postgres.connections import Connection, connect
from adapters.postgres.declared_fields import check_declared_fields
from adapters.postgres.deliveries import SELECT, delivery_of
from adapters.postgres.errors import LOST, explaining
from adapters.postgres.exporting import FORMER, NO_TIMEOUTS, OUTCOMES, POSITIONS, PostgresExport
from adapters.postgres.folding import check_folding
from adapters.postgres.log import COLUMNS, Log
from adapters.postgres.migrating import check_schema, known_codec
from adapters.postgres.structure import check_structure
from adapters.postgres.table_mapping import TableMapping
from domain.changes import Action
from domain.entity_type import EntityType
from domain.inspection.entity_history import UNREADABLE
from domain.inspection.findings import Finding, Kind, Unchecked, differs, shown
from domain.inspection.ports import Inspection, LogFacts, Logged, Row, Unreadable
from domain.snapshot import (
    BATCH,
    OUTCOMES_BATCH,
    AllCalendars,
    AllDeliveries,
    Credentials,
    FormerCursors,
    Keys,
    Part,
    Positions,
    StoredOutcome,
    StoredOutcomes,
)

ALL = 1_000_000
_ACTIONS = {each.value for each in Action}
_CHANGES = f"SELECT {COLUMNS} FROM changes WHERE kind {{}} ORDER BY id, version"


def _pair(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row.values())


_REST: tuple[tuple[str, Kind, str, Callable[[Any], Any], Callable[[Any], Part], int], ...] = (
    ("former_cursors", Kind.CURSOR, FORMER, _pair, lambda rows: FormerCursors(numbers=dict(rows)), BATCH),
    (
        "receipts",
        Kind.OUTCOME,
        OUTCOMES,
        lambda row: StoredOutcome(**row),
        lambda items: StoredOutcomes(outcomes=tuple(items)),
        OUTCOMES_BATCH,
    ),
    ("positions", Kind.WEBHOOK, POSITIONS, _pair, lambda rows: Positions(numbers=dict(rows)), ALL),
    (
        "deliveries",
        Kind.DELIVERY,
        f"{SELECT} ORDER BY number",
        delivery_of,
        lambda items: AllDeliveries(deliveries=tuple(items)),
        BATCH,
    ),
    ("access_keys", Kind.KEY, KEYS, key_of, lambda items: Keys(keys=tuple(items)), BATCH),
    ("credentials", Kind.KEY, CREDENTIALS, credential_of, lambda items: Credentials(credentials=tuple(items)), BATCH),
    (
        "calendars",
        Kind.CALENDAR,
        CALENDARS,
        calendar_of,
        lambda items: AllCalendars(calendars=tuple(items)),
        BATCH,
    ),
)
"""Each table with its statement, what makes a value of a row, what makes a part of values, and the size of a part."""

T = TypeVar("T")


@asynccontextmanager
async def inspecting(dsn: str, *, entity_types: Sequence[EntityType[Any]]) -> AsyncIterator["PostgresInspection"]:
    """Inspect a snapshot of a database; others may read and write it meanwhile.

    Raises `BadAddress`, `Unsuitable` where it holds no store, `SchemaTooOld`, `SchemaTooNew` and `Unavailable`.
    """
    with explaining():
        keeping = await connect(dsn)
        reading = await connect(dsn)
        try:
            await check_schema(reading)
            with suppress(asyncpg.UndefinedTableError):  # a missing table is a finding
                await check_declared_fields(reading, entity_types)
                await check_folding(reading)
            await keeping.transaction(isolation="repeatable_read", readonly=True).start()
            await keeping.execute(NO_TIMEOUTS)
            snapshot = await keeping.fetchval("SELECT pg_export_snapshot()")
            yield PostgresInspection(reading, snapshot, entity_types)
        finally:
            reading.terminate()
            keeping.terminate()


class PostgresInspection(Inspection):
    """Reads in a transaction that begins anew, with the same snapshot, after each error."""

    def __init__(self, connection: Connection, snapshot: str, entity_types: Sequence[EntityType[Any]]) -> None:
        """Another connection must keep the `snapshot`."""
        self._connection = connection
        self._snapshot = snapshot
        self._entity_types = entity_types
        self._rows = {entity_type.name: TableMapping(entity_type) for entity_type in entity_types}
        self._log = Log(entity_types)

    async def size(self) -> int:
        tables = (*(each.table for each in self._rows.values()), "changes")
        counts = " + ".join(f"(SELECT count(*) FROM {table})" for table in tables)
        async with self._readable("the tables"):
            return int(await self._connection.fetchval(f"SELECT {counts}"))

    async def structure(self) -> AsyncIterator[Finding | Unchecked]:
        async for found in check_structure(self._connection):
            yield found
        await self._begin()

    async def facts(self) -> LogFacts:
        async with self._readable("the log"):
            if not await self._connection.fetchval("SELECT EXISTS (SELECT FROM forgotten WHERE kind = '')"):
                raise Unreadable(Finding(Kind.LOG, "table forgotten", "has no row of no type, where the log begins"))
            secrets = await self._connection.fetchval("SELECT count(*) FROM secrets")
            if secrets != 1:
                raise Unreadable(Finding(Kind.LOG, "table secrets", f"has {secrets} rows, and should have 1"))
            self._log.cursor_codec = codec = await known_codec(self._connection)
            export = PostgresExport(self._connection, self._log, self._entity_types)
            metadata = await export.read_facts()
            return LogFacts(name=codec.name, newest=metadata.logs[codec.name] or 0, metadata=metadata)

    async def rows(self, entity_type: EntityType[Any]) -> AsyncIterator[Sequence[Row]]:
        mapping = self._rows[entity_type.name]
        sql = f"SELECT id, version, document, {', '.join(mapping.derived)} FROM {mapping.table} ORDER BY id"
        async for batch in self._read(mapping.table, sql, (), lambda row: Row(row[0], row[1], row[2], tuple(row)[3:])):
            yield batch

    def misfits(self, entity_type: EntityType[Any], row: Row, entity: Any) -> Iterable[Finding]:
        mapping = self._rows[entity_type.name]
        should = mapping.row(entity, row.document)
        for column, has in zip(mapping.derived, row.columns, strict=True):
            if has != should[column]:
                yield differs(Kind.SORT_KEY, f"{entity_type.name} {row.id}", column, has, should[column])

    async def changes(self, entity_type: EntityType[Any] | None) -> AsyncIterator[Sequence[Logged]]:
        condition, value = "= $1", "" if entity_type is None else entity_type.name
        if entity_type is None:
            condition, value = "<> ALL(string_to_array($1, ' '))", " ".join(self._rows)
        async for batch in self._read("changes", _CHANGES.format(condition), (value,), self._logged):
            yield batch

    async def rest(self) -> AsyncIterator[Part | Finding]:
        for table, kind, sql, value_of, part_of, size in _REST:
            is_empty = True
            try:
                async for batch in self._read(table, sql, (), dict, size):
                    values: list[Any] = []
                    for row in batch:
                        try:
                            values.append(value_of(row))
                        except UNREADABLE as error:
                            yield Finding(kind, f"a row of table {table}", f"cannot be read: {shown(row)}: {error}")
                    yield part_of(values)
                    is_empty = False
                if is_empty and size == ALL:
                    yield part_of([])
            except Unreadable as error:
                yield error.finding

    async def _read(
        self, table: str, sql: str, values: Sequence[Any], each: Callable[[Any], T], size: int = BATCH
    ) -> AsyncIterator[Sequence[T]]:
        async with self._readable(f"table {table}"):
            cursor = await self._connection.cursor(sql, *values)
            while rows := await cursor.fetch(size):
                yield tuple(map(each, rows))

    def _logged(self, row: Mapping[str, Any]) -> Logged:
        number, kind, id, version, action = (row[name] for name in ("number", "kind", "id", "version", "action"))
        try:
            return Logged(number, id, version, self._log.change(row))
        except UNREADABLE:
            is_known = kind in self._rows and action in _ACTIONS
            fault = "cannot be read" if is_known else f"has the unknown type {shown(f'{kind}.{action}')}"
            return Logged(number, id, version, None, fault)

    async def _begin(self) -> None:
        """Begin the transaction, also in place of one that failed."""
        if self._connection.is_in_transaction():
            await self._connection.execute("ROLLBACK")
        await self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        await self._connection.execute(f"SET TRANSACTION SNAPSHOT '{self._snapshot}'")
        await self._connection.execute(NO_TIMEOUTS)

    @asynccontextmanager
    async def _readable(self, where: str) -> AsyncIterator[None]:
        """Raise `Unreadable` for what PostgreSQL cannot read, but not if PostgreSQL itself is lost."""
        try:
            yield
        except (asyncpg.PostgresError, UnicodeDecodeError) as error:
            if isinstance(error, LOST) and not isinstance(error, asyncpg.PostgresSystemError):
                raise
            await self._begin()
            raise Unreadable(Finding(Kind.PAGE, where, f"cannot be read any further: {error}")) from error
