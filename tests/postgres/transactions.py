"""Transactions of which a test decides when they end."""

from typing import Any

import asyncpg
from attrs import define, field

from adapters.postgres.store import PostgresStore
from adapters.postgres.transaction import Transaction, new_ids
from tests.builders import NOON, SERIALIZER, submission


@define
class Open:
    """What another process does with a store, up to its commit."""

    store: PostgresStore
    connection: "asyncpg.Connection[asyncpg.Record]"
    _ended: bool = field(default=True, init=False)

    async def begin(self, sql: str = "SELECT pg_current_xact_id()") -> None:
        """Begin, with a statement of any kind, by default one that takes an id as whatever writes does."""
        await self.connection.execute(f"BEGIN; {sql}")
        self._ended = False

    async def carry_out(self, *commands: Any, locking: bool = False) -> None:
        """Decide and write commands, as the first thing if nothing has begun; from then on the log is locked."""
        if self._ended:
            await self.begin()
        submissions = [submission(*commands)]
        ids = await new_ids(self.connection, submissions, dry_run=False)
        transaction = Transaction(
            connection=self.connection,
            log=self.store._log,
            rows=self.store._rows,
            documents=SERIALIZER,
            at=NOON,
            locking=locking,
        )
        await transaction.carry_out(submissions, ids)

    async def commit(self) -> None:
        """Let others see it."""
        self._ended = True
        await self.connection.execute("COMMIT")

    async def rollback(self) -> None:
        """Undo it, unless it has ended."""
        if not self._ended:
            self._ended = True
            await self.connection.execute("ROLLBACK")


async def blocked(connection: "asyncpg.Connection[asyncpg.Record]", count: int) -> None:
    """Return when so many transactions wait for a lock in this database, also inside of a transaction."""
    sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    while await connection.fetchval(sql) < count:
        await connection.execute("SELECT pg_stat_clear_snapshot()")
