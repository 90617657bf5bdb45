"""Transactions that end when a test says so."""

from typing import Any

import asyncpg
from attrs import define, field

from adapters.postgres.store import PostgresStore
from adapters.postgres.transaction import Transaction
from tests.builders import NOON, SERIALIZER, batch


@define
class Open:
    """The work of another process on a store, up to its commit."""

    store: PostgresStore
    connection: "asyncpg.Connection[asyncpg.Record]"
    _ended: bool = field(default=True, init=False)

    async def begin(self, sql: str = "SELECT pg_current_xact_id()") -> None:
        """Begin with a statement; by default one that takes a transaction id, as every write does."""
        await self.connection.execute(f"BEGIN; {sql}")
        self._ended = False

    async def carry_out(self, *commands: Any, locking: bool = False) -> None:
        """Decide and write commands, and begin first if needed; after that the log is locked."""
        if self._ended:
            await self.begin()
        transaction = Transaction(
            connection=self.connection,
            log=self.store._log,
            rows=self.store._rows,
            documents=SERIALIZER,
            at=NOON,
            locking=locking,
            thread=self.store._thread,
            large_write=self.store._large_write,
        )
        await transaction.carry_out([batch(*commands)])

    async def commit(self) -> None:
        """Commit."""
        self._ended = True
        await self.connection.execute("COMMIT")

    async def rollback(self) -> None:
        """Roll back, unless it has ended."""
        if not self._ended:
            self._ended = True
            await self.connection.execute("ROLLBACK")


async def blocked(connection: "asyncpg.Connection[asyncpg.Record]", count: int) -> None:
    """Return when so many transactions wait for a lock in this database; works inside a transaction."""
    sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    while await connection.fetchval(sql) < count:
        await connection.execute("SELECT pg_stat_clear_snapshot()")
