"""The paths of calendars, also those that their subscribers fetch."""

from typing import Any

from adapters.http.handlers.calendars import TYPE, CalendarHandlers, document, writer_of
from adapters.http.openapi.declarations import Operation, Parameter, Path, Reply, Schema
from adapters.http.openapi.examples import AT, ORIGIN, Examples
from adapters.http.openapi.operation_parts import BODY, ID, KEYLESS_WRITE, PREFER
from adapters.http.openapi.schemas import TIME, field_type_schema, object_schema, ref
from adapters.http.responses.caching import PRIVATE
from domain.access.key_text import CALENDAR, make_calendar_secret
from domain.access.scopes import AccessScope
from domain.calendar import FIELDS, CalendarForm, CreateCalendar, namespace_of
from domain.task import TASK

_NAME, _FILTER, _AS = FIELDS
_CALENDAR_FORM = ref("CalendarForm")
_SHOWN = {
    "id": {"type": "integer", "minimum": 1},
    "name": field_type_schema(_NAME.field_type),
    "filter": {"type": "string", "description": "Filters of tasks, as in the query of a list."},
    "as": _CALENDAR_FORM,
    "created_at": TIME,
    "actor": {"anyOf": [ref("Actor"), {"type": "null"}], "description": "The key that made it, if one was used."},
}
_URL: Schema = {
    "type": "string",
    "pattern": rf"/calendars/{CALENDAR.pattern}\.ics$",
    "description": "Where programs subscribe. Shown this once.",
}
_SENT: dict[str, Schema] = {
    "name": field_type_schema(_NAME.field_type, sent=True),
    "filter": {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "By default all tasks."},
    "as": {"anyOf": [_CALENDAR_FORM, {"type": "null"}], "description": "By default `event`: few programs show to-dos."},
}
_SCHEMAS = {
    "Calendar": object_schema(_SHOWN, list(_SHOWN)),
    "CalendarCreate": object_schema(_SENT, [_NAME.name]),
    "CalendarCreated": object_schema({**_SHOWN, "url": _URL}, [*_SHOWN, "url"]),
    "CalendarList": object_schema(
        {"calendars": {"type": "array", "items": ref("Calendar")}, "count": {"type": "integer", "minimum": 0}},
        ["calendars", "count"],
    ),
    "DeletedCalendar": object_schema({"deleted": ref("Calendar")}, ["deleted"]),
    "CalendarForm": {"type": "string", "enum": [each.value for each in CalendarForm]},
}
_SECRET = make_calendar_secret(lambda alphabet: alphabet[0])
_SENT_EXAMPLE = {"name": "The shop", "filter": "status[in]=pending,in_progress", "as": "event"}
_MADE = CreateCalendar.parse(_SENT_EXAMPLE, actor=None, secret=_SECRET)((), AT).calendar
_EXAMPLE = document(_MADE)
_APPLIED = ("Preference-Applied",)


def paths(handlers: CalendarHandlers) -> list[Path]:
    """Return the paths of calendars. The secret one comes first, because an id may be any text."""
    return [
        Path(template="/calendars/{secret}.ics", operations={"GET": _fetch(handlers)}),
        Path(template="/calendars", operations={"GET": _list(handlers), "POST": _create(handlers)}, schemas=_SCHEMAS),
        Path(template="/calendars/{id}", operations={"GET": _get(handlers), "DELETE": _delete(handlers)}),
    ]


def _operation(name: str, summary: str, scope: AccessScope | None, **facts: Any) -> Operation:
    return Operation(name=name, summary=summary, scope=scope, tags=("calendars",), **facts)


def _fetch(handlers: CalendarHandlers) -> Operation:
    secret = Parameter(
        name="secret",
        location="path",
        schema={"type": "string", "pattern": f"^{CALENDAR.pattern}$"},
        example=_SECRET,
    )
    reply = Reply(
        description="The tasks that match and have a due date (RFC 5545).",
        schema={"type": "string"},
        media_type=TYPE,
        example=_fetched,
        headers=("Content-Disposition",),
    )
    return _operation(
        "fetchCalendar",
        "Fetch a calendar, as its subscribers do; its URL is the only key that this needs",
        None,
        handler=handlers.fetch,
        replies={200: reply},
        parameters=(secret,),
        problems=("not_found", "invalid"),
        caching=PRIVATE,
    )


def _fetched() -> str:
    examples = Examples(TASK)
    writer = writer_of(_MADE, namespace_of(bytes(32)), ORIGIN)
    return writer.begin(is_whole=True) + writer.task(examples.serializer.write(examples.created)) + writer.end()


def _list(handlers: CalendarHandlers) -> Operation:
    listed = {"calendars": [_EXAMPLE], "count": 1}
    reply = Reply(
        description="All of them, by ascending id, without their URLs.", schema=ref("CalendarList"), example=listed
    )
    return _operation(
        "listCalendars",
        "List calendars",
        AccessScope.READ,
        handler=handlers.list,
        replies={200: reply},
        caching=PRIVATE,
    )


def _get(handlers: CalendarHandlers) -> Operation:
    reply = Reply(description="The calendar, without its URL.", schema=ref("Calendar"), example=_EXAMPLE)
    return _operation(
        "getCalendar",
        "Read a calendar",
        AccessScope.READ,
        handler=handlers.one,
        replies={200: reply},
        parameters=(ID,),
        problems=("not_found", "invalid"),
        caching=PRIVATE,
    )


def _create(handlers: CalendarHandlers) -> Operation:
    reply = Reply(
        description="With its URL, this once.",
        schema=ref("CalendarCreated"),
        example={**_EXAMPLE, "url": f"/calendars/{_SECRET}.ics"},
        headers=("Location", *_APPLIED),
    )
    return _operation(
        "createCalendar",
        "Make a calendar of the tasks that match a filter and have a due date",
        AccessScope.WRITE,
        handler=handlers.create,
        replies={201: reply},
        parameters=(PREFER,),
        takes=ref("CalendarCreate"),
        example=_SENT_EXAMPLE,
        problems=(*BODY, *KEYLESS_WRITE, "too_many_calendars"),
    )


def _delete(handlers: CalendarHandlers) -> Operation:
    gone = {"deleted": _EXAMPLE}
    reply = Reply(description="As it was.", schema=ref("DeletedCalendar"), example=gone, headers=_APPLIED)
    return _operation(
        "deleteCalendar",
        "Delete a calendar; its URL leads nowhere from then on",
        AccessScope.WRITE,
        handler=handlers.delete,
        replies={200: reply},
        parameters=(ID, PREFER),
        problems=("not_found", "invalid", "body_too_large", "timeout", *KEYLESS_WRITE),
    )
