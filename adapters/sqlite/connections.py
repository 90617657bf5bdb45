"""Opening the file, and saying in the domain's words what goes wrong with it."""

import time
from collections.abc import Callable, Iterable, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from threading import Lock
from typing import Any

import apsw

from adapters.sqlite.table_mapping import SqlValue, TableMapping
from domain.errors import StorageFull, Unavailable

BUSY_TIMEOUT_MS = 5_000
ASK_AGAIN_S = 0.005
CACHE_KIB = 4_096
WRITER_CACHE_KIB = 10_240
"""More, because new entities go to any place in an index, and each page that is not at hand is read first."""
APPLICATION_ID = 0x6261636B  # "back", which the first migration writes

_PRAGMAS = (
    "PRAGMA synchronous=FULL",  # NORMAL loses acknowledged writes in a power cut
    "PRAGMA wal_autocheckpoint=16000",  # in pages of 4 KiB; a page that changes again meanwhile is copied back once
    "PRAGMA temp_store=MEMORY",
    "PRAGMA trusted_schema=OFF",
)


# The disk failed under SQLite, after which nothing that it says of the file can be relied on.
_BROKEN = (apsw.IOError, apsw.CorruptError, apsw.NotADBError)
_PASSING = (apsw.BusyError, apsw.LockedError, apsw.CantOpenError, apsw.ReadOnlyError, apsw.InterruptError)


class SchemaTooNew(Exception):
    """The file was written by a newer version of this program."""


class SchemaTooOld(Exception):
    """The file was written by an older version of this program, and may not be changed now."""


class NotAStore(Exception):
    """The file is there, but this program did not make it."""


def connect(path: Path, *, read_only: bool = False, cache_kib: int = CACHE_KIB) -> apsw.Connection:
    """Open the file; a reader cannot write, whatever it is asked. Raises `NotAStore`."""
    connection = apsw.Connection(str(path.absolute()))  # SQLite takes some relative names for no file at all
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    # Plans depend on statements alone, or every value bound to a LIMIT would have its statement prepared anew.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    try:
        _check_ours(connection)
    except apsw.NotADBError as error:
        raise NotAStore(f"{path} is not a SQLite database") from error
    if not read_only:
        _use_write_ahead_log(connection)
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    connection.execute(f"PRAGMA cache_size=-{cache_kib}")
    if read_only:
        connection.execute("PRAGMA query_only=ON")
        # Or closing it, if nobody else has the file open, would write what is still in the write-ahead log.
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    return connection


def _check_ours(connection: apsw.Connection) -> None:
    """Look before anything is written: only an empty file, or one that this program made, may be changed."""
    made_by, tables = fetch(
        connection, "SELECT (SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM sqlite_schema)"
    )[0]
    if tables and made_by != APPLICATION_ID:
        raise NotAStore(f"{connection.filename} is the database of another program")


def _use_write_ahead_log(connection: apsw.Connection) -> None:
    """Switch to WAL; SQLite does not wait for another process that is just doing so, hence this asks again."""
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
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
    """Bring the schema up to date, each step in its own transaction. Any number of processes may do so at once.

    Raises `SchemaTooNew`.
    """
    steps = _steps()
    while _schema(connection) < len(steps):
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = _schema(connection)  # another process may have been first
            if version < len(steps):
                connection.execute(steps[version].read_text())
                connection.execute(f"PRAGMA user_version={version + 1}")
        except BaseException:
            if connection.in_transaction:  # a full disk may have undone it already
                connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
    _check_not_newer(connection)


def check_schema(connection: apsw.Connection) -> None:
    """Check, without changing anything, that the schema is up to date.

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
    """Check that every kind of entity has its tables, with all their columns. Raises `NotAStore`."""
    for each in rows:
        try:
            connection.execute(each.needs)
        except apsw.SQLError as error:
            raise NotAStore(
                f"{connection.filename} lacks what {each.table} need, until a migration makes it: {error}"
            ) from None


def is_migrated(connection: apsw.Connection) -> bool:
    """Tell whether there is a schema, of whatever version."""
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


class Translating:
    """Raises the domain's errors for SQLite's; a class, because it guards every read, and this costs the least.

    From the first failure of the disk on it lets nothing pass: that is told once, and then everything is refused.
    """

    def __init__(self, on_untrustworthy: Callable[[str], None]) -> None:
        self._on_untrustworthy = on_untrustworthy
        self._telling = Lock()
        self._failed = False

    def __enter__(self) -> None:
        if self._failed:
            raise Unavailable

    def __exit__(self, entity_type: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if entity_type is None or not issubclass(entity_type, apsw.Error):
            return
        if issubclass(entity_type, apsw.FullError):
            raise StorageFull from error
        if issubclass(entity_type, _BROKEN):
            self._distrust(str(error))
            raise Unavailable from error
        if issubclass(entity_type, _PASSING):
            raise Unavailable from error

    def _distrust(self, reason: str) -> None:
        with self._telling:
            first, self._failed = not self._failed, True
        if first:
            self._on_untrustworthy(reason)
