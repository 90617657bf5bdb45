"""To-dos by the rules of Todo-Backend, on the same tasks."""

from functools import partial
from typing import Any

import orjson
from attrs import field, frozen

from adapters.http.handlers.reading import READ_AT_ONCE
from adapters.http.handlers.submitting import Submitter
from adapters.http.requests.bodies import read_body, read_object
from adapters.http.requests.parameters import identifier
from adapters.http.requests.request import Request
from adapters.http.responses.http_errors import BadHeader
from adapters.http.responses.problems import response_of
from adapters.http.responses.responses import Response, json_bytes, json_response
from adapters.serialization.entities import JsonSerializer
from domain.commands import Command, Delete
from domain.decisions import Done, Outcome
from domain.entity_type import EntityType
from domain.ports import Store
from domain.queries import MAX_LIMIT, Order, Query
from domain.stored_entity import StoredEntity
from domain.task import TASK, Task
from domain.todo import EditTodo, Todo, create_todo
from domain.use_cases.clear import clear
from domain.use_cases.read import list_page, read_one
from domain.use_cases.write import Answer, Terms, carry_out

MAX_TODOS = MAX_LIMIT
"""The most to-dos in a list, which has no pages; the newest are in it."""

_NEWEST = Query(entity_type=TASK, order=(Order(TASK.by_name["id"], descending=True),), limit=MAX_TODOS)


@frozen(kw_only=True, eq=False)
class Todos:
    """The operations on to-dos. A write needs no version, because clients of Todo-Backend know none."""

    store: Store
    submitter: Submitter
    max_body: int
    serializer: JsonSerializer = field(factory=lambda: JsonSerializer((TASK,)), init=False)

    async def list(self, request: Request) -> Response:
        """Respond with the newest to-dos, by ascending id."""
        async with request.capacity.turns.read(request.address):
            records = (await list_page(self.store, _NEWEST)).records[::-1]
        pieces = []
        for start in range(0, len(records), READ_AT_ONCE):
            if start:
                await request.capacity.turns.next(request.address)
            shown = [self._document(request, each) for each in records[start : start + READ_AT_ONCE]]
            pieces.append(orjson.dumps(shown)[1:-1])
        return json_bytes(b"[%b]" % b",".join(pieces))

    async def one(self, request: Request) -> Response:
        """Respond with a to-do."""
        return json_response(self._document(request, await read_one(self.store, TASK, identifier(request))))

    async def create(self, request: Request) -> Response:
        """Create a to-do from the body."""
        body, raw = await read_object(request, self.max_body)
        return await self._submit(request, body, create_todo(raw), status=201)

    async def edit(self, request: Request) -> Response:
        """Set the fields in the body."""
        id = identifier(request)
        body, raw = await read_object(request, self.max_body)
        return await self._submit(request, body, EditTodo.parse(id, raw))

    async def delete(self, request: Request) -> Response:
        """Delete a to-do."""
        id, body = identifier(request), await read_body(request, self.max_body)
        return await self._submit(request, body, Delete(entity_type=TASK, id=id), status=204)

    async def clear(self, request: Request) -> Response:
        """Delete all to-dos, in several steps."""
        if b"idempotency-key" in request.headers:
            raise BadHeader("this deletes in several steps, which can be repeated without an Idempotency-Key")
        body = await read_body(request, self.max_body)
        entity_type: EntityType[Task] = TASK

        async def use_case(terms: Terms) -> Answer:
            turn = partial(request.capacity.turns.next, request.address)
            return await clear(self.store, entity_type, terms, turn=turn)

        return await self.submitter.submit(request, body, use_case, lambda _: Response(status=204))

    async def _submit(self, request: Request, body: bytes, command: Command, status: int = 200) -> Response:
        def rendered(outcome: Outcome) -> Response:
            result = outcome.results[0]
            if not isinstance(result, Done):
                return response_of(result, outcome.request_id, request.root)
            if status == 204:
                return Response(status=204)
            document = self._document(request, result.record)
            location = ((b"location", document["url"].encode()),) if status == 201 else ()
            return json_response(document, *location, status=status)

        return await self.submitter.submit(request, body, partial(carry_out, self.store, (command,)), rendered)

    def _document(self, request: Request, record: StoredEntity) -> dict[str, Any]:
        todo = Todo.of(self.serializer.read(TASK, record.document))
        return document(todo, f"{request.base}/todos")


def document(todo: Todo, url: str) -> dict[str, Any]:
    """Return a to-do as responses show it. Its clients need an absolute URL, because they come from other hosts."""
    return {"title": todo.title, "completed": todo.completed, "order": todo.order, "url": f"{url}/{todo.id}"}
