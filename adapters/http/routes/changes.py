"""The paths of the log of changes."""

from adapters.http.feed.polling import MAX_WAIT_S, Changes
from adapters.http.openapi.declarations import Operation, Parameter, Path, Reply, Schema
from adapters.http.openapi.patterns import CURSOR, CURSOR_OR_NONE
from adapters.http.openapi.schemas import ref
from domain.access.scopes import AccessScope
from domain.public_types import CHANGE_TYPES, PUBLIC_TYPES
from domain.queries import DEFAULT_LIMIT, MAX_LIMIT

_CURSOR: Schema = {"type": "string", "pattern": CURSOR}
_AFTER = Parameter(name="after", place="query", schema=_CURSOR, description="A cursor; `now` is the end of the log.")
_TYPES = Parameter(
    name="types", place="query", schema={"type": "array", "items": {"enum": list(CHANGE_TYPES)}, "minItems": 1}
)
_LIMIT = Parameter(
    name="limit",
    place="query",
    schema={"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
)
_WAIT = Parameter(
    name="wait",
    place="query",
    schema={"type": "integer", "minimum": 0, "maximum": MAX_WAIT_S, "default": 0},
    description="Seconds to hold the answer until there is something.",
)
_LAST = Parameter(
    name="Last-Event-ID",
    place="header",
    schema={"type": "string", "pattern": CURSOR_OR_NONE},
    description="The last cursor; counts before `after`.",
)
_BATCH: Schema = {
    "type": "object",
    "properties": {
        "changes": {
            "type": "array",
            "items": {"anyOf": [ref(f"{entity_type.entity.__name__}Change") for entity_type in PUBLIC_TYPES]},
        },
        "cursor": {"type": "string"},
    },
    "required": ["changes", "cursor"],
    "additionalProperties": False,
}
# OpenAPI 3.1 knows no streams; tools take this for the schema of each event.
_EVENT: Schema = {
    "type": "object",
    "properties": {
        "event": {"enum": ["message", "reset"]},
        "id": {"type": "string", "description": "The cursor behind this change."},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
    "required": ["data"],
}


def paths(changes: Changes) -> list[Path]:
    """Return the paths of the log; its WebSocket is none of OpenAPI's."""
    poll = Operation(
        name="pollChanges",
        summary="What changed after a cursor",
        scope=AccessScope.READ,
        handler=changes.poll,
        replies={200: Reply(description="Changes in commit order.", schema=_BATCH)},
        parameters=(_AFTER, _LIMIT, _TYPES, _WAIT),
        problems=("bad_cursor", "cursor_expired", "invalid"),
        tags=("changes",),
    )
    stream = Operation(
        name="streamChanges",
        summary="The same as Server-Sent Events",
        scope=AccessScope.READ,
        handler=changes.stream,
        replies={200: Reply(description="Events.", media_type="text/event-stream", schema=_EVENT)},
        parameters=(_AFTER, _TYPES, _LAST),
        problems=("bad_cursor",),
        tags=("changes",),
    )
    return [
        Path(template="/changes", operations={"GET": poll}),
        Path(template="/changes/stream", operations={"GET": stream}),
    ]
