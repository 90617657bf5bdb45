"""Webhooks: entities like the others, with a secret and a log position that are not part of them."""

from collections.abc import Awaitable, Callable
from functools import partial
from hashlib import blake2b
from typing import Any

import orjson
from attrs import evolve, frozen

from adapters.http.handlers.writing import Render, Writing
from adapters.http.requests.bodies import read_body, read_object
from adapters.http.requests.parameters import following, identifier, parse, whole
from adapters.http.requests.request import Request
from adapters.http.responses.problems import response_of
from adapters.http.responses.responses import Response, json_response
from adapters.serialization.deliveries import delivery_document
from adapters.serialization.entities import extended
from domain.changes import Cursor
from domain.commands import NOBODY, Command, Create, Delete, Edit, Restore
from domain.decisions import Done, Outcome
from domain.deliveries import WebhookDispatcher
from domain.entity_type import EntityType
from domain.errors import DomainError
from domain.ports import Reader, Store
from domain.queries import DEFAULT_LIMIT, MAX_LIMIT, Page, Query
from domain.stored_entity import Serializer, StoredEntity
from domain.use_cases.list_deliveries import list_deliveries
from domain.use_cases.request_delivery import request_again, request_test
from domain.use_cases.subscribe import subscribe
from domain.use_cases.write import Answer
from domain.webhook import WEBHOOK, Rotate

DELIVERIES_PARAMETERS = ("limit", "cursor")


@frozen(eq=False)
class Positioned(Reader):
    """Reads webhooks together with the log positions of their deliveries."""

    store: Store

    async def get(self, entity_type: EntityType[Any], id: int) -> StoredEntity | None:
        positions = await self.store.deliveries.positions((id,))
        record = await self.store.get(entity_type, id)
        return None if record is None or id not in positions else _positioned(record, positions[id])

    async def page(self, query: Query[Any]) -> Page:
        page = await self.store.page(query)
        positions = await self.store.deliveries.positions([each.id for each in page.records])
        records = tuple(_positioned(each, positions[each.id]) for each in page.records if each.id in positions)
        shown = "".join(positions[each.id] for each in records)
        return evolve(page, records=records, revision=f"{page.revision}.{_digest(shown)}")


def etag_of_positioned(record: StoredEntity) -> bytes:
    """Return the etag of a webhook. It names the version, and changes with the log position too."""
    return b'"%d.%s"' % (record.version, _digest(record.document).encode())


def _digest(shown: str) -> str:
    return blake2b(shown.encode(), digest_size=6).hexdigest()


@frozen(kw_only=True, eq=False)
class WebhookWriting(Writing):
    """The operations that write webhooks."""

    store: Store
    serializer: Serializer
    dispatcher: WebhookDispatcher

    async def create(self, request: Request) -> Response:
        """Create a webhook from the body, and show its secret once."""
        body, raw = await read_object(request, self.max_body)
        command, created = Create.parse(WEBHOOK, raw), partial(self._created, request)
        return await self._subscribe(request, body, command, created, with_secret=True)

    async def edit(self, request: Request) -> Response:
        """Set the fields in the body."""
        id, expected = self._target(request)
        body, raw = await read_object(request, self.max_body)
        raw.pop("cursor", None)  # it advances by itself, so a client's value is not wrong, only old
        return await self._subscribe(request, body, Edit.parse(WEBHOOK, id, raw, expected), self._as_it_is)

    async def delete(self, request: Request) -> Response:
        """Remove the webhook."""
        id, expected = self._target(request)
        body = await read_body(request, self.max_body)
        command = Delete(entity_type=WEBHOOK, id=id, precondition=expected)
        return await self._subscribe(request, body, command, self._deleted)

    async def restore(self, request: Request) -> Response:
        """Bring the webhook back."""
        id, expected = self._target(request)
        body = await read_body(request, self.max_body)
        command = Restore(entity_type=WEBHOOK, id=id, precondition=expected)
        return await self._subscribe(request, body, command, self._as_it_is)

    async def rotate(self, request: Request) -> Response:
        """Give the webhook a new secret, and show it once."""
        id, expected = self._target(request)
        body = await read_body(request, self.max_body)
        command = Rotate(id=id, precondition=expected)
        return await self._subscribe(request, body, command, self._as_it_is, with_secret=True)

    async def test(self, request: Request) -> Response:
        """Queue a test message, which only shows whether the webhook can be reached."""
        return await self._queue(request, partial(request_test, identifier(request)))

    async def retry(self, request: Request) -> Response:
        """Queue a message again."""
        return await self._queue(
            request, partial(request_again, identifier(request), request.parameters["delivery_id"])
        )

    async def deliveries(self, request: Request) -> Response:
        """Respond with the delivery attempts, newest first."""
        id = identifier(request)
        parameters = parse(request, DELIVERIES_PARAMETERS)
        limit = whole(parameters, "limit", least=1, most=MAX_LIMIT, default=DEFAULT_LIMIT)
        found = await list_deliveries(id, before=parameters.get("cursor"), limit=limit + 1, store=self.store)
        shown = found[:limit]
        next = following(request, parameters, shown[-1].id) if len(found) > limit else None
        return json_response({"deliveries": [delivery_document(each) for each in shown], "next": next})

    async def _subscribe(
        self, request: Request, body: bytes, command: Command, render: Render, *, with_secret: bool = False
    ) -> Response:
        def rendered(outcome: Outcome) -> Response:
            result = outcome.results[0]
            if not isinstance(result, Done):
                return response_of(result, outcome.request_id, request.root)
            assert outcome.position is not None
            record = _positioned(result.record, outcome.position)
            return render(self._with_secret(record, outcome) if with_secret else record)

        use_case = partial(subscribe, command, store=self.store, serializer=self.serializer, dispatcher=self.dispatcher)
        return await self.submitter.submit(request, body, use_case, rendered, subscribes=True)

    async def _queue(self, request: Request, use_case: Callable[..., Awaitable[Answer]]) -> Response:
        body = await read_body(request, self.max_body)

        def queued(outcome: Outcome) -> Response:
            refusal = next((each for each in outcome.results if isinstance(each, DomainError)), None)
            if refusal is not None:
                return response_of(refusal, outcome.request_id, request.root)
            return json_response(delivery_document(outcome.deliveries[0]), status=202)

        use_case = partial(use_case, store=self.store, dispatcher=self.dispatcher)
        return await self.submitter.submit(request, body, use_case, queued, subscribes=True)

    def _with_secret(self, record: StoredEntity, outcome: Outcome) -> StoredEntity:
        # The secret derives from the webhook. So no stored outcome needs to hold it, and a retry gets a lost response
        # again. A dry run shows a secret that belongs to nobody, not the one that the next webhook will have.
        id = NOBODY if outcome.dry_run else record.id
        secret = self.dispatcher.secret(id, orjson.loads(record.document)["secret_version"])
        return record._replace(document=extended(record.document, "secret", secret))


def _positioned(record: StoredEntity, position: Cursor) -> StoredEntity:
    return record._replace(document=extended(record.document, "cursor", position))
