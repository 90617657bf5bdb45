"""Opening the file and migrating its schema."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import apsw

from adapters.sqlite.files import NotAStore, check_one_name
from adapters.sqlite.table_mapping import SqlValue, TableMapping
from domain.public_types import PUBLIC_TYPES
from domain.snapshot import InUse, SchemaTooOld

BUSY_TIMEOUT_MS = 5_000
ASK_AGAIN_S = 0.005
ALONE_WITHIN_S = 5
"""How long others may still have a file open, once somebody needs it alone."""

CACHE_KIB = 4_096
WRITER_CACHE_KIB = 10_240
"""The writer needs more: new entities go anywhere in an index, and a page that is not cached is read first."""
APPLICATION_ID = 0x6261636B  # "back"; the first migration writes it

SLOW = "%s has no index of %s by %s: lists in that order read the whole table"
_INDEXED = "SELECT first.name FROM pragma_index_list(?) AS list, pragma_index_info(list.name) AS first WHERE seqno = 0"

Read = Callable[[Callable[[apsw.Connection], Any]], Awaitable[Any]]
"""Reads on a connection of the store."""

Write = Callable[[Callable[[apsw.Connection, datetime], Any]], Awaitable[Any]]
"""Writes through the store's one writer, which tells the time."""

_log = logging.getLogger("backroom")

_PRAGMAS = (
    "PRAGMA synchronous=FULL",  # NORMAL loses acknowledged writes in a power cut
    "PRAGMA temp_store=MEMORY",
    "PRAGMA trusted_schema=OFF",
)


class SchemaTooNew(Exception):
    """The file was written by a newer version of this program."""


def connect(
    path: Path, *, read_only: bool = False, alone: bool = False, patient: bool = True, cache_kib: int = CACHE_KIB
) -> apsw.Connection:
    """Open the file; a read-only connection never creates or changes it. Raises `NotAStore`.

    With `alone`, no other connection can be open until this one is closed. A patient connection waits for others.
    """
    if not read_only:
        check_one_name(path)
    flags = apsw.SQLITE_OPEN_READWRITE | (0 if read_only else apsw.SQLITE_OPEN_CREATE)
    connection = apsw.Connection(str(path.absolute()), flags)  # SQLite reads some relative names as no file at all
    try:
        if patient:
            wait_for_others(connection)
        if alone:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")  # before the file is first read, or WAL allows others
        # Without this, SQLite prepares a statement again for every value bound to its LIMIT.
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
        _check_ours(connection)
        if not read_only:
            _use_write_ahead_log(connection, BUSY_TIMEOUT_MS / 1000 if patient else 0)
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        connection.execute(f"PRAGMA cache_size=-{cache_kib}")
        if read_only:
            connection.execute("PRAGMA query_only=ON")
            # Otherwise closing the last connection would write the rest of the write-ahead log into the file.
            connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    except BaseException as error:
        connection.close()  # at once, because its locks would keep others waiting
        if isinstance(error, apsw.NotADBError):
            raise NotAStore(f"{path} is not a SQLite database") from error
        raise
    return connection


async def connect_alone(
    path: Path, check: Callable[[apsw.Connection], None], *, cache_kib: int = CACHE_KIB
) -> apsw.Connection:
    """Open the file, which may be missing, as the only one that has it open. First `check` looks at what is there.

    SQLite keeps a lock for everyone who has a file open, whatever path led there. Raises `InUse` if others have it open
    for `ALONE_WITHIN_S`, and what `check` raises.
    """
    deadline = time.monotonic() + ALONE_WITHIN_S
    while True:
        try:
            _look(path, check)
            return connect(path, alone=True, patient=False, cache_kib=cache_kib)
        except (apsw.BusyError, apsw.LockedError):
            if time.monotonic() > deadline:
                raise InUse(f"another process has {path} open: stop it first") from None
        # Nothing is open while this waits: two that wait would otherwise keep each other from being alone.
        await asyncio.sleep(ASK_AGAIN_S)


def _look(path: Path, check: Callable[[apsw.Connection], None]) -> None:
    """Check what is in a file, if there is one."""
    if not path.exists():
        return
    connection = existing(path, patient=False)
    try:
        check(connection)
    finally:
        close_reader(connection)


def wait_for_others(connection: apsw.Connection) -> None:
    """Let a connection wait while another process writes, for `BUSY_TIMEOUT_MS`.

    SQLite's own way to wait ends up asking ten times a second. It would miss the short moments between the writes of an
    import, again and again.
    """
    begun = 0.0

    def ask_again(asked: int) -> bool:
        nonlocal begun
        begun = begun if asked else time.monotonic()
        time.sleep(ASK_AGAIN_S)
        return time.monotonic() - begun < BUSY_TIMEOUT_MS / 1000

    connection.set_busy_handler(ask_again)


