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

    async def begin(self) -> None:
        """Begin, and take an id, which is lower than that of whoever takes one from now on."""
        await self.connection.execute("BEGIN; SELECT pg_current_xact_id()")
        self._ended = False

    async def carry_out(self, *commands: Any, locking: bool = False) -> None:
        """Decide and write commands, as the first thing if nothing has begun."""
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
