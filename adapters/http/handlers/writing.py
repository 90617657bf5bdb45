"""Writing one entity: create, edit, delete, restore, and the stock of a product."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from attrs import frozen

from adapters.http.handlers.submitting import Submitter
from adapters.http.requests.bodies import read_body, read_object
from adapters.http.requests.etags import etag_of, precondition
from adapters.http.requests.parameters import identifier
from adapters.http.requests.request import Request
from adapters.http.responses.http_errors import BadHeader
from adapters.http.responses.problems import response_of
from adapters.http.responses.responses import Response, json_text
from domain.commands import Precondition
from domain.decisions import Done, Outcome
from domain.entity_type import EntityType
from domain.errors import PreconditionRequired
from domain.ports import Writer
from domain.stored_entity import StoredEntity
from domain.use_cases.write import Answer, Terms, adjust_stock, create, delete, edit, restore

Render = Callable[[StoredEntity], Response]
UseCase = Callable[[Terms], Awaitable[Answer]]


@frozen(kw_only=True, eq=False)
class Writing:
    """The operations that write one entity type."""

    entity_type: EntityType[Any]
    writer: Writer
    submitter: Submitter
    max_body: int
    require_if_match: bool

    async def create(self, request: Request) -> Response:
        """Create an entity from the body."""
        body, raw = await read_object(request, self.max_body)
        use_case = partial(create, self.writer, self.entity_type, raw)
        return await self._submit(request, body, use_case, partial(self._created, request))

    async def edit(self, request: Request) -> Response:
        """Set the fields in the body. A merge patch (RFC 7396) of a flat document means the same."""
        id, expected = self._target(request)
        body, raw = await read_object(request, self.max_body)
        use_case = partial(edit, self.writer, self.entity_type, id, raw, precondition=expected)
        return await self._submit(request, body, use_case, self._as_it_is)

    async def delete(self, request: Request) -> Response:
        """Remove the entity."""
        id, expected = self._target(request)
        body = await read_body(request, self.max_body)
        use_case = partial(delete, self.writer, self.entity_type, id, precondition=expected)
        return await self._submit(request, body, use_case, self._deleted)

    async def restore(self, request: Request) -> Response:
        """Bring the entity back."""
        id, expected = self._target(request)
        body = await read_body(request, self.max_body)
        use_case = partial(restore, self.writer, self.entity_type, id, precondition=expected)
        return await self._submit(request, body, use_case, self._as_it_is)

    async def stock(self, request: Request) -> Response:
        """Adjust the stock by the difference in the body."""
        id, expected = self._target(request)
        body, raw = await read_object(request, self.max_body)
        use_case = partial(adjust_stock, self.writer, id, raw, precondition=expected)
        return await self._submit(request, body, use_case, self._as_it_is)

    def _target(self, request: Request) -> tuple[int, Precondition]:
        id = identifier(request)
        if (
            b"if-none-match" in request.headers
        ):  # a server that ignored it would write against the client's word (RFC 9110, 13.1.2)
            raise BadHeader("If-None-Match is for reading; If-Match names the version that a write is meant for")
        sent = request.header(b"if-match")
        if sent is None and self.require_if_match:
            raise PreconditionRequired(name="If-Match")
        return id, precondition(sent)

    async def _submit(self, request: Request, body: bytes, use_case: UseCase, render: Render) -> Response:
        def rendered(outcome: Outcome) -> Response:
            result = outcome.results[0]
            if isinstance(result, Done):
                return render(result.record)
            return response_of(result, outcome.request_id, request.root)

        return await self.submitter.submit(request, body, use_case, rendered)

    def _created(self, request: Request, record: StoredEntity) -> Response:
        location = (b"location", f"{request.root}/{self.entity_type.collection}/{record.id}".encode())
        return json_text(record.document, (b"etag", etag_of(record.version)), location, status=201)

    def _as_it_is(self, record: StoredEntity) -> Response:
        return json_text(record.document, (b"etag", etag_of(record.version)))

    def _deleted(self, record: StoredEntity) -> Response:
        return json_text(f'{{"deleted":{record.document}}}')
