"""Inspecting a file for damage: reading it row by row, whatever the rows hold."""

import json
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import apsw
from attrs import frozen

from adapters.sqlite.access_keys import CREDENTIALS, KEYS, credential_of, key_of
from adapters.sqlite.calendars import CALENDARS, calendar_of
from adapters.sqlite.connections import check_schema, close_reader, existing, fetch
from adapters.sqlite.declared_fields import check_declared_fields
from adapters.sqlite.deliveries import SELECT, delivery_of
from adapters.sqlite.errors import explaining
from adapters.sqlite.exporting import FORMER, OUTCOMES, POSITIONS, SqliteExport, in_thread, outcome_of
from adapters.sqlite.folding import check_folding
from adapters.sqlite.log import COLUMNS, Log, open_log
from adapters.sqlite.structure import checks
from adapters.sqlite.table_mapping import TableMapping
from domain.changes import Action
from domain.entity_type import EntityType
from domain.inspection.entity_history import UNREADABLE
from domain.inspection.findings import Finding, Kind, differs, shown
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
    StoredOutcomes,
)

CACHE_KIB = 65_536
"""SQLite compares each row with each index, so much of the file is read again and again."""

ALL = sys.maxsize
_ACTIONS = {each.value for each in Action}

_REST: tuple[tuple[str, Kind, str, Callable[[Any], Any], Callable[[Any], Part], int], ...] = (
    ("former_cursors", Kind.CURSOR, FORMER, tuple, lambda rows: FormerCursors(numbers=dict(rows)), BATCH),
    (
        "receipts",
        Kind.OUTCOME,
        OUTCOMES,
        outcome_of,
        lambda items: StoredOutcomes(outcomes=tuple(items)),
        OUTCOMES_BATCH,
    ),
    ("positions", Kind.WEBHOOK, POSITIONS, tuple, lambda rows: Positions(numbers=dict(rows)), ALL),
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
async def inspecting(path: Path, *, entity_types: Sequence[EntityType[Any]]) -> AsyncIterator["SqliteInspection"]:
    """Inspect a snapshot of a file; others may read and write it meanwhile.

    Raises `NotAStore` (also for a missing or empty file), `SchemaTooOld`, `SchemaTooNew` and `Unavailable`.
    """
    with explaining(path):
        connection = existing(path, cache_kib=CACHE_KIB)
        try:
            connection.execute("PRAGMA temp_store=FILE")  # the copy of a search index may be large
            connection.execute("BEGIN")
            check_schema(connection)
            with suppress(apsw.SQLError):  # a missing table is a finding
                check_declared_fields(connection, entity_types)
                check_folding(connection)
            yield SqliteInspection(connection, path, entity_types)
        finally:
            close_reader(connection)


@frozen
class _Stream:
    """Some columns of a table, in the order of some of them."""

    table: str
    columns: Sequence[str]
    order: Sequence[str]
    condition: str = "true"
    values: tuple[Any, ...] = ()

    @property
    def sql(self) -> str:
        """Return the statement that reads all rows."""
        return self._select(self.columns, "true")

    @property
    def next_sql(self) -> str:
        """Return the statement that reads the row behind a key, with its text as bytes."""
        behind = f"({', '.join(self.order)}) > ({', '.join('?' * len(self.order))})"
        columns = (f"iif(typeof({each}) = 'text', CAST({each} AS BLOB), {each})" for each in self.columns)
        return f"{self._select(columns, behind)} LIMIT 1"

    def key(self, row: Sequence[Any] | None) -> tuple[Any, ...]:
        """Return the key of a row; without a row, one in front of all."""
        return tuple(-1 if row is None else row[self.columns.index(each)] for each in self.order)

    def _select(self, columns: Iterable[str], also: str) -> str:
        condition, order = f"{self.condition} AND {also}", ", ".join(self.order)
        return f"SELECT {', '.join(columns)} FROM {self.table} WHERE {condition} ORDER BY {order}"


class SqliteInspection(Inspection):
    """Reads in the open transaction of a connection."""

    def __init__(self, connection: apsw.Connection, path: Path, entity_types: Sequence[EntityType[Any]]) -> None:
        self._connection = connection
        self._path = path
        self._entity_types = entity_types
        self._rows = {entity_type.name: TableMapping(entity_type) for entity_type in entity_types}
        self._log = Log("", entity_types)

    async def size(self) -> int:
        tables = (*(each.table for each in self._rows.values()), "changes")
        counts = " + ".join(f"(SELECT count(*) FROM {table})" for table in tables)
        with _readable("the tables"):
            found = await in_thread(self._connection, lambda: fetch(self._connection, f"SELECT {counts}"))
        return int(found[0][0])

    async def structure(self) -> AsyncIterator[Finding]:
        for check in checks(self._connection, self._path, self._rows.values()):
            for finding in await in_thread(self._connection, lambda check=check: list(check())):  # type: ignore[misc]
                yield finding

    async def facts(self) -> LogFacts:
        with _readable("table log"):
            found = fetch(self._connection, "SELECT name, newest FROM log")
            if len(found) != 1:
                raise Unreadable(Finding(Kind.LOG, "table log", f"has {len(found)} rows, and should have 1"))
            ((name, newest),) = found
            log = open_log(self._connection, self._entity_types)
            metadata = SqliteExport(self._connection, log, self._entity_types).facts()
            return LogFacts(name=name, newest=newest, metadata=metadata)

    async def rows(self, entity_type: EntityType[Any]) -> AsyncIterator[Sequence[Row]]:
        mapping = self._rows[entity_type.name]
        stream = _Stream(mapping.table, ("id", "version", "document", *mapping.derived), ("id",))
        async for batch in self._read(stream, lambda row: Row(row[0], row[1], row[2], row[3:])):
            yield batch

    def misfits(self, entity_type: EntityType[Any], row: Row, entity: Any) -> Iterable[Finding]:
        mapping = self._rows[entity_type.name]
        should = tuple(mapping.derive(entity))
        if should == row.columns:
            return
        for column, has, each in zip(mapping.derived, row.columns, should, strict=True):
            if has != each:
                yield differs(Kind.SORT_KEY, f"{entity_type.name} {row.id}", column, has, each)

    async def changes(self, entity_type: EntityType[Any] | None) -> AsyncIterator[Sequence[Logged]]:
        condition, value = "kind = ?", "" if entity_type is None else entity_type.name
        if entity_type is None:
            condition, value = "kind NOT IN (SELECT value FROM json_each(?))", json.dumps(list(self._rows))
        stream = _Stream("changes", COLUMNS.split(", "), ("id", "version", "number"), condition, (value,))
        async for batch in self._read(stream, self._logged):
            yield batch

    async def rest(self) -> AsyncIterator[Part | Finding]:
        for table, kind, sql, value_of, part_of, size in _REST:
            values, is_empty = self._values(table, kind, sql, value_of), True
            try:
                while batch := await self._next(values, size):
                    for each in batch:
                        if isinstance(each, Finding):
                            yield each
                    yield part_of([each for each in batch if not isinstance(each, Finding)])
                    is_empty = False
                if size == ALL and is_empty:
                    yield part_of([])
            except Unreadable as error:
                yield error.finding

    def _values(self, table: str, kind: Kind, sql: str, value_of: Callable[[Any], Any]) -> Iterator[Any]:
        """Yield the value of each row of a table, or a finding in place of one that has none."""
        with _readable(f"table {table}"):
            rows = self._connection.execute(sql)
        while True:
            row = None
            try:
                with _readable(f"table {table}"):
                    row = next(rows, None)
                if row is None:
                    return
                yield value_of(row)
            except UNREADABLE as error:
                told = "" if row is None else f"{shown(row)}: "
                yield Finding(kind, f"a row of table {table}", f"cannot be read: {told}{error}")

    async def _read(self, stream: _Stream, each: Callable[[tuple[Any, ...]], T]) -> AsyncIterator[Sequence[T]]:
        items = map(each, self._stream(stream))
        while batch := await self._next(items, BATCH):
            yield batch

    async def _next(self, items: Iterator[T], size: int) -> tuple[T, ...]:
        return await in_thread(self._connection, lambda: tuple(islice(items, size)))

    def _stream(self, stream: _Stream) -> Iterator[tuple[Any, ...]]:
        """Yield rows; of one with a text that is no UTF-8, with what can be read of it."""
        last: tuple[Any, ...] | None = None
        with _readable(f"table {stream.table}"):
            rows = self._connection.execute(stream.sql, stream.values)
            while True:
                try:
                    row = next(rows, None)
                except UnicodeDecodeError:
                    row = self._decoded(stream, last)
                if row is None:
                    return
                yield row
                last = row

    def _decoded(self, stream: _Stream, last: Sequence[Any] | None) -> tuple[Any, ...]:
        found = fetch(self._connection, stream.next_sql, (*stream.values, *stream.key(last)))[0]
        return tuple(each.decode(errors="backslashreplace") if isinstance(each, bytes) else each for each in found)

    def _logged(self, row: tuple[Any, ...]) -> Logged:
        number, kind, id, version, action, *_ = row
        try:
            return Logged(number, id, version, self._log.change(*row[1:]))
        except UNREADABLE:
            is_known = kind in self._rows and action in _ACTIONS
            fault = "cannot be read" if is_known else f"has the unknown type {shown(f'{kind}.{action}')}"
            return Logged(number, id, version, None, fault)


@contextmanager
def _readable(where: str) -> Iterator[None]:
    """Raise `Unreadable` for what SQLite cannot read."""
    try:
        yield
    except apsw.InterruptError:
        raise
    except apsw.Error as error:
        raise Unreadable(Finding(Kind.PAGE, where, f"cannot be read any further: {error}")) from error
