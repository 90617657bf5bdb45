"""Deliveries to webhooks: the progress of each webhook, the lease on it, and the attempts."""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import apsw
from attrs import define

from adapters.sqlite.connections import Read, Write, fetch
from adapters.sqlite.table_mapping import SqlValue, microseconds, moment
from domain.changes import Cursor
from domain.cursor_codec import CursorCodec
from domain.deliveries import MAX_CLOCK_SKEW, Attempt, Deliveries, Delivery, DeliveryStatus, Lease, Progress
from domain.entity_type import Deleted

_CLAIM = """
UPDATE positions SET (owner, until) = (?, ?) WHERE webhook = ? AND (owner = ? OR until <= ? OR until > ?)
"""
_COLUMNS = "id, webhook, message_id, type, after, requested, at, status, attempts, next_attempt_at"
SELECT = f"SELECT {_COLUMNS} FROM deliveries"
INSERT = f"INSERT INTO deliveries ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_UPSERT = f"{INSERT} ON CONFLICT (id) DO UPDATE SET"
_ATTEMPTED = ", ".join(f"{name} = excluded.{name}" for name in ("status", "attempts", "next_attempt_at"))
_PUT = f"{_UPSERT} {_ATTEMPTED}"
_QUEUE = f"{_UPSERT} next_attempt_at = excluded.next_attempt_at WHERE status = 'pending'"
_PROGRESS = (
    f"SELECT positions.webhook, positions.number, {', '.join(f'deliveries.{name}' for name in _COLUMNS.split(', '))}"
    " FROM positions LEFT JOIN deliveries ON deliveries.webhook = positions.webhook AND status = 'pending'"
)
_IN_ORDER = "ORDER BY positions.webhook, deliveries.number"
_BEHIND = """
WHERE positions.webhook IN (
  SELECT webhook FROM deliveries WHERE status = 'pending'
  UNION SELECT webhook FROM positions JOIN webhooks ON id = webhook WHERE enabled AND number < (SELECT newest FROM log)
)
"""


@define(eq=False)
class SqliteDeliveries(Deliveries):
    """Reads on the store's connection, and writes through its one writer."""

    read: Read
    write: Write
    cursor_codec: CursorCodec

    async def positions(self, webhooks: Collection[int]) -> Mapping[int, Cursor]:
        sql = "SELECT webhook, number FROM positions WHERE webhook IN (SELECT value FROM json_each(?))"
        found = await self.read(lambda connection: fetch(connection, sql, (json.dumps(list(webhooks)),)))
        return {webhook: self.cursor_codec.cursor(number) for webhook, number in found}

    async def progress(self, webhook: int) -> Progress | None:
        return (await self._progress("WHERE positions.webhook = ?", webhook)).get(webhook)

    async def backlogs(self) -> Mapping[int, Progress]:
        return await self._progress(_BEHIND)

    async def needed(self) -> Cursor | None:
        sql = "SELECT min(number) FROM positions JOIN webhooks ON id = webhook WHERE enabled"
        ((number,),) = await self.read(lambda connection: fetch(connection, sql))
        return None if number is None else self.cursor_codec.cursor(number)

    async def claim(self, webhook: int, owner: str, lease: timedelta) -> bool:
        def claim(connection: apsw.Connection, at: datetime) -> bool:
            now, until, credible = map(microseconds, (at, at + lease, at + lease + MAX_CLOCK_SKEW))
            connection.execute(_CLAIM, (owner, until, webhook, owner, now, credible))
            return connection.changes() == 1

        claimed: bool = await self.write(claim)
        return claimed

    async def release(self, webhook: int, owner: str) -> None:
        sql = "UPDATE positions SET (owner, until) = ('', 0) WHERE webhook = ? AND owner = ?"
        await self.write(lambda connection, _: connection.execute(sql, (webhook, owner)))

    async def record(
        self, webhook: int, owner: str, *, delivery: Delivery | None = None, position: Cursor | None = None
    ) -> bool:
        number = 0 if position is None else self.cursor_codec.number(position)

        def record(connection: apsw.Connection, _: datetime) -> bool:
            sql = "UPDATE positions SET number = max(number, ?) WHERE webhook = ? AND owner = ?"
            connection.execute(sql, (number, webhook, owner))
            if connection.changes() == 0:
                return False
            if delivery is not None:
                put(connection, (delivery,))
            return True

        recorded: bool = await self.write(record)
        return recorded

    async def delivery(self, webhook: int, id: str) -> Delivery | None:
        found = await self._select("WHERE webhook = ? AND id = ?", webhook, id)
        return found[0] if found else None

    async def history(self, webhook: int, *, before: str | None = None, limit: int = 100) -> tuple[Delivery, ...]:
        if before is None:
            return await self._select("WHERE webhook = ? ORDER BY number DESC LIMIT ?", webhook, limit)
        older = "number < (SELECT number FROM deliveries WHERE webhook = ? AND id = ?)"
        rest = f"WHERE webhook = ? AND {older} ORDER BY number DESC LIMIT ?"
        return await self._select(rest, webhook, webhook, before, limit)

    async def _progress(self, condition: str, *values: SqlValue) -> Mapping[int, Progress]:
        found = await self.read(lambda connection: fetch(connection, f"{_PROGRESS} {condition} {_IN_ORDER}", values))
        reached: dict[int, Progress] = {}
        for owner, number, *row in found:
            position = self.cursor_codec.cursor(number)
            before = reached.get(owner, Progress(position=position))
            new = () if row[0] is None else (delivery_of(tuple(row)),)
            reached[owner] = Progress(position=position, pending=(*before.pending, *new))
        return reached

    async def _select(self, rest: str, *values: SqlValue) -> tuple[Delivery, ...]:
        found = await self.read(lambda connection: fetch(connection, f"{SELECT} {rest}", values))
        return tuple(delivery_of(row) for row in found)


