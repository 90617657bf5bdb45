"""Serialization of tasks as a calendar (RFC 5545), for programs that subscribe to it.

Import this when it is needed, because `icalendar` takes some fifty milliseconds.
"""

from datetime import date, datetime, timedelta
from typing import Any

from attrs import field, frozen
from icalendar import Calendar as Component
from icalendar import Event, Todo, vDDDTypes, vDuration, vInt, vText, vUri

from adapters.serialization.entities import JsonSerializer
from domain.calendar import MAX_TASKS, Calendar, CalendarForm
from domain.task import TASK, Priority, Status, Task

REFRESH = timedelta(minutes=15)
"""How often subscribers are asked to look again; most decide by themselves."""

_END = "END:VCALENDAR\r\n"
_PRODUCT = "-//backroom//calendars//EN"
_PRIORITIES = {Priority.HIGH: 1, Priority.NORMAL: 5, Priority.LOW: 9}
_STATUSES = {
    CalendarForm.TODO: {
        Status.PENDING: "NEEDS-ACTION",
        Status.IN_PROGRESS: "IN-PROCESS",
        Status.DONE: "COMPLETED",
        Status.CANCELLED: "CANCELLED",
    },
    # An event has no status for what is done. Programs hide or strike through what is cancelled.
    CalendarForm.EVENT: {
        Status.PENDING: "CONFIRMED",
        Status.IN_PROGRESS: "CONFIRMED",
        Status.DONE: "CANCELLED",
        Status.CANCELLED: "CANCELLED",
    },
}
_LINE_SEPARATORS = str.maketrans({"\u2028": "\n", "\u2029": "\n"})
_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


class _Text(vText):
    """A text, escaped by RFC 5545, 3.3.11. The library's own escaping takes a backslash and an N for a line break."""

    def to_ical(self) -> bytes:
        # Many readers end a line at the Unicode separators too, so these become what they mean.
        return self.translate(_LINE_SEPARATORS).translate(_ESCAPES).encode()


@frozen(kw_only=True)
class CalendarWriter:
    """Writes one calendar: its beginning, each task, and its end.

    `namespace` is that of the store, and `url` is the absolute URL of the view of tasks in the web page. A task is the
    same in every calendar.
    """

    calendar: Calendar
    namespace: str
    url: str
    _serializer: JsonSerializer = field(factory=lambda: JsonSerializer((TASK,)), init=False)

    def begin(self, *, is_whole: bool) -> str:
        """Return the beginning. A calendar that is not whole lacks tasks, and says so in its description."""
        top = Component()
        top["VERSION"], top["PRODID"] = _Text("2.0"), _Text(_PRODUCT)
        for name in ("NAME", "X-WR-CALNAME"):  # RFC 7986 has the first, programs read the second
            top[name] = _Text(self.calendar.name)
        if not is_whole:
            told = f"Only the {MAX_TASKS} tasks with the latest due dates are shown."
            for name in ("DESCRIPTION", "X-WR-CALDESC"):
                top[name] = _Text(told)
        for name in ("REFRESH-INTERVAL", "X-PUBLISHED-TTL"):
            top[name] = vDuration(REFRESH)
        top["REFRESH-INTERVAL"].params["VALUE"] = "DURATION"
        return _written(top).removesuffix(_END)

    def task(self, document: str) -> str:
        """Return a task, which has a due date, as an event or as a to-do."""
        task = self._serializer.read(TASK, document)
        assert task.due is not None, "only such tasks are in a calendar"
        component = self._todo(task, task.due) if self.calendar.form is CalendarForm.TODO else self._event(task.due)
        component["UID"] = _Text(f"task-{task.id}.{self.namespace}@backroom")
        component["SEQUENCE"] = vInt(min(task.version, vInt.max))
        for name in ("DTSTAMP", "LAST-MODIFIED"):  # without METHOD both are the time of the last change (3.8.7.2)
            component[name] = _time(task.updated_at)
        component["CREATED"] = _time(task.created_at)
        component["SUMMARY"] = _Text(task.title)
        component["STATUS"] = _Text(_STATUSES[self.calendar.form][task.status])
        component["PRIORITY"] = vInt(_PRIORITIES[task.priority])
        component["URL"] = vUri(f"{self.url}#{task.id}")
        if task.notes:
            component["DESCRIPTION"] = _Text(task.notes)
        return _written(component)

    def end(self) -> str:
        """Return the end."""
        return _END

    def _event(self, due: date) -> Event:
        event = Event()
        event["DTSTART"] = vDDDTypes(due)
        if due < date.max:  # on the last day there is no next one, and an event without an end has one day anyway
            event["DTEND"] = vDDDTypes(due + timedelta(days=1))
        event["TRANSP"] = _Text("TRANSPARENT")  # what is due on a day does not fill the day
        return event

    def _todo(self, task: Task, due: date) -> Todo:
        todo = Todo()
        todo["DUE"] = vDDDTypes(due)
        if task.completed_at is not None:
            todo["COMPLETED"] = _time(task.completed_at)
        return todo


def _time(at: datetime) -> vDDDTypes:
    return vDDDTypes(at.replace(microsecond=0))


def _written(component: Any) -> str:
    written: bytes = component.to_ical()
    return written.decode()
