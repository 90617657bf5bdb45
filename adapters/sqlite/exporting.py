"""Exporting all data of a file."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import apsw

from adapters.sqlite.access_keys import CREDENTIALS, KEYS, credential_of, key_of
from adapters.sqlite.calendars import CALENDARS, calendar_of
from adapters.sqlite.connections import check_schema, connect, fetch
from adapters.sqlite.declared_fields import check_declared_fields
from adapters.sqlite.deliveries import SELECT, delivery_of
from adapters.sqlite.errors import explaining
from adapters.sqlite.files import NotAStore
from adapters.sqlite.log import COLUMNS, Log, open_log
from adapters.sqlite.table_mapping import moment
from domain.changes import Change, Cursor
from domain.deliveries import Delivery
from domain.entity_type import EntityType
from domain.snapshot import (
    BATCH,
    RECEIPTS_BATCH,
    AllCalendars,
    Changes,
    Credentials,
    Entities,
    Export,
    FormerCursors,
    Keys,
    Metadata,
    Part,
    Positions,
    Receipt,
    Receipts,
    Sent,
)
from domain.stored_entity import StoredEntity

OTHER_TABLES = ("changes", "former_cursors", "receipts", "deliveries", "access_keys", "credentials", "calendars")
"""The exported tables, beside the entities, that may have many rows."""

_RECEIPTS = "SELECT caller, name, fingerprint, receipt, expires_at FROM receipts ORDER BY expires_at, caller, name"

T = TypeVar("T")


@asynccontextmanager
async def exporting(path: Path, *, entity_types: Sequence[EntityType[Any]]) -> AsyncIterator["SqliteExport"]:
    """Export a snapshot of a file; others may read and write it meanwhile.

    Raises `NotAStore` (also for a missing or empty file), `SchemaTooOld`, `SchemaTooNew` and `Unavailable`.
    """
    with explaining(path):
        connection = _connect(path)
        try:
            check_schema(connection)
            check_declared_fields(connection, entity_types)
            connection.execute("BEGIN")
            yield SqliteExport(connection, open_log(connection, entity_types), entity_types)
        finally:
            connection.close()


def _connect(path: Path) -> apsw.Connection:
    if not path.exists():  # connecting would create it
        raise NotAStore(f"{path} does not exist")
    return connect(path, read_only=True)


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


class SqliteExport(Export):
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

    def _parts(self) -> Iterator[Part]:
        yield self._facts()
        for entity_type in self._entity_types:
            for records in _batches(self._records(entity_type)):
                yield Entities(entity_type=entity_type, records=records)
        for changes in _batches(self._changes()):
            yield Changes(changes=changes)
        for cursors in _batches(self._former_cursors()):
            yield FormerCursors(numbers=dict(cursors))
        for receipts in _batches(self._receipts(), RECEIPTS_BATCH):
            yield Receipts(receipts=receipts)
        yield Positions(numbers=self._positions())
        for deliveries in _batches(self._deliveries()):
            yield Sent(deliveries=deliveries)
        for keys in _batches(map(key_of, self._connection.execute(KEYS))):
            yield Keys(keys=keys)
        for credentials in _batches(map(credential_of, self._connection.execute(CREDENTIALS))):
            yield Credentials(credentials=credentials)
        for calendars in _batches(map(calendar_of, self._connection.execute(CALENDARS))):
            yield AllCalendars(calendars=calendars)

    def _facts(self) -> Metadata:
        sql = "SELECT name, newest, secret, forgotten FROM log"
        ((name, newest, secret, forgotten),) = fetch(self._connection, sql)
        last_ids = dict(fetch(self._connection, "SELECT kind, last_id FROM collections"))
        return Metadata(
            secret=secret,
            logs={**self._log.cursor_codec.former, name: newest},
            forgotten=forgotten,
            last_ids={entity_type.name: last_ids.get(entity_type.name, 0) for entity_type in self._entity_types},
        )

    def _records(self, entity_type: EntityType[Any]) -> Iterator[StoredEntity]:
        rows = self._connection.execute(f"SELECT id, version, document FROM {entity_type.collection} ORDER BY id")
        return (StoredEntity(*row) for row in rows)

    def _changes(self) -> Iterator[Change[Any]]:
        rows = self._connection.execute(f"SELECT {COLUMNS} FROM changes ORDER BY number")
        return (self._log.change(*columns) for _, *columns in rows)

    def _former_cursors(self) -> Iterator[tuple[Cursor, int]]:
        rows = self._connection.execute("SELECT cursor, number FROM former_cursors ORDER BY cursor")
        return ((Cursor(cursor), number) for cursor, number in rows)

    def _receipts(self) -> Iterator[Receipt]:
        for caller, name, fingerprint, receipt, at in self._connection.execute(_RECEIPTS):
            yield Receipt(caller=caller, name=name, fingerprint=fingerprint, receipt=receipt, expires_at=moment(at))

    def _deliveries(self) -> Iterator[Delivery]:
        return map(delivery_of, self._connection.execute(f"{SELECT} ORDER BY number"))

    def _positions(self) -> Mapping[int, int]:
        return dict(fetch(self._connection, "SELECT webhook, number FROM positions ORDER BY webhook"))


def _batches(items: Iterator[T], size: int = BATCH) -> Iterator[tuple[T, ...]]:
    while batch := tuple(islice(items, size)):
        yield batch
