"""Exporting all data of a file."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import apsw

from adapters.sqlite.access_keys import CREDENTIALS, KEYS, credential_of, key_of
from adapters.sqlite.calendars import CALENDARS, calendar_of
from adapters.sqlite.conditions import conditions, where
from adapters.sqlite.connections import check_schema, close_reader, existing, fetch
from adapters.sqlite.declared_fields import check_declared_fields
from adapters.sqlite.deliveries import SELECT, delivery_of
from adapters.sqlite.errors import explaining
from adapters.sqlite.log import COLUMNS, Log, open_log
from adapters.sqlite.pages import count, record
from adapters.sqlite.query_plans import count_plan
from adapters.sqlite.table_mapping import TableMapping, moment
from domain.changes import Change, Cursor, Entry
from domain.deliveries import Delivery
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

OTHER_TABLES = ("changes", "former_cursors", "receipts", "deliveries", "access_keys", "credentials", "calendars")
"""The exported tables, beside the entities, that may have many rows."""

FORMER = "SELECT cursor, number FROM former_cursors ORDER BY cursor"
POSITIONS = "SELECT webhook, number FROM positions ORDER BY webhook"
OUTCOMES = "SELECT caller, name, fingerprint, receipt, expires_at FROM receipts ORDER BY expires_at, caller, name"

T = TypeVar("T")


@asynccontextmanager
async def exporting(path: Path, *, entity_types: Sequence[EntityType[Any]]) -> AsyncIterator["SqliteExport"]:
    """Export a snapshot of a file; others may read and write it meanwhile.

    Raises `NotAStore` (also for a missing or empty file), `SchemaTooOld`, `SchemaTooNew` and `Unavailable`.
    """
    with explaining(path):
        connection = existing(path)
        try:
            check_schema(connection)
            check_declared_fields(connection, entity_types)
            connection.execute("BEGIN")
            yield SqliteExport(connection, open_log(connection, entity_types), entity_types)
        finally:
            close_reader(connection)


async def in_thread(connection: apsw.Connection, work: Callable[[], T]) -> T:
    """Use a connection in a thread for slow work. A cancellation interrupts the work and waits until it has ended."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():  # even if cancelled again: the connection is in use until then
            connection.interrupt()
            with suppress(asyncio.CancelledError):
                await asyncio.wait({task})
        task.exception()  # retrieves the interruption, as nobody else does
        raise


