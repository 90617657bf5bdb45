"""The paths of webhooks, declared once for routing, validation and documentation."""

from typing import Any

from adapters.http.handlers.reading import Reading, as_list
from adapters.http.handlers.submitting import Submitter
from adapters.http.handlers.webhooks import Positioned, WebhookWriting, etag_of_positioned
from adapters.http.openapi.declarations import Operation, Parameter, Path, Reply
from adapters.http.openapi.examples import AT, SECRET, TIME, Examples
from adapters.http.openapi.operation_parts import CHANGE, CURSOR, ID, IF_MATCH, KEPT, LIMIT, SUBMITTED, WRITE
from adapters.http.openapi.schemas import TIME as TIMES
from adapters.http.openapi.schemas import object_schema, ref
from adapters.http.requests.list_query import ListParameters
from adapters.http.responses.caching import PRIVATE
from adapters.http.routes.resources import Declared, Parts
from adapters.serialization.entities import JsonSerializer
from domain.access.scopes import AccessScope
from domain.deliveries import TEST, DeliveryStatus
from domain.webhook import WEBHOOK

_SCHEMAS = {
    "DeliveryStatus": {"type": "string", "enum": [each.value for each in DeliveryStatus]},
    "DeliveryAttempt": object_schema(
        {
            "at": TIMES,
            "status": {"type": ["integer", "null"], "description": "The HTTP status that was answered."},
            "error": {"type": ["string", "null"], "description": "Why there was no answer."},
            "duration_ms": {"type": "integer", "minimum": 0},
        },
        ["at", "status", "error", "duration_ms"],
    ),
    "Delivery": object_schema(
        {
            "id": {"type": "string"},
            "message_id": {"type": "string", "description": "The same for every delivery of the same change."},
            "type": {"type": "string"},
            "status": ref("DeliveryStatus"),
            "attempts": {"type": "array", "items": ref("DeliveryAttempt")},
            "next_attempt_at": {"anyOf": [TIMES, {"type": "null"}]},
        },
        ["id", "message_id", "type", "status", "attempts", "next_attempt_at"],
    ),
    "DeliveryPage": object_schema(
        {"deliveries": {"type": "array", "items": ref("Delivery")}, "next": {"type": ["string", "null"]}},
        ["deliveries", "next"],
    ),
}
_DELIVERY_ID = Parameter(name="delivery_id", location="path", schema={"type": "string"}, example="0f8e2a6b4c1d4e7f")
_WAITS = {
    "id": _DELIVERY_ID.example,
    "message_id": f"msg_{_DELIVERY_ID.example}",
    "type": TEST,
    "status": DeliveryStatus.PENDING.value,
    "attempts": [],
    "next_attempt_at": TIME,
}
_ARRIVED = {
    **_WAITS,
    "status": DeliveryStatus.DELIVERED.value,
    "attempts": [{"at": TIME, "status": 204, "error": None, "duration_ms": 41}],
    "next_attempt_at": None,
}
_QUEUED = Reply(
    description="It is on its way; the log of deliveries tells.", schema=ref("Delivery"), example=_WAITS, headers=KEPT
)


def paths(parts: Parts) -> list[Path]:
    """Return the paths of webhooks."""
    reading = Reading(
        entity_type=WEBHOOK,
        reader=Positioned(parts.store),
        log=parts.store,
        cursors=parts.cursors,
        listed=ListParameters(WEBHOOK, parts.cursors),
        envelope=as_list,
        etag=etag_of_positioned,
    )
    writing = WebhookWriting(
        entity_type=WEBHOOK,
        writer=parts.store,
        store=parts.store,
        serializer=JsonSerializer((WEBHOOK,)),
        dispatcher=parts.dispatcher,
        submitter=Submitter(parts.dispatcher),
        max_body=parts.max_body,
        require_if_match=parts.require_if_match,
    )
    own = [_test(writing), _rotate(writing), _deliveries(writing), _retry(writing)]
    declared = Declared(WEBHOOK, reading, writing, reads=AccessScope.ADMIN, writes=AccessScope.ADMIN)
    return [*declared.paths(), *own]


def _path(rest: str, method: str, name: str, summary: str, **facts: Any) -> Path:
    operation = Operation(name=name, summary=summary, scope=AccessScope.ADMIN, tags=(WEBHOOK.collection,), **facts)
    return Path(template=f"/{WEBHOOK.collection}/{{id}}/{rest}", operations={method: operation}, schemas=_SCHEMAS)


def _test(writing: WebhookWriting) -> Path:
    return _path(
        "test",
        "POST",
        "testWebhook",
        "Send a message of the type webhook.test, once, also where it is disabled",
        handler=writing.test,
        replies={202: _QUEUED},
        parameters=(ID, *SUBMITTED),
        problems=("not_found", "invalid", "body_too_large", "timeout", *WRITE),
    )


def _rotate(writing: WebhookWriting) -> Path:
    examples = Examples(WEBHOOK)
    rotated = examples.shown(examples.created.rotate(at=AT), secret=SECRET)
    shown = Reply(
        description="With the new secret.", schema=ref("WebhookCreated"), example=rotated, headers=("ETag", *KEPT)
    )
    return _path(
        "rotate",
        "POST",
        "rotateWebhookSecret",
        "Replace the secret; the old one signs beside it for 24 hours",
        handler=writing.rotate,
        replies={200: shown},
        parameters=(ID, IF_MATCH, *SUBMITTED),
        problems=(*CHANGE, "body_too_large", "timeout"),
    )


def _deliveries(writing: WebhookWriting) -> Path:
    listed = {"deliveries": [_ARRIVED], "next": None}
    return _path(
        "deliveries",
        "GET",
        "listWebhookDeliveries",
        "What was delivered and what was attempted, newest first",
        handler=writing.deliveries,
        replies={200: Reply(description="Deliveries.", schema=ref("DeliveryPage"), example=listed)},
        parameters=(ID, LIMIT, CURSOR),
        problems=("not_found", "bad_cursor", "invalid"),
        caching=PRIVATE,
    )


def _retry(writing: WebhookWriting) -> Path:
    return _path(
        "deliveries/{delivery_id}/retry",
        "POST",
        "retryWebhookDelivery",
        "Send a message once more: a pending one now, any other one by a new delivery",
        handler=writing.retry,
        replies={202: _QUEUED},
        parameters=(ID, _DELIVERY_ID, *SUBMITTED),
        problems=("not_found", "invalid", "body_too_large", "timeout", *WRITE),
    )