def note(connection: apsw.Connection, webhook: int, after: Any, start: int) -> None:
    """Record that a webhook exists or was deleted; a new one starts after change `start`."""
    if isinstance(after, Deleted):
        connection.execute("DELETE FROM positions WHERE webhook = ?", (webhook,))
        connection.execute("DELETE FROM deliveries WHERE webhook = ?", (webhook,))
    else:
        connection.execute("INSERT OR IGNORE INTO positions (webhook, number) VALUES (?, ?)", (webhook, start))


def queue(connection: apsw.Connection, deliveries: Iterable[Delivery]) -> None:
    """Add new deliveries; a delivery that is already pending only gets its new time."""
    for each in deliveries:
        connection.execute(_QUEUE, row_of(each))


def is_held(connection: apsw.Connection, lease: Lease) -> bool:
    """Return whether the owner of a lease still holds it."""
    sql = "SELECT count(*) FROM positions WHERE webhook = ? AND owner = ?"
    return fetch(connection, sql, (lease.webhook, lease.owner)) == [(1,)]


def put(connection: apsw.Connection, deliveries: Iterable[Delivery]) -> None:
    """Replace deliveries by their ids."""
    for each in deliveries:
        connection.execute(_PUT, row_of(each))


def purge(connection: apsw.Connection, begun_before: datetime, limit: int) -> bool:
    """Purge some old deliveries; return whether there may be more."""
    old = "SELECT number FROM deliveries WHERE status <> 'pending' AND at < ? LIMIT ?"
    connection.execute(f"DELETE FROM deliveries WHERE number IN ({old})", (microseconds(begun_before), limit))
    return connection.changes() == limit


def row_of(delivery: Delivery) -> tuple[SqlValue, ...]:
    """Return a delivery as a row."""
    due = delivery.next_attempt_at
    attempts = [(microseconds(each.at), each.status, each.error, each.duration_ms) for each in delivery.attempts]
    return (
        delivery.id,
        delivery.webhook,
        delivery.message_id,
        delivery.type,
        delivery.after,
        delivery.requested,
        microseconds(delivery.at),
        delivery.status.value,
        json.dumps(attempts),
        None if due is None else microseconds(due),
    )


def delivery_of(row: tuple[Any, ...]) -> Delivery:
    """Return the delivery of a row."""
    id, webhook, message_id, type, after, requested, at, status, attempts, due = row
    return Delivery(
        id=id,
        webhook=webhook,
        message_id=message_id,
        type=type,
        after=after,
        requested=bool(requested),
        at=moment(at),
        status=DeliveryStatus(status),
        attempts=tuple(
            Attempt(at=moment(at), status=answered, error=error, duration_ms=duration)
            for at, answered, error, duration in json.loads(attempts)
        ),
        next_attempt_at=None if due is None else moment(due),
    )