def existing(path: Path, *, patient: bool = True, cache_kib: int = CACHE_KIB) -> apsw.Connection:
    """Open a file for reading, if there is one. Raises `NotAStore`."""
    check_existing(path)
    return connect(path, read_only=True, patient=patient, cache_kib=cache_kib)


def check_existing(path: Path) -> None:
    """Raise `NotAStore` where there is no file. Connecting would create one."""
    if not path.exists():
        raise NotAStore(f"{path} does not exist")


def close_reader(connection: apsw.Connection) -> None:
    """Close a read-only connection. The last one removes the files beside the store's, if they hold nothing."""
    log = Path(f"{connection.filename}-wal")
    if log.exists() and log.stat().st_size == 0:
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
    connection.close()


def _check_ours(connection: apsw.Connection) -> None:
    """Check before the first write: only an empty file, or one that this program made, may be changed."""
    made_by, tables = fetch(
        connection, "SELECT (SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM sqlite_schema)"
    )[0]
    if tables and made_by != APPLICATION_ID:
        raise NotAStore(f"{connection.filename} is the database of another program")


def _use_write_ahead_log(connection: apsw.Connection, within: float) -> None:
    """Switch to WAL. It tries again, because SQLite does not wait for another process that is switching."""
    deadline = time.monotonic() + within
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except apsw.BusyError:
            if time.monotonic() > deadline:
                raise
            time.sleep(ASK_AGAIN_S)
        else:
            return


def migrate(connection: apsw.Connection) -> None:
    """Migrate the schema, each step in its own transaction. Any number of processes may do this at once.

    Raises `SchemaTooNew`.
    """
    steps = _steps()
    while _schema(connection) < len(steps):
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = _schema(connection)  # another process may have migrated first
            if version < len(steps):
                connection.execute(steps[version].read_text())
                connection.execute(f"PRAGMA user_version={version + 1}")
        except BaseException:
            if connection.in_transaction:  # a full disk may already have rolled it back
                connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
    _check_not_newer(connection)


def check_schema(connection: apsw.Connection) -> None:
    """Check that the schema is up to date; change nothing.

    Raises `NotAStore` where there is none, `SchemaTooOld` and `SchemaTooNew`.
    """
    _check_not_newer(connection)
    version, newest = _schema(connection), len(_steps())
    if version == 0:
        raise NotAStore(f"{connection.filename} holds no store")
    if version < newest:
        raise SchemaTooOld(
            f"{connection.filename} has schema {version}, and this version of backroom needs {newest}:"
            " let it serve the store once"
        )


def check_tables(connection: apsw.Connection, rows: Iterable[TableMapping]) -> None:
    """Check that every entity type has its tables with all columns. Raises `NotAStore`.

    A missing index only makes lists slow, so it is logged.
    """
    for each in rows:
        try:
            connection.execute(each.needs)
        except apsw.SQLError as error:
            raise NotAStore(
                f"{connection.filename} lacks what {each.table} need, until a migration makes it: {error}"
            ) from None
        if each.entity_type in PUBLIC_TYPES:  # internal types have few entities
            indexed = {column for (column,) in fetch(connection, _INDEXED, (each.table,))}
            for column in each.sorted_by:
                if column not in indexed:
                    _log.warning(SLOW, connection.filename, each.table, column)


def is_migrated(connection: apsw.Connection) -> bool:
    """Return whether there is a schema, of any version."""
    return _schema(connection) > 0


def _steps() -> list[Traversable]:
    folder = files(__package__) / "migrations"
    return sorted((each for each in folder.iterdir() if each.name.endswith(".sql")), key=lambda each: each.name)


def _check_not_newer(connection: apsw.Connection) -> None:
    version, newest = _schema(connection), len(_steps())
    if version > newest:
        known = f"this version of backroom knows schemas up to {newest}"
        raise SchemaTooNew(f"{connection.filename} has schema {version}; {known}")


def _schema(connection: apsw.Connection) -> int:
    version: int = fetch(connection, "PRAGMA user_version")[0][0]
    return version


def fetch(connection: apsw.Connection, sql: str, values: Sequence[SqlValue] = ()) -> list[tuple[Any, ...]]:
    """Return every row of a query."""
    return connection.execute(sql, values).fetchall()