class SqliteExport(Snapshot):
    """Reads in the open transaction of a connection."""

    def __init__(self, connection: apsw.Connection, log: Log, entity_types: Sequence[EntityType[Any]]) -> None:
        self._connection = connection
        self._log = log
        self._entity_types = entity_types

    async def size(self) -> int:
        tables = (*(entity_type.collection for entity_type in self._entity_types), *OTHER_TABLES)
        counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in tables)
        return sum((await in_thread(self._connection, lambda: fetch(self._connection, f"SELECT {counts}")))[0])

    async def read(self) -> AsyncIterator[Part]:
        parts = self._parts()
        while (part := await in_thread(self._connection, lambda: next(parts, None))) is not None:
            yield part

    async def count(self, entity_type: EntityType[Any], where: tuple[Condition, ...] = ()) -> int:
        rows = TableMapping(entity_type)
        plan = count_plan(rows, Query(entity_type=entity_type, where=where))
        return await in_thread(self._connection, lambda: count(self._connection, plan))

    async def entities(
        self, entity_type: EntityType[Any], where: tuple[Condition, ...] = ()
    ) -> AsyncIterator[tuple[StoredEntity, ...]]:
        async for records in self._in_batches(self._records(entity_type, where)):
            yield records

    async def count_changes(self, entity_types: Collection[EntityType[Any]]) -> int:
        names, kinds = _kinds(entity_types)
        sql = f"SELECT count(*) FROM changes WHERE {kinds}"
        return int((await in_thread(self._connection, lambda: fetch(self._connection, sql, names)))[0][0])

    async def entries(self, entity_types: Collection[EntityType[Any]]) -> AsyncIterator[tuple[Entry, ...]]:
        async for entries in self._in_batches(self._entries(entity_types)):
            yield entries

    async def _in_batches(self, items: Iterator[T]) -> AsyncIterator[tuple[T, ...]]:
        batches = _batches(items)
        while (batch := await in_thread(self._connection, lambda: next(batches, None))) is not None:
            yield batch

    def _parts(self) -> Iterator[Part]:
        yield self.facts()
        for entity_type in self._entity_types:
            for records in _batches(self._records(entity_type)):
                yield Entities(entity_type=entity_type, records=records)
        for changes in _batches(self._changes()):
            yield Changes(changes=changes)
        for cursors in _batches(self._former_cursors()):
            yield FormerCursors(numbers=dict(cursors))
        for outcomes in _batches(self._outcomes(), OUTCOMES_BATCH):
            yield StoredOutcomes(outcomes=outcomes)
        yield Positions(numbers=self._positions())
        for deliveries in _batches(self._deliveries()):
            yield AllDeliveries(deliveries=deliveries)
        for keys in _batches(map(key_of, self._connection.execute(KEYS))):
            yield Keys(keys=keys)
        for credentials in _batches(map(credential_of, self._connection.execute(CREDENTIALS))):
            yield Credentials(credentials=credentials)
        for calendars in _batches(map(calendar_of, self._connection.execute(CALENDARS))):
            yield AllCalendars(calendars=calendars)

    def facts(self) -> Metadata:
        """Return the single facts."""
        sql = "SELECT name, newest, secret, forgotten FROM log"
        ((name, newest, secret, forgotten),) = fetch(self._connection, sql)
        last_ids = dict(fetch(self._connection, "SELECT kind, last_id FROM collections"))
        return Metadata(
            secret=secret,
            logs={**self._log.cursor_codec.former, name: newest},
            forgotten=forgotten,
            last_ids={entity_type.name: last_ids.get(entity_type.name, 0) for entity_type in self._entity_types},
        )

    def _records(self, entity_type: EntityType[Any], tests: tuple[Condition, ...] = ()) -> Iterator[StoredEntity]:
        """Walk the table by id. An index would find matches sooner, but all of them must be sorted then."""
        rows = TableMapping(entity_type)
        condition, values = where([each.not_sought() for test in tests for each in conditions(rows, test)])
        sql = f"SELECT id, version, document FROM {rows.table}{condition} ORDER BY id"
        yield from map(record, self._connection.execute(sql, values))

    def _changes(self) -> Iterator[Change[Any]]:
        rows = self._connection.execute(f"SELECT {COLUMNS} FROM changes ORDER BY number")
        return (self._log.change(*columns) for _, *columns in rows)

    def _entries(self, entity_types: Collection[EntityType[Any]]) -> Iterator[Entry]:
        names, kinds = _kinds(entity_types)
        rows = self._connection.execute(f"SELECT {COLUMNS} FROM changes WHERE {kinds} ORDER BY number", names)
        yield from map(self._log.entry, rows)

    def _former_cursors(self) -> Iterator[tuple[Cursor, int]]:
        rows = self._connection.execute(FORMER)
        return ((Cursor(cursor), number) for cursor, number in rows)

    def _outcomes(self) -> Iterator[StoredOutcome]:
        return map(outcome_of, self._connection.execute(OUTCOMES))

    def _deliveries(self) -> Iterator[Delivery]:
        return map(delivery_of, self._connection.execute(f"{SELECT} ORDER BY number"))

    def _positions(self) -> Mapping[int, int]:
        return dict(fetch(self._connection, POSITIONS))


def outcome_of(row: tuple[Any, ...]) -> StoredOutcome:
    """Return the stored outcome of a row."""
    caller, name, fingerprint, outcome, at = row
    return StoredOutcome(caller=caller, name=name, fingerprint=fingerprint, outcome=outcome, expires_at=moment(at))


def _batches(items: Iterator[T], size: int = BATCH) -> Iterator[tuple[T, ...]]:
    while batch := tuple(islice(items, size)):
        yield batch


def _kinds(entity_types: Collection[EntityType[Any]]) -> tuple[tuple[str, ...], str]:
    """Return the names of entity types, and the condition that a change is of one of them."""
    return tuple(each.name for each in entity_types), f"kind IN ({', '.join('?' * len(entity_types))})"
