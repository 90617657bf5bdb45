"""The store in a PostgreSQL database, for any number of processes on any number of hosts."""

import asyncio
from collections.abc import Callable, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from adapters.postgres.access_keys import PostgresAccessKeys
from adapters.postgres.calendars import PostgresCalendars
from adapters.postgres.checking import check_tables, look_at_durability
from adapters.postgres.committer import LARGE_AT_ONCE, GroupCommitter
from adapters.postgres.connections import Connection, Connections
from adapters.postgres.declared_fields import give_declared_fields
from adapters.postgres.deliveries import PostgresDeliveries
from adapters.postgres.errors import Conflict, conflicting
from adapters.postgres.folding import refold
from adapters.postgres.log import Log
from adapters.postgres.measuring import measure
from adapters.postgres.migrating import cursor_codec_of_log, migrate, share
from adapters.postgres.notifier import ChangeNotifier
from adapters.postgres.pages import read_page
from adapters.postgres.point_reads import PointReads
from adapters.postgres.retention import believe, purge
from adapters.postgres.table_mapping import TableMapping
from adapters.postgres.transaction import Response, Transaction
from adapters.postgres.write_statement import TAKEN
from domain.changes import Cursor, Entry
from domain.cursor_codec import CursorCodec
from domain.decisions import CommandBatch, Done, Outcome, Replay
from domain.entity_type import MAX_ID, EntityType
from domain.errors import CursorExpired, Unavailable
from domain.measurements import ConnectionUse, GroupObserver, Measurements, WaitObserver, unnoticed, unobserved
from domain.ports import LogPage, Store
from domain.queries import Page, Query
from domain.stored_entity import Serializer, StoredEntity

CHANNEL = "backroom"

REPLACED = (
    "the database is another one than when the service started: what was answered is in that one; see which of them is"
    " right, and start again"
)

TOGETHER: tuple[str | None, ...] = (None, "100ms")
ALONE: tuple[str | None, ...] = (None, "2s", "2s", "2s", "2s")
"""Lock timeouts of the attempts for a group and for a single batch; None is an attempt without locks."""

# Without these limits, a process whose host dies in a transaction would block all writers of the log.
_LIMITS = "SET LOCAL lock_timeout = '{}'; SET LOCAL idle_in_transaction_session_timeout = '5s'"


