"""Deliveries to webhooks: the progress of each webhook, the lease on it, and the attempts."""

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any

import orjson
from attrs import define

from adapters.postgres.connections import Connection
from adapters.postgres.log import NEWEST, Log
from adapters.postgres.table_mapping import json
from domain.changes import Cursor
from domain.deliveries import MAX_CLOCK_SKEW, Attempt, Deliveries, Delivery, DeliveryStatus, Lease, Progress

COLUMNS = "id, webhook, message_id, type, after, requested, at, status, attempts, next_attempt_at"
SELECT = f"SELECT {COLUMNS} FROM deliveries"

_CLAIM = """
UPDATE positions SET (owner, until) = ($2, $4) WHERE webhook = $1 AND (owner = $2 OR until <= $3 OR until > $5)
"""
_RELEASE = "UPDATE positions SET (owner, until) = ('', '-infinity') WHERE webhook = $1 AND owner = $2"

QUEUE = "ON CONFLICT (id) DO UPDATE SET next_attempt_at = excluded.next_attempt_at WHERE deliveries.status = 'pending'"
PUT = """
ON CONFLICT (id) DO UPDATE SET (status, attempts, next_attempt_at) =
  (excluded.status, excluded.attempts, excluded.next_attempt_at)
"""

_RECORD = f"""
WITH held AS MATERIALIZED (SELECT webhook FROM positions WHERE webhook = $1 AND owner = $2 FOR UPDATE),
moved AS (
  UPDATE positions SET number = $3 WHERE webhook = (SELECT webhook FROM held) AND number < $3
),
put AS (
  INSERT INTO deliveries ({COLUMNS}) SELECT {COLUMNS} FROM jsonb_populate_recordset(NULL::deliveries, $4)
  WHERE EXISTS (SELECT FROM held) {PUT}
)
SELECT EXISTS (SELECT FROM held)
"""

_PENDING = (
    f"positions.webhook, positions.number, {', '.join(f'deliveries.{name}' for name in COLUMNS.split(', '))}"
    " FROM positions LEFT JOIN deliveries ON deliveries.webhook = positions.webhook AND status = 'pending'"
)
_BEHIND = f"""
WHERE positions.webhook IN (
  SELECT webhook FROM deliveries WHERE status = 'pending'
  UNION SELECT webhook FROM positions JOIN webhooks ON id = webhook
  WHERE enabled AND number < {NEWEST}
)
"""


@define(eq=False)
class PostgresDeliveries(Deliveries):
    """Keeps deliveries; it shares the connections, the log and the clock of the store."""

    use: Callable[[], AbstractAsyncContextManager[Connection]]
    log: Log
    clock: Callable[[], datetime]

    async def positions(self, webhooks: Collection[int]) -> Mapping[int, Cursor]:
        sql = "SELECT webhook, number FROM positions WHERE webhook = ANY($1)"
        async with self.use() as connection:
            found = await connection.fetch(sql, list(webhooks))
        return {webhook: self.log.cursor_codec.cursor(number) for webhook, number in found}

    async def progress(self, webhook: int) -> Progress | None:
        return (await self._progress("WHERE positions.webhook = $1", webhook)).get(webhook)

    async def backlogs(self) -> Mapping[int, Progress]:
        return await self._progress(_BEHIND)

    async def needed(self) -> Cursor | None:
        sql = "SELECT min(number) FROM positions JOIN webhooks ON id = webhook WHERE enabled"
        async with self.use() as connection:
            number = await connection.fetchval(sql)
        return None if number is None else self.log.cursor_codec.cursor(number)

    async def claim(self, webhook: int, owner: str, lease: timedelta) -> bool:
        at = self.clock()
        async with self.use() as connection:
            until, credible = at + lease, at + lease + MAX_CLOCK_SKEW
            return await connection.execute(_CLAIM, webhook, owner, at, until, credible) == "UPDATE 1"

    async def release(self, webhook: int, owner: str) -> None:
        async with self.use() as connection:
            await connection.execute(_RELEASE, webhook, owner)

    async def record(
        self, webhook: int, owner: str, *, delivery: Delivery | None = None, position: Cursor | None = None
    ) -> bool:
        async with self.use() as connection:
            number = 0 if position is None else await self.log.number(connection, position)
            rows = [] if delivery is None else [row_of(delivery)]
            return bool(await connection.fetchval(_RECORD, webhook, owner, number, json(rows)))

    async def delivery(self, webhook: int, id: str) -> Delivery | None:
        found = await self._select("WHERE webhook = $1 AND id = $2", webhook, id)
        return found[0] if found else None

    async def history(self, webhook: int, *, before: str | None = None, limit: int = 100) -> tuple[Delivery, ...]:
        if before is None:
            return await self._select("WHERE webhook = $1 ORDER BY number DESC LIMIT $2", webhook, limit)
        older = "number < (SELECT number FROM deliveries WHERE webhook = $1 AND id = $3)"
        return await self._select(
            f"WHERE webhook = $1 AND {older} ORDER BY number DESC LIMIT $2", webhook, limit, before
        )

    async def _progress(self, condition: str, *values: Any) -> Mapping[int, Progress]:
        sql = f"SELECT {_PENDING} {condition} ORDER BY positions.webhook, deliveries.number"
        async with self.use() as connection:
            found = await connection.fetch(sql, *values)
        reached: dict[int, Progress] = {}
        for owner, number, *row in found:
            position = self.log.cursor_codec.cursor(number)
            before = reached.get(owner, Progress(position=position))
            new = () if row[0] is None else (delivery_of(dict(zip(COLUMNS.split(", "), row, strict=True))),)
            reached[owner] = Progress(position=position, pending=(*before.pending, *new))
        return reached

    async def _select(self, rest: str, *values: Any) -> tuple[Delivery, ...]:
        async with self.use() as connection:
            return tuple(delivery_of(row) for row in await connection.fetch(f"{SELECT} {rest}", *values))


async def is_held(connection: Connection, lease: Lease) -> bool:
    """Return whether the owner of a lease still holds it."""
    sql = "SELECT EXISTS (SELECT FROM positions WHERE webhook = $1 AND owner = $2)"
    return bool(await connection.fetchval(sql, lease.webhook, lease.owner))


async def purge(connection: Connection, begun_before: datetime, limit: int) -> bool:
    """Purge some old deliveries; return whether there may be more."""
    old = "SELECT number FROM deliveries WHERE status <> 'pending' AND at < $1 LIMIT $2"
    done = await connection.execute(f"DELETE FROM deliveries WHERE number IN ({old})", begun_before, limit)
    return done == f"DELETE {limit}"


def row_of(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery as a row."""
    attempts = [(each.at, each.status, each.error, each.duration_ms) for each in delivery.attempts]
    return {
        "id": delivery.id,
        "webhook": delivery.webhook,
        "message_id": delivery.message_id,
        "type": delivery.type,
        "after": delivery.after,
        "requested": delivery.requested,
        "at": delivery.at,
        "status": delivery.status.value,
        "attempts": orjson.dumps(attempts).decode(),
        "next_attempt_at": delivery.next_attempt_at,
    }


def delivery_of(row: Mapping[str, Any]) -> Delivery:
    """Return the delivery of a row."""
    attempts = (
        Attempt(at=datetime.fromisoformat(at), status=status, error=error, duration_ms=duration)
        for at, status, error, duration in orjson.loads(row["attempts"])
    )
    return Delivery(**{**row, "status": DeliveryStatus(row["status"]), "attempts": tuple(attempts)})
