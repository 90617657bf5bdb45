"""Calendars: making, listing and deleting them, and what their subscribers fetch."""

import asyncio
import secrets
from typing import TYPE_CHECKING, Any

from attrs import frozen

from adapters.http.admission.gate import Gate
from adapters.http.handlers.idempotency import refuse_key
from adapters.http.handlers.submitting import applied, only_validates
from adapters.http.requests.bodies import read_body, read_object
from adapters.http.requests.parameters import identifier
from adapters.http.requests.request import Request
from adapters.http.responses.http_errors import Missing
from adapters.http.responses.responses import Header, Response, json_response
from adapters.serialization.times import timestamp
from domain.access.key_text import hash_of, is_calendar_secret, make_calendar_secret
from domain.calendar import Calendar, Calendars, CreateCalendar, DeleteCalendar
from domain.errors import NotFound
from domain.ports import Reader
from domain.use_cases.read import list_page

if TYPE_CHECKING:
    from adapters.serialization.calendars import CalendarWriter

TYPE = "text/calendar"
_HEADERS: tuple[Header, ...] = (
    (b"content-type", f"{TYPE}; charset=utf-8".encode()),
    (b"content-disposition", b'inline; filename="tasks.ics"'),  # otherwise a saved file is named by its secret
)


@frozen(kw_only=True, eq=False)
class CalendarHandlers:
    """The operations on calendars. `namespace` tells the tasks of this store from all others."""

    calendars: Calendars
    reader: Reader
    gate: Gate
    namespace: str
    max_body: int

    async def list(self, request: Request) -> Response:
        """Respond with all calendars, without their URLs."""
        del request
        calendars = [document(each) for each in await self.calendars.calendars()]
        return json_response({"calendars": calendars, "count": len(calendars)})

    async def one(self, request: Request) -> Response:
        """Respond with a calendar, without its URL."""
        id = identifier(request)
        for each in await self.calendars.calendars():
            if each.id == id:
                return json_response(document(each))
        raise NotFound(entity_type="calendar", id=id)

    async def create(self, request: Request) -> Response:
        """Create a calendar from the body, and show its URL once."""
        refuse_key(request)
        _, raw = await read_object(request, self.max_body)
        secret = make_calendar_secret(secrets.choice)
        decision = CreateCalendar.parse(raw, actor=request.grant.actor, secret=secret)
        made = await self.calendars.change(decision, dry_run=only_validates(request))
        location = (b"location", f"{request.root}/calendars/{made.id}".encode())
        url = f"{request.root}/calendars/{secret}.ics"
        return json_response({**document(made), "url": url}, location, *applied(request), status=201)

    async def delete(self, request: Request) -> Response:
        """Delete a calendar. Its subscribers get 404 from now on."""
        refuse_key(request)
        id = identifier(request)
        await read_body(request, self.max_body)
        gone = await self.calendars.change(DeleteCalendar(id=id), dry_run=only_validates(request))
        return json_response({"deleted": document(gone)}, *applied(request))

    async def fetch(self, request: Request) -> Response:
        """Respond with the tasks of the calendar whose secret is in the path, one after the other in turns."""
        calendar = await self._shown_by(request)
        turns = request.capacity.turns
        async with turns.read(request.address):
            page = await list_page(self.reader, calendar.tasks)
        # In a thread, so that others do not wait while the first calendar imports what all need.
        writer = await asyncio.to_thread(writer_of, calendar, self.namespace, request.base)
        pieces = [writer.begin(is_whole=page.next is None)]
        for record in page.records:
            await turns.next(request.address)
            pieces.append(writer.task(record.document))
        return Response(headers=_HEADERS, body="".join([*pieces, writer.end()]).encode())

    async def _shown_by(self, request: Request) -> Calendar:
        """Return the calendar of a secret. A wrong one counts as a failed try, like a wrong key."""
        secret = request.parameters["secret"]
        calendar = await self.calendars.find(hash_of(secret)) if is_calendar_secret(secret) else None
        if calendar is None:
            raise self.gate.failed_try(request) or Missing("there is no calendar at this URL")
        return calendar


def writer_of(calendar: Calendar, namespace: str, base: str) -> "CalendarWriter":
    """Return the writer of a calendar. `namespace` is that of the store, and `base` the URL of the service."""
    from adapters.serialization.calendars import CalendarWriter  # noqa: PLC0415 - it is slow to import

    return CalendarWriter(calendar=calendar, namespace=namespace, url=f"{base}/app/tasks")


def document(calendar: Calendar) -> dict[str, Any]:
    """Return a calendar as responses show it."""
    return {
        "id": calendar.id,
        "name": calendar.name,
        "filter": calendar.filter,
        "as": calendar.form.value,
        "created_at": timestamp(calendar.created_at),
        "actor": calendar.actor and {"key": calendar.actor.key, "name": calendar.actor.name},
    }
