"""Writing one entity: create, edit, delete, restore, and the stock of a product."""

from collections.abc import Callable
from typing import Any

from attrs import frozen

from adapters.http.answers import Answer, json_text
from adapters.http.bodies import read_body, read_object
from adapters.http.call import Call
from adapters.http.parameters import identifier
from adapters.http.problems import answer_of
from adapters.http.refusals import BadHeader, PreconditionRequired
from adapters.http.submitting import Submitter
from adapters.http.tags import precondition, tag
from domain.commands import Command, Create, Delete, Edit, Precondition, Restore
from domain.decisions import Done, Outcome
from domain.kinds import Kind
from domain.records import Record
from domain.stock import AdjustStock

Render = Callable[[Record], Answer]


@frozen(kw_only=True, eq=False)
class Writing:
    """The operations that write one kind of entity."""

    kind: Kind[Any]
    submitter: Submitter
    max_body: int
    require_if_match: bool

    async def create(self, call: Call) -> Answer:
        """Make an entity of the body."""
        body, raw = await read_object(call, self.max_body)
        return await self._submit(call, body, Create.parse(self.kind, raw), self._created)

    async def edit(self, call: Call) -> Answer:
        """Set the fields in the body; a merge patch (RFC 7396) of a flat document means the same."""
        id, expected = self._target(call)
        body, raw = await read_object(call, self.max_body)
        return await self._submit(call, body, Edit.parse(self.kind, id, raw, expected), self._as_it_is)

    async def delete(self, call: Call) -> Answer:
        """Remove the entity."""
        id, expected = self._target(call)
        body = await read_body(call, self.max_body)
        return await self._submit(call, body, Delete(kind=self.kind, id=id, precondition=expected), self._deleted)

    async def restore(self, call: Call) -> Answer:
        """Bring the entity back."""
        id, expected = self._target(call)
        body = await read_body(call, self.max_body)
        return await self._submit(call, body, Restore(kind=self.kind, id=id, precondition=expected), self._as_it_is)

    async def stock(self, call: Call) -> Answer:
        """Adjust the stock by the difference in the body."""
        id, expected = self._target(call)
        body, raw = await read_object(call, self.max_body)
        return await self._submit(call, body, AdjustStock.parse(id, raw, expected), self._as_it_is)

    def _target(self, call: Call) -> tuple[int, Precondition]:
        id = identifier(call)
        if b"if-none-match" in call.headers:  # ignoring it would write where the client said not to (RFC 9110, 13.1.2)
            raise BadHeader("If-None-Match is for reading; If-Match names the version that a write is meant for")
        sent = call.header(b"if-match")
        if sent is None and self.require_if_match:
            raise PreconditionRequired("If-Match is required: send the ETag of the version that you change")
        return id, precondition(sent)

    async def _submit(self, call: Call, body: bytes, command: Command, render: Render) -> Answer:
        def rendered(outcome: Outcome) -> Answer:
            result = outcome.results[0]
            return render(result.record) if isinstance(result, Done) else answer_of(result, call.request_id)

        return await self.submitter.submit(call, body, (command,), rendered)

    def _created(self, record: Record) -> Answer:
        location = (b"location", f"/{self.kind.collection}/{record.id}".encode())
        return json_text(record.document, (b"etag", tag(record.version)), location, status=201)

    def _as_it_is(self, record: Record) -> Answer:
        return json_text(record.document, (b"etag", tag(record.version)))

    def _deleted(self, record: Record) -> Answer:
        return json_text(f'{{"deleted":{record.document}}}')
