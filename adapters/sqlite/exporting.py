"""Telling everything that a file holds."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import apsw

from adapters.sqlite.access_keys import CREDENTIALS, KEYS, credential_of, key_of
from adapters.sqlite.connections import check_schema, connect, fetch
from adapters.sqlite.declared_fields import check_declared_fields
from adapters.sqlite.deliveries import SELECT, delivery_of
from adapters.sqlite.errors import explaining
from adapters.sqlite.files import NotAStore
from adapters.sqlite.log import COLUMNS, Log, open_log
from adapters.sqlite.table_mapping import moment
from domain.changes import Cursor
from domain.deliveries import Delivery
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

OTHER_TABLES = ("changes", "receipts", "deliveries", "access_keys", "credentials")
_RECEIPTS = "SELECT caller, name, fingerprint, receipt, expires_at FROM receipts ORDER BY expires_at, caller, name"
_FORMER = "(SELECT group_concat(cursor, ' ') FROM former_cursors WHERE former_cursors.number = changes.number)"

T = TypeVar("T")


@asynccontextmanager
async def exporting(path: Path, *, entity_types: Sequence[EntityType[Any]]) -> AsyncIterator["SqliteExport"]:
    """Tell what a file holds at this moment; others may read and write it meanwhile.

    Raises `NotAStore`, also where there is no file or one that is empty, `SchemaTooOld`, `SchemaTooNew` and
    `Unavailable`.
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
    if not path.exists():  # connecting would make it
        raise NotAStore(f"{path} does not exist")
    return connect(path, read_only=True)


async def in_thread(connection: apsw.Connection, work: Callable[[], T]) -> T:
    """Do with a connection what may take long. Who cancels it interrupts it, and waits until it has ended."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():  # however often it is cancelled: the connection is in use until then
            connection.interrupt()
            with suppress(asyncio.CancelledError):
                await asyncio.wait({task})
        task.exception()  # the interruption, which nobody else looks at
        raise


class SqliteExport(Export):
    """Reads in the one transaction that a connection has begun."""

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
        for logged in _batches(self._logged()):
            yield Changes(logged=logged)
        for receipts in _batches(self._receipts(), RECEIPTS_BATCH):
            yield Receipts(receipts=receipts)
        yield Positions(had=self._positions())
        for deliveries in _batches(self._deliveries()):
            yield Sent(deliveries=deliveries)
        for keys in _batches(map(key_of, self._connection.execute(KEYS))):
            yield Keys(keys=keys)
        for credentials in _batches(map(credential_of, self._connection.execute(CREDENTIALS))):
            yield Credentials(credentials=credentials)

    def _facts(self) -> Metadata:
        ((name, secret, forgotten),) = fetch(self._connection, "SELECT name, secret, forgotten FROM log")
        former = fetch(self._connection, "SELECT cursor FROM former_cursors WHERE number = ?", (forgotten,))
        last_ids = dict(fetch(self._connection, "SELECT kind, last_id FROM collections"))
        return Metadata(
            secret=secret,
            logs=frozenset({name, *self._log.former}),
            oldest=frozenset({self._log.cursor_codec.cursor(forgotten), *(cursor for (cursor,) in former)}),
            last_ids={entity_type.name: last_ids.get(entity_type.name, 0) for entity_type in self._entity_types},
        )

    def _records(self, entity_type: EntityType[Any]) -> Iterator[StoredEntity]:
        rows = self._connection.execute(f"SELECT id, version, document FROM {entity_type.collection} ORDER BY id")
        return (StoredEntity(*row) for row in rows)

    def _logged(self) -> Iterator[Logged]:
        former = _FORMER if fetch(self._connection, "SELECT 1 FROM former_cursors LIMIT 1") else "NULL"
        for number, *columns, cursors in self._connection.execute(
            f"SELECT {COLUMNS}, {former} FROM changes ORDER BY number"
        ):
            mine = self._log.cursor_codec.cursor(number)
            known = (mine,) if cursors is None else (mine, *map(Cursor, cursors.split()))
            yield Logged(self._log.change(*columns), frozenset(known))

    def _receipts(self) -> Iterator[Receipt]:
        for caller, name, fingerprint, receipt, at in self._connection.execute(_RECEIPTS):
            yield Receipt(caller=caller, name=name, fingerprint=fingerprint, receipt=receipt, expires_at=moment(at))

    def _deliveries(self) -> Iterator[Delivery]:
        return map(delivery_of, self._connection.execute(f"{SELECT} ORDER BY number"))

    def _positions(self) -> Mapping[int, int]:
        sql = "SELECT webhook, max(number - forgotten, 0) FROM positions, log ORDER BY webhook"
        return dict(fetch(self._connection, sql))


def _batches(items: Iterator[T], size: int = BATCH) -> Iterator[tuple[T, ...]]:
    while batch := tuple(islice(items, size)):
        yield batch
