"""The store in one SQLite file, for any number of processes on one machine."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import apsw

from adapters.sqlite.access_keys import SqliteAccessKeys
from adapters.sqlite.calendars import SqliteCalendars
from adapters.sqlite.checkpoints import Checkpoints
from adapters.sqlite.committer import GroupCommitter, Work
from adapters.sqlite.connections import WRITER_CACHE_KIB, check_tables, connect, fetch, migrate
from adapters.sqlite.declared_fields import give_declared_fields
from adapters.sqlite.deliveries import SqliteDeliveries
from adapters.sqlite.errors import Translating, explaining
from adapters.sqlite.files import Misplaced, OpenFiles, check_rescued, has_room, make_folder, rescue
from adapters.sqlite.folding import refold
from adapters.sqlite.home import settle
from adapters.sqlite.log import open_log, rewrite
from adapters.sqlite.measuring import measure
from adapters.sqlite.pages import read_page
from adapters.sqlite.retention import believe, purge
from adapters.sqlite.snapshots import SharedSnapshot, snapshot
from adapters.sqlite.table_mapping import TableMapping
from domain.changes import Cursor, Entry
from domain.decisions import CommandBatch, Outcome, Replay
from domain.entity_type import EntityType
from domain.errors import CursorExpired, StorageFull, Unavailable
from domain.measurements import GroupObserver, Measurements, WaitObserver, unnoticed, unobserved
from domain.ports import LogPage, Store
from domain.queries import Page, Query
from domain.stored_entity import Serializer, StoredEntity

LOOK_AGAIN_S = 0.05
"""How often a watched file is checked for writes of other processes."""

MAX_READ_S = 10
BETWEEN_LOOKS = 100_000
"""How many SQLite instructions a read executes between two looks at the clock."""

QUICK_ROWS = 200
"""Up to so many entities are read faster than a thread could start."""

READER_THREADS = 2

T = TypeVar("T")


class SqliteStore(Store):
    """Does quick reads on the event loop's own connection, and reads that may take long in a thread.

    A point read takes microseconds; handing it to a thread would cost ten times that.
    """

    def __init__(
        self,
        path: Path,
        *,
        entity_types: Sequence[EntityType[Any]],
        documents: Serializer,
        clock: Callable[[], datetime],
        on_untrustworthy: Callable[[str], None],
        on_group: GroupObserver = unobserved,
        on_wait: WaitObserver = unnoticed,
    ) -> None:
        """Open or create the file. `on_untrustworthy` is called once, when the file is no longer reliable.

        Raises `SchemaTooNew`, `NotAStore`, `StorageFull` and `Unavailable`.
        """
        self._path = path = path.absolute()
        self._rows = {entity_type.name: TableMapping(entity_type) for entity_type in entity_types}
        self._closed = False
        self._changed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watchers = 0
        with explaining(path):
            make_folder(path)
            check_rescued(path)
            writing = connect(path, cache_kib=WRITER_CACHE_KIB)
            migrate(writing)
            check_tables(writing, self._rows.values())
            give_declared_fields(writing, self._rows.values(), documents)
            refold(writing, self._rows.values(), documents)
            settle(writing, path)
            beside = connect(path)
            self._reading = connect(path, read_only=True)
            self._secret: bytes = fetch(self._reading, "SELECT secret FROM log")[0][0]
            self._log = open_log(self._reading, entity_types)
            self._files = OpenFiles.of(path)
        self._guarded = Translating(
            path, on_untrustworthy, lambda: rescue(writing, path, self._files), lambda: writing.system_errno
        )
        self._shared = SharedSnapshot(self._reading)
        self._documents = documents
        self._threads = ThreadPoolExecutor(READER_THREADS, thread_name_prefix="backroom-reader")
        self._of_thread = threading.local()
        self._opened: list[apsw.Connection] = []
        self._writer = GroupCommitter(
            connection=writing,
            log=self._log,
            rows=self._rows,
            documents=documents,
            clock=clock,
            guarded=self._guarded,
            check_files=self._files.check,
            checkpoints=Checkpoints(writing, beside),
            on_commit=self._notify,
            on_group=on_group,
            on_wait=on_wait,
        )
        self._writer.start()
        self._access_keys = SqliteAccessKeys(self._shared.found, self._here, self._write, clock)
        self._calendars = SqliteCalendars(self._here, self._write)
        self._deliveries = SqliteDeliveries(self._here, self._write, self._log.cursor_codec)

    @property
    def deliveries(self) -> SqliteDeliveries:
        return self._deliveries

    @property
    def access_keys(self) -> SqliteAccessKeys:
        return self._access_keys

    @property
    def calendars(self) -> SqliteCalendars:
        return self._calendars

    @property
    def large_at_once(self) -> int:
        return 1

    async def get(self, entity_type: EntityType[Any], id: int) -> StoredEntity | None:
        self._check_open()
        with self._guarded:
            for version, document in self._shared.connection().execute(self._rows[entity_type.name].get, (id,)):
                return StoredEntity(id, version, document)
        return None

    async def page(self, query: Query[Any]) -> Page:
        rows, cursor_codec = self._rows[query.entity_type.name], self._log.cursor_codec
        quick = query.limit <= QUICK_ROWS and not (query.where or query.search or query.total or len(query.order) > 1)
        read = self._here if quick else self._in_thread
        return await read(lambda connection: read_page(connection, rows, query, cursor_codec, self._documents))

    async def submit(self, batch: CommandBatch) -> Outcome | Replay:
        answer: Outcome | Replay = await self._write(batch)
        return answer

    async def read(self, after: Cursor | None, *, types: Set[str] = frozenset(), limit: int = 1000) -> LogPage:
        return await self._here(lambda connection: self._log.read(connection, after, types, limit))

    async def head(self, *, before: int = 0) -> Cursor:
        return self._log.cursor_codec.cursor(await self._here(lambda connection: self._log.head(connection, before)))

    async def oldest(self) -> Cursor:
        return self._log.cursor_codec.cursor(await self._here(self._log.oldest))

    async def history(
        self, entity_type: EntityType[Any], id: int, *, after: int = 0, limit: int = 1000
    ) -> tuple[Entry, ...]:
        return await self._here(lambda connection: self._log.history(connection, entity_type.name, id, after, limit))

    async def wait_for_changes(self, seen: Cursor) -> None:
        try:
            number = await self._here(lambda connection: self._log.number(connection, seen))
        except CursorExpired:
            return
        self._loop = asyncio.get_running_loop()
        self._watchers += 1  # counted before the first look, so that every later write notifies
        try:
            while True:
                changed = self._changed
                if await self._here(self._log.head) != number:
                    return
                with suppress(TimeoutError):  # another process may have written, which does not notify this one
                    async with asyncio.timeout(LOOK_AGAIN_S):
                        await changed.wait()
        finally:
            self._watchers -= 1

    async def believe(self, now: datetime, *, elapsed: timedelta) -> datetime:
        believed: datetime = await self._write(lambda connection, _: believe(connection, now, elapsed))
        return believed

    async def purge(self, at: datetime, *, changes_before: datetime, keep: Cursor | None = None) -> bool:
        kept_from = None if keep is None else self._log.cursor_codec.number(keep)
        more: bool = await self._write(
            lambda connection, _: purge(connection, at, changes_before=changes_before, kept_from=kept_from)
        )
        return more

    async def ping(self) -> None:
        await self._write(lambda connection, _: rewrite(connection))
        if not has_room(self._path):
            raise StorageFull

    async def measure(self) -> Measurements:
        return await self._in_thread(lambda connection: measure(connection, self._path))

    @property
    def connections(self) -> None:
        return None

    async def secret(self) -> bytes:
        self._check_open()
        with self._guarded:
            return self._secret

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._changed.set()
        self._shared.end()
        await asyncio.to_thread(self._release)

    def _release(self) -> None:
        self._writer.close()
        self._threads.shutdown()
        for connection in (*self._opened, self._reading, self._writer.connection):
            with suppress(apsw.Error):  # the write-ahead log keeps what a last checkpoint cannot copy
                connection.close()

    async def _write(self, work: Work) -> Any:
        self._check_open()
        return await self._writer.write(work)

    async def _here(self, read: Callable[[apsw.Connection], T]) -> T:
        self._check_open()
        with self._guarded:
            return read(self._shared.connection())

    async def _in_thread(self, read: Callable[[apsw.Connection], T]) -> T:
        self._check_open()
        with self._guarded:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._read_in_thread, read)

    def _read_in_thread(self, read: Callable[[apsw.Connection], T]) -> T:
        connection: apsw.Connection | None = getattr(self._of_thread, "connection", None)
        if connection is None:
            connection = self._connected()
            self._of_thread.connection = connection
        deadline = time.monotonic() + MAX_READ_S
        connection.set_progress_handler(lambda: self._closed or time.monotonic() > deadline, BETWEEN_LOOKS)
        with snapshot(connection):
            return read(connection)

    def _connected(self) -> apsw.Connection:
        connection = connect(self._path, read_only=True)
        self._opened.append(connection)
        try:
            self._files.check()
        except Misplaced:  # the writer will log it
            raise Unavailable from None
        return connection

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable

    def _notify(self) -> None:
        """Wake those who wait for changes; the writer thread calls it after a commit."""
        if self._watchers and self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed, so nobody waits there
                self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
