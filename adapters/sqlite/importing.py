"""Importing the data of another store into a file."""

from collections.abc import AsyncIterator, Sequence, Set
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import apsw

from adapters.sqlite.access_keys import PUT_CREDENTIAL, PUT_KEY, credential_row, key_row
from adapters.sqlite.calendars import PUT_CALENDAR, calendar_row
from adapters.sqlite.connections import WRITER_CACHE_KIB, connect_alone, fetch, is_migrated, migrate
from adapters.sqlite.declared_fields import give_declared_fields
from adapters.sqlite.deliveries import INSERT, row_of
from adapters.sqlite.errors import explaining
from adapters.sqlite.exporting import SqliteExport, in_thread
from adapters.sqlite.files import OpenFiles, make_folder
from adapters.sqlite.folding import refold
from adapters.sqlite.log import APPENDING, LOG_NAMES, open_log, row
from adapters.sqlite.table_mapping import TableMapping, microseconds
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

_PRAGMAS = (
    "PRAGMA cache_size=-65536",  # in KiB
    "PRAGMA temp_store=FILE",  # building an index sorts it, and the data may be larger than memory
)
# A store with an import is not empty: an import adds every entity type to `collections`, even without entities.
_EMPTY = (
    "SELECT newest = 0 AND NOT EXISTS (SELECT 1 FROM receipts) AND NOT EXISTS (SELECT 1 FROM collections)"
    " AND NOT EXISTS (SELECT 1 FROM access_keys) FROM log"
)
_NO_CALENDARS = "SELECT NOT EXISTS (SELECT 1 FROM calendars)"  # earlier schemas lack the table
_INDEXES = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
_OUTCOME = "INSERT INTO receipts (caller, name, fingerprint, receipt, expires_at) VALUES (?, ?, ?, ?, ?)"


@asynccontextmanager
async def importing(
    path: Path, *, entity_types: Sequence[EntityType[Any]], documents: Serializer, source_logs: Set[str] = frozenset()
) -> AsyncIterator["SqliteImport"]:
    """Import into a file, and create it if missing. An import that is not committed is rolled back.

    Nobody else can have the file open meanwhile: a service would go on with the secret and the names that it had read.

    Raises `InUse` if somebody has it open, `SameLog` for a file with one of the names of the source's log, `NotEmpty`,
    `NotAStore`, `SchemaTooNew`, `StorageFull` and `Unavailable`.
    """

    def check(connection: apsw.Connection) -> None:
        if is_migrated(connection):
            _check_empty(connection, _EMPTY)
            _check_other(connection, source_logs)

    with explaining(path):
        make_folder(path)
        connection = await connect_alone(path, check, cache_kib=WRITER_CACHE_KIB)
        try:
            migrate(connection)
            give_declared_fields(connection, map(TableMapping, entity_types), documents)
            refold(connection, map(TableMapping, entity_types), documents)
            for pragma in _PRAGMAS:
                connection.execute(pragma)
            connection.execute("BEGIN IMMEDIATE")
            _check_empty(connection, _EMPTY, _NO_CALENDARS)
            yield SqliteImport(connection, entity_types, documents, path)
        finally:
            with suppress(apsw.Error):  # it rolls back what nobody has seen
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                connection.close()


def _check_other(connection: apsw.Connection, source_logs: Set[str]) -> None:
    if not source_logs.isdisjoint(name for (name,) in fetch(connection, LOG_NAMES)):
        raise SameLog


def _check_empty(connection: apsw.Connection, *questions: str) -> None:
    if not all(fetch(connection, sql)[0][0] for sql in questions):
        raise NotEmpty


class SqliteImport(Import):
    """Writes everything in the open transaction of a connection, and the indexes last."""

    def __init__(
        self,
        connection: apsw.Connection,
        entity_types: Sequence[EntityType[Any]],
        documents: Serializer,
        path: Path,
    ) -> None:
        self._connection = connection
        self._path, self._files = path, OpenFiles.of(path)
        self._entity_types = entity_types
        self._documents = documents
        self._rows = {entity_type.name: TableMapping(entity_type) for entity_type in entity_types}
        self._indexes: list[tuple[str, str]] = fetch(connection, _INDEXES)
        self._newest = 0
        for name, _ in self._indexes:
            connection.execute(f"DROP INDEX {name}")

    @property
    def taken(self) -> SqliteExport:
        return SqliteExport(self._connection, open_log(self._connection, self._entity_types), self._entity_types)

    async def write(self, part: Part) -> None:
        await in_thread(self._connection, lambda: self._write(part))

    async def arrange(self) -> None:
        for entity_type in self._entity_types:
            await in_thread(self._connection, lambda rows=self._rows[entity_type.name]: rows.index(self._connection))  # type: ignore[misc]
        for _, sql in self._indexes:
            await in_thread(self._connection, lambda sql=sql: self._connection.execute(sql))  # type: ignore[misc]

    async def commit(self) -> None:
        with explaining(self._path):  # in this thread, because an interrupted commit would have an unknown outcome
            self._files.check()
            self._connection.execute("COMMIT")

    def _write(self, part: Part) -> None:
        match part:
            case Metadata():
                self._take_facts(part)
            case Entities(entity_type=entity_type, records=records):
                entities = ((each, self._documents.read(entity_type, each.document)) for each in records)
                self._rows[entity_type.name].insert(self._connection, entities)
            case Changes():
                self._append(part)
            case FormerCursors(numbers=numbers):
                self._connection.executemany("INSERT INTO former_cursors VALUES (?, ?)", numbers.items())
            case StoredOutcomes(outcomes=outcomes):
                self._connection.executemany(
                    _OUTCOME,
                    (
                        (each.caller, each.name, each.fingerprint, each.outcome, microseconds(each.expires_at))
                        for each in outcomes
                    ),
                )
            case Positions(numbers=numbers):
                self._connection.executemany("INSERT INTO positions (webhook, number) VALUES (?, ?)", numbers.items())
            case AllDeliveries(deliveries=deliveries):
                self._connection.executemany(INSERT, map(row_of, deliveries))
            case Keys(keys=keys):
                self._connection.executemany(PUT_KEY, map(key_row, keys))
            case Credentials(credentials=credentials):
                self._connection.executemany(PUT_CREDENTIAL, map(credential_row, credentials))
            case AllCalendars(calendars=calendars):
                self._connection.executemany(PUT_CALENDAR, map(calendar_row, calendars))

    def _take_facts(self, facts: Metadata) -> None:
        self._newest = facts.forgotten
        values = (facts.secret, facts.forgotten, facts.forgotten)
        self._connection.execute("UPDATE log SET (secret, newest, forgotten) = (?, ?, ?)", values)
        self._connection.executemany("INSERT INTO former_logs (name, newest) VALUES (?, ?)", facts.logs.items())
        self._connection.executemany("INSERT INTO collections VALUES (?, ?, 0)", facts.last_ids.items())

    def _append(self, changes: Changes) -> None:
        numbered = list(enumerate(changes.changes, self._newest + 1))
        APPENDING.insert(self._connection, [row(*each) for each in numbered])
        self._newest += len(numbered)
        self._connection.execute("UPDATE log SET newest = ?", (self._newest,))
        revisions = {change.entity_type.name: number for number, change in numbered}
        self._connection.executemany(
            "UPDATE collections SET revision = ? WHERE kind = ?",
            ((number, entity_type) for entity_type, number in revisions.items()),
        )
