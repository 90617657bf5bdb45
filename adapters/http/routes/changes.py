"""The paths of the log of changes."""

import orjson

from adapters.http.feed.polling import MAX_WAIT_S, Changes
from adapters.http.openapi.declarations import Operation, Parameter, Path, Reply, Schema
from adapters.http.openapi.examples import Examples, cursor
from adapters.http.openapi.patterns import CURSOR, CURSOR_OR_NONE
from adapters.http.openapi.schemas import object_schema, ref
from adapters.http.requests.request import Request
from adapters.http.responses.http_errors import UpgradeRequired
from adapters.http.responses.responses import Response
from domain.access.scopes import AccessScope
from domain.public_types import CHANGE_TYPES, PUBLIC_TYPES
from domain.queries import DEFAULT_LIMIT, MAX_LIMIT

_CURSOR: Schema = {"type": "string", "pattern": CURSOR}
_AFTER = Parameter(name="after", location="query", schema=_CURSOR, description="A cursor; `now` is the end of the log.")
_TYPES = Parameter(
    name="types",
    location="query",
    schema={"type": "array", "items": ref("ChangeType"), "minItems": 1},
    description="Only these; with what is created comes what is restored.",
)
_LIMIT = Parameter(
    name="limit",
    location="query",
    schema={"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
)
_LAST_CHANGES = Parameter(
    name="last",
    location="query",
    schema={"type": "integer", "minimum": 1, "maximum": MAX_LIMIT},
    description="Begin with so many of the newest changes, instead of `after`. They count before `types` selects.",
)
_WAIT = Parameter(
    name="wait",
    location="query",
    schema={"type": "integer", "minimum": 0, "maximum": MAX_WAIT_S, "default": 0},
    description="Seconds to hold the answer until there is something.",
)
_LAST = Parameter(
    name="Last-Event-ID",
    location="header",
    schema={"type": "string", "pattern": CURSOR_OR_NONE},
    description="The last cursor; counts before `after`.",
)
_CHANGE = Examples(PUBLIC_TYPES[0]).creation()
_CHANGES = [ref(f"{entity_type.entity.__name__}Change") for entity_type in PUBLIC_TYPES]
_SCHEMAS: dict[str, Schema] = {
    "ChangeType": {"type": "string", "enum": list(CHANGE_TYPES)},
    "ChangePage": object_schema(
        {"changes": {"type": "array", "items": {"anyOf": _CHANGES}}, "cursor": {"type": "string"}},
        ["changes", "cursor"],
    ),
    # OpenAPI 3.1 has no streams. Tools take this for the schema of each event.
    "ChangeEvent": {
        "type": "object",
        "properties": {
            "event": {"enum": ["message", "reset"]},
            "id": {"type": "string", "description": "The cursor behind this change."},
            "data": {"type": "string", "contentMediaType": "application/json"},
        },
        "required": ["data"],
    },
    "Ready": object_schema({"type": {"const": "ready"}, "cursor": {"type": "string"}}, ["type", "cursor"]),
}


# OpenAPI has no WebSockets. This describes the handshake, and says in words what follows it.
_MESSAGE: Schema = {"anyOf": [*_CHANGES, ref("Ready")]}
_SOCKET = (
    'A WebSocket. Each message of the service is one change as text, and `{"type": "ready", "cursor": …}` once all that'
    " there was is told. Without `after` it begins with what is changed from now on. What the client sends is ignored."
    " It is closed with 4400 for a bad parameter or cursor, 4410 for a cursor that is older than what is kept, 1013 for"
    " a client that is too slow or a store that is not available, 1008 for a key that is valid no more, and 1001 where"
    " the service stops; the last cursor goes on from there."
)


async def _upgrade(request: Request) -> Response:
    """Refuse a request that is no WebSocket handshake. A handshake takes another route."""
    del request
    raise UpgradeRequired(
        "this is a WebSocket: ask for an upgrade", headers=((b"upgrade", b"websocket"), (b"connection", b"upgrade"))
    )


def paths(changes: Changes) -> list[Path]:
    """Return the paths of the log, with the handshake of its WebSocket."""
    poll = Operation(
        name="pollChanges",
        summary="What changed after a cursor",
        scope=AccessScope.READ,
        handler=changes.poll,
        replies={
            200: Reply(
                description="Changes in commit order.",
                schema=ref("ChangePage"),
                example={"changes": [_CHANGE], "cursor": cursor(1)},
            )
        },
        parameters=(_AFTER, _LAST_CHANGES, _LIMIT, _TYPES, _WAIT),
        problems=("bad_cursor", "cursor_expired", "invalid"),
        tags=("changes",),
    )
    stream = Operation(
        name="streamChanges",
        summary="The same as Server-Sent Events",
        scope=AccessScope.READ,
        handler=changes.stream,
        replies={
            200: Reply(
                description="Events.",
                media_type="text/event-stream",
                schema=ref("ChangeEvent"),
                example={"id": cursor(1), "data": orjson.dumps(_CHANGE).decode()},
            )
        },
        parameters=(_AFTER, _TYPES, _LAST),
        problems=("bad_cursor",),
        tags=("changes",),
    )
    socket = Operation(
        name="followChanges",
        summary="The same over a WebSocket",
        scope=AccessScope.READ,
        handler=_upgrade,
        replies={101: Reply(description=_SOCKET, schema=_MESSAGE, example=_CHANGE)},
        parameters=(_AFTER, _TYPES),
        problems=("bad_origin", "upgrade_required"),
        tags=("changes",),
    )
    return [
        Path(template="/ws", operations={"GET": socket}),
        Path(template="/changes", operations={"GET": poll}, schemas=_SCHEMAS),
        Path(template="/changes/stream", operations={"GET": stream}),
    ]
