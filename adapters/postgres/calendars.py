"""Calendars."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any

from attrs import define

from adapters.postgres.connections import Connection
from domain.access.access_key import Actor
from domain.calendar import Calendar, CalendarDecision, CalendarForm, Calendars

CALENDAR = ("id", "name", "filter", "form", "created_at", "actor_key", "actor_name", "hash")
CALENDARS = f"SELECT {', '.join(CALENDAR)} FROM calendars ORDER BY id"

_FIND = f"SELECT {', '.join(CALENDAR)} FROM calendars WHERE hash = $1"

# Changes wait for one another; reads do not wait.
_TAKE_TURNS = "LOCK TABLE calendars IN SHARE ROW EXCLUSIVE MODE"

_PUT = f"""
INSERT INTO calendars ({", ".join(CALENDAR)}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (id) DO UPDATE SET hash = excluded.hash
"""


@define(eq=False)
class PostgresCalendars(Calendars):
    """Changes take a lock on the table."""

    use: Callable[[], AbstractAsyncContextManager[Connection]]
    clock: Callable[[], datetime]

    async def find(self, hash: bytes) -> Calendar | None:
        async with self.use() as connection:
            row = await connection.fetchrow(_FIND, hash)
        return None if row is None else calendar_of(row)

    async def calendars(self) -> tuple[Calendar, ...]:
        async with self.use() as connection:
            return tuple(each for each in await _calendars(connection) if each.hash is not None)

    async def change(self, decision: CalendarDecision, *, dry_run: bool = False) -> Calendar:
        async with self.use() as connection, connection.transaction(isolation="read_committed"):
            await connection.execute(_TAKE_TURNS)
            after = decision(await _calendars(connection), self.clock())
            if not dry_run:
                await connection.execute("DELETE FROM calendars WHERE id = ANY($1::bigint[])", list(after.dropped))
                await connection.execute(_PUT, *calendar_row(after.calendar))
            return after.calendar


def calendar_of(row: Mapping[str, Any]) -> Calendar:
    """Return the calendar of a row."""
    return Calendar(
        id=row["id"],
        name=row["name"],
        filter=row["filter"],
        form=CalendarForm(row["form"]),
        created_at=row["created_at"],
        actor=None if row["actor_key"] is None else Actor(row["actor_key"], row["actor_name"]),
        hash=row["hash"],
    )


def calendar_row(calendar: Calendar) -> tuple[Any, ...]:
    """Return a calendar as a row."""
    actor = (None, None) if calendar.actor is None else (calendar.actor.key, calendar.actor.name)
    told = (calendar.id, calendar.name, calendar.filter, calendar.form.value, calendar.created_at)
    return (*told, *actor, calendar.hash)


async def _calendars(connection: Connection) -> tuple[Calendar, ...]:
    return tuple(map(calendar_of, await connection.fetch(CALENDARS)))
