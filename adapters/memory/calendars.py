"""Calendars."""

from collections.abc import Callable
from datetime import datetime

from attrs import define, field

from domain.calendar import Calendar, CalendarDecision, Calendars


@define(eq=False)
class MemoryCalendars(Calendars):
    """Keeps everything in this process. No method awaits, so each is atomic on the event loop."""

    clock: Callable[[], datetime]
    check_open: Callable[[], None]

    _calendars: dict[int, Calendar] = field(factory=dict, init=False)

    async def find(self, hash: bytes) -> Calendar | None:
        self.check_open()
        return next((each for each in self._calendars.values() if each.hash == hash), None)

    async def calendars(self) -> tuple[Calendar, ...]:
        self.check_open()
        return tuple(each for each in self._calendars.values() if each.hash is not None)

    async def change(self, decision: CalendarDecision, *, dry_run: bool = False) -> Calendar:
        self.check_open()
        after = decision(tuple(self._calendars.values()), self.clock())
        if not dry_run:
            for id in after.dropped:
                del self._calendars[id]
            self._calendars[after.calendar.id] = after.calendar
        return after.calendar
