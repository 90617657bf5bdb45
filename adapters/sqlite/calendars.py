"""Calendars."""

from datetime import datetime
from typing import Any

import apsw
from attrs import define

from adapters.sqlite.connections import Read, Write, fetch
from adapters.sqlite.table_mapping import SqlValue, microseconds, moment
from domain.access.access_key import Actor
from domain.calendar import Calendar, CalendarDecision, CalendarForm, Calendars

_COLUMNS = "id, name, filter, form, created_at, actor_key, actor_name, hash"
CALENDARS = f"SELECT {_COLUMNS} FROM calendars ORDER BY id"
PUT_CALENDAR = f"REPLACE INTO calendars ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"

_FIND = f"SELECT {_COLUMNS} FROM calendars WHERE hash = ?"


@define(eq=False)
class SqliteCalendars(Calendars):
    """Reads on the event loop's own connection, and writes through the store's one writer."""

    read: Read
    write: Write

    async def find(self, hash: bytes) -> Calendar | None:
        rows = await self.read(lambda connection: fetch(connection, _FIND, (hash,)))
        return calendar_of(rows[0]) if rows else None

    async def calendars(self) -> tuple[Calendar, ...]:
        calendars: tuple[Calendar, ...] = await self.read(_calendars)
        return tuple(each for each in calendars if each.hash is not None)

    async def change(self, decision: CalendarDecision, *, dry_run: bool = False) -> Calendar:
        def change(connection: apsw.Connection, at: datetime) -> Calendar:
            after = decision(_calendars(connection), at)
            if not dry_run:
                connection.executemany("DELETE FROM calendars WHERE id = ?", [(id,) for id in after.dropped])
                connection.execute(PUT_CALENDAR, calendar_row(after.calendar))
            return after.calendar

        calendar: Calendar = await self.write(change)
        return calendar


def calendar_of(row: tuple[Any, ...]) -> Calendar:
    """Return the calendar of a row."""
    id, name, filter, form, created_at, actor_key, actor_name, hash = row
    return Calendar(
        id=id,
        name=name,
        filter=filter,
        form=CalendarForm(form),
        created_at=moment(created_at),
        actor=None if actor_key is None else Actor(actor_key, actor_name),
        hash=hash,
    )


def calendar_row(calendar: Calendar) -> tuple[SqlValue, ...]:
    """Return a calendar as a row."""
    actor = (None, None) if calendar.actor is None else (calendar.actor.key, calendar.actor.name)
    told = (calendar.id, calendar.name, calendar.filter, calendar.form.value, microseconds(calendar.created_at))
    return (*told, *actor, calendar.hash)


def _calendars(connection: apsw.Connection) -> tuple[Calendar, ...]:
    return tuple(map(calendar_of, fetch(connection, CALENDARS)))