class PostgresStore(Store):
    """Concurrent reads of single entities share one statement, and so do waiting command batches.

    A batch is decided on a plain read, and written on the condition that the state is still the same. If it is not, the
    batch is decided again with its entities locked. So even writes to a popular entity get their turn.
    """

    def __init__(
        self,
        dsn: str,
        *,
        entity_types: Sequence[EntityType[Any]],
        documents: Serializer,
        clock: Callable[[], datetime],
        on_untrustworthy: Callable[[str], None],
        on_group: GroupObserver = unobserved,
        on_wait: WaitObserver = unnoticed,
    ) -> None:
        """Prepare a store; `open` connects it."""
        self._on_untrustworthy = on_untrustworthy
        self._rows = {entity_type.name: TableMapping(entity_type) for entity_type in entity_types}
        self._documents = documents
        self._clock = clock
        self._log = Log(entity_types)
        self._taken = TAKEN.union(*(rows.taken for rows in self._rows.values()))
        self._connections = Connections(dsn, each=self._recognise, on_wait=on_wait)
        self._point_reads = PointReads(self._connections.use, clock, self._rows)
        self._committer = GroupCommitter(together=self._together, alone=self._alone, on_group=on_group, on_wait=on_wait)
        self._notifier = ChangeNotifier(look=self._look, tell=self._tell, listen=self._listen)
        self._access_keys = PostgresAccessKeys(self._connections.use, clock, self._point_reads.grant)
        self._calendars = PostgresCalendars(self._connections.use, clock)
        self._deliveries = PostgresDeliveries(self._connections.use, self._log, clock)
        self._thread = ThreadPoolExecutor(1, "backroom-batch")  # several would share the interpreter with the loop
        self._large_write = asyncio.Lock()
        self._secret = b""
        self._closing = False

    @classmethod
    async def open(
        cls,
        dsn: str,
        *,
        entity_types: Sequence[EntityType[Any]],
        documents: Serializer,
        clock: Callable[[], datetime],
        on_untrustworthy: Callable[[str], None],
        on_group: GroupObserver = unobserved,
        on_wait: WaitObserver = unnoticed,
    ) -> "PostgresStore":
        """Connect and migrate the schema. `on_untrustworthy` is called if a connection reaches another database.

        Raises `BadAddress`, `SchemaTooNew`, `Unsuitable` and `Unavailable`.
        """
        store = cls(
            dsn,
            entity_types=entity_types,
            documents=documents,
            clock=clock,
            on_untrustworthy=on_untrustworthy,
            on_group=on_group,
            on_wait=on_wait,
        )

        async def prepare(connection: Connection) -> None:
            await migrate(connection)
            await check_tables(connection, store._rows.values())
            await give_declared_fields(connection, store._rows.values(), documents)
            await look_at_durability(connection)
            await refold(connection, store._rows.values(), documents)

        await store._connections.open(first=prepare, channel=CHANNEL)
        async with store._connections.use():  # its first connection reads the identity
            pass
        return store

    @property
    def deliveries(self) -> PostgresDeliveries:
        return self._deliveries

    @property
    def access_keys(self) -> PostgresAccessKeys:
        return self._access_keys

    @property
    def calendars(self) -> PostgresCalendars:
        return self._calendars

    @property
    def large_at_once(self) -> int:
        return LARGE_AT_ONCE

    async def get(self, entity_type: EntityType[Any], id: int) -> StoredEntity | None:
        self._connections.check_open()
        return await self._point_reads.entity(entity_type.name, id) if id <= MAX_ID else None

    async def page(self, query: Query[Any]) -> Page:
        may_take_long = query.where or query.search or query.total
        async with self._connections.use_for_long() if may_take_long else self._connections.use() as connection:
            return await read_page(
                connection, self._rows[query.entity_type.name], query, self._log.cursor_codec, self._documents
            )

    async def submit(self, batch: CommandBatch) -> Outcome | Replay:
        if self._closing:
            raise Unavailable
        return await self._committer.submit(batch)

    async def read(self, after: Cursor | None, *, types: Set[str] = frozenset(), limit: int = 1000) -> LogPage:
        async with self._connections.use() as connection:
            return await self._log.read(connection, after, types, limit)

    async def head(self, *, before: int = 0) -> Cursor:
        async with self._connections.use() as connection:
            return self._log.cursor_codec.cursor(await self._log.head(connection, before))

    async def oldest(self) -> Cursor:
        async with self._connections.use() as connection:
            return self._log.cursor_codec.cursor(await self._log.forgotten(connection))

    async def history(
        self, entity_type: EntityType[Any], id: int, *, after: int = 0, limit: int = 1000
    ) -> tuple[Entry, ...]:
        if id > MAX_ID:
            return ()
        async with self._connections.use() as connection:
            return await self._log.history(connection, entity_type.name, id, after, limit)

    async def wait_for_changes(self, seen: Cursor) -> None:
        self._connections.check_open()
        with suppress(CursorExpired):
            await self._notifier.beyond(self._log.cursor_codec.number(seen))
        self._connections.check_open()

    async def believe(self, now: datetime, *, elapsed: timedelta) -> datetime:
        async with self._connections.use() as connection:
            return await believe(connection, now, elapsed)

    async def purge(self, at: datetime, *, changes_before: datetime, keep: Cursor | None = None) -> bool:
        async with self._connections.use() as connection:
            number = None if keep is None else await self._log.number(connection, keep)
            return await purge(connection, at, changes_before=changes_before, keep=number)

    async def ping(self) -> None:
        async with self._connections.use() as connection, connection.transaction(isolation="read_committed"):
            await connection.execute("UPDATE secrets SET secret = secret")

    async def measure(self) -> Measurements:
        async with self._connections.use() as connection:
            return await measure(connection)

    @property
    def connections(self) -> ConnectionUse:
        return self._connections.in_use

    async def secret(self) -> bytes:
        self._connections.check_open()
        return self._secret

    async def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        await self._committer.finish()
        self._connections.refuse()
        await self._notifier.close()
        await self._connections.close()
        self._thread.shutdown(wait=False)

    async def _together(self, batches: Sequence[CommandBatch]) -> list[Response] | None:
        for lock_timeout in TOGETHER:
            with suppress(Conflict):
                return await self._attempt(batches, lock_timeout)
        return None

    async def _alone(self, batch: CommandBatch) -> Response:
        for lock_timeout in ALONE:
            with suppress(Conflict):
                (answer,) = await self._attempt([batch], lock_timeout)
                return answer
        raise Unavailable

    async def _attempt(self, batches: Sequence[CommandBatch], lock_timeout: str | None) -> list[Response]:
        """Carry out batches: a single dry run, or any number of others. Raises `Conflict`."""
        async with self._connections.use() as connection, AsyncExitStack() as stack:
            stack.enter_context(conflicting(self._taken))
            if lock_timeout is not None:
                await stack.enter_async_context(connection.transaction(isolation="read_committed"))
                await connection.execute(_LIMITS.format(lock_timeout))
            transaction = Transaction(
                connection=connection,
                log=self._log,
                rows=self._rows,
                documents=self._documents,
                at=self._clock(),
                locking=lock_timeout is not None,
                thread=self._thread,
                large_write=self._large_write,
            )
            answers = await transaction.carry_out(batches)
        if any(map(_changed, answers)):
            self._notifier.notify()
        return answers

    async def _recognise(self, connection: Connection) -> None:
        """Read the name of the log, and check that the store was opened on it."""
        found = await self._identity(connection)
        if self._secret and found != (self._log.cursor_codec, self._secret):
            self._on_untrustworthy(REPLACED)
            raise Unavailable
        if found is not None:
            self._log.cursor_codec, self._secret = found

    async def _identity(self, connection: Connection) -> tuple[CursorCodec, bytes] | None:
        """Return the names of the log and the secret of the store, or None if there is no store."""
        try:
            if not self._connections.is_pooled:
                await share(connection)  # before it is read, because what moves into the store looks for others
            return await cursor_codec_of_log(connection), await connection.fetchval("SELECT secret FROM secrets")
        except asyncpg.UndefinedTableError:
            return None

    async def _look(self) -> int:
        async with self._connections.use() as connection:
            return await self._log.newest(connection)

    async def _tell(self) -> None:
        await self._connections.tell(CHANNEL)

    async def _listen(self, hear: Callable[[], None]) -> None:
        await self._connections.listen(CHANNEL, hear)


def _changed(answer: Response) -> bool:
    return isinstance(answer, Outcome) and any(
        isinstance(each, Done) and each.action is not None for each in answer.results
    )
