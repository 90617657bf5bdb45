"""The OpenAPI document, made from the same declarations as the routes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from attrs import evolve

from adapters.http.admission.credentials import COOKIE, SECURE_COOKIE
from adapters.http.openapi.declarations import Operation, Parameter, Path, Reply, Schema
from adapters.http.openapi.schemas import SHARED, entity_schemas, ref
from adapters.http.responses.problems import PROBLEMS, problem
from domain.registry import ENTITY_TYPES

API_VERSION = "1.0"

OWN_TAG = "service"
_TAGS = {
    **{each.collection: each.meaning for each in ENTITY_TYPES if each.meaning},
    "calendars": "Tasks with a due date as a calendar that other programs subscribe to.",
    "todos": "Tasks as the to-dos of Todo-Backend.",
    "changes": "The log of all changes, by polling, as events, or over a WebSocket.",
    "keys": "Who may do what. A key is shown once.",
    "session": "A browser shows a key once, and goes on with a cookie.",
    OWN_TAG: "The service itself: its pages, its health, its documentation.",
}

_ALWAYS = (
    "malformed_request",
    "bad_parameter",
    "method_not_allowed",
    "not_acceptable",
    "rate_limited",
    "uri_too_long",
    "headers_too_large",
    "internal_error",
    "unavailable",
)
_NEEDS_KEY = ("unauthorized", "forbidden", "bad_header")
_TEXT: Schema = {"type": "string"}
_SECURITY_SCHEMES = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "brm_…",
        "description": "A key, as POST /keys makes it.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": f"The cookie that POST /session sets; over https it is {SECURE_COOKIE}.",
    },
}
HEADERS: dict[str, tuple[str, Schema]] = {
    "ETag": ("The version in quotes, or a weak tag of all that the answer shows.", _TEXT),
    "Location": ("Where the new entity is.", _TEXT),
    "Link": ('The next page, as rel="next".', _TEXT),
    "Allow": ("The methods of this path.", _TEXT),
    "Accept": ("The media types that are taken.", _TEXT),
    "Accept-Patch": ("The media types that are taken.", _TEXT),
    "Accept-Encoding": ("The encodings that are taken.", _TEXT),
    "Upgrade": ("What to ask for.", {"const": "websocket"}),
    "Content-Disposition": ("The name of the file, where one is saved.", _TEXT),
    "Retry-After": ("Seconds to wait before another try.", {"type": "integer"}),
    "Idempotency-Replayed": ("`true` where this is the answer that was kept for the key.", {"const": "true"}),
    "Preference-Applied": ("`validate-only` where nothing was stored because of it.", {"const": "validate-only"}),
    "WWW-Authenticate": ("What to show.", {"const": "Bearer"}),
    "Set-Cookie": ("The session.", _TEXT),
    "RateLimit-Policy": ("How often the caller may ask, where that is limited.", _TEXT),
    "RateLimit": ("How often he may now, and in how many seconds as often as ever.", _TEXT),
    "X-Content-Type-Options": ("Nothing is to be taken for what it is not.", {"const": "nosniff"}),
    "Referrer-Policy": ("No other site is told of this one.", {"const": "no-referrer"}),
    "Content-Security-Policy": ("What a page may do.", _TEXT),
    "X-Request-ID": ("The id of this request: the client's own, or a new one.", _TEXT),
    "X-Process-Time": ("How long the service took.", {"type": "string", "pattern": r"^[0-9]+\.[0-9]{2}ms$"}),
}
_EVERYWHERE = (
    "X-Request-ID",
    "X-Process-Time",
    "X-Content-Type-Options",
    "Referrer-Policy",
    "RateLimit-Policy",
    "RateLimit",
)
_IF_NONE_MATCH = Parameter(name="If-None-Match", location="header", schema={"type": "string"})
_UNCHANGED = Reply(description="The client has it.", headers=("ETag",))
_OF_WRITES = ("Idempotency-Replayed", "Preference-Applied")
_OF_PROBLEMS = {
    "unauthorized": ("WWW-Authenticate",),
    "rate_limited": ("Retry-After",),
    "method_not_allowed": ("Allow",),
    "unsupported_media_type": ("Accept", "Accept-Patch", "Accept-Encoding"),
    "idempotency_key_in_flight": ("Retry-After",),
    "unavailable": ("Retry-After",),
    "upgrade_required": ("Upgrade",),
}


def document(paths: Sequence[Path]) -> dict[str, Any]:
    """Return the whole document."""
    schemas: dict[str, Schema] = dict(SHARED)
    for entity_type in ENTITY_TYPES:
        schemas |= entity_schemas(entity_type)
    for path in paths:
        schemas |= path.schemas
    described = {path.template: _path(path) for path in paths}
    headers = {name: {"description": text, "schema": schema} for name, (text, schema) in HEADERS.items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "backroom",
            "version": API_VERSION,
            "summary": "The tasks and the products of a small shop or team.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": _tags(described),
        "paths": described,
        "components": {
            "schemas": schemas,
            "headers": headers,
            "examples": _examples(),
            "securitySchemes": _SECURITY_SCHEMES,
        },
    }


def _tags(paths: dict[str, Any]) -> list[dict[str, str]]:
    """Return the tags in the order of the paths, each described where there is something to say."""
    used = dict.fromkeys(tag for path in paths.values() for each in path.values() for tag in each["tags"])
    return [{"name": tag, **({"description": _TAGS[tag]} if tag in _TAGS else {})} for tag in used]


def _path(path: Path) -> dict[str, Any]:
    return {method.lower(): _operation(operation) for method, operation in path.operations.items()}


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {"operationId": operation.name, "summary": operation.summary}
    described["tags"] = list(operation.tags or (OWN_TAG,))
    parameters = (*operation.parameters, *((_IF_NONE_MATCH,) if operation.is_revalidated else ()))
    if parameters:
        described["parameters"] = [_parameter(each) for each in parameters]
    if operation.takes is not None:
        content = _content(operation.takes, operation.example)
        described["requestBody"] = {"required": True, "content": dict.fromkeys(operation.body_types, content)}
    replies = {str(status): _reply(reply) for status, reply in _replies(operation).items()}
    shared = tuple(name for name in _OF_WRITES if any(name in reply.headers for reply in operation.replies.values()))
    needs_key = () if operation.scope is None else _NEEDS_KEY
    problems = _problems({*_ALWAYS, *needs_key, *operation.problems}, shared)
    return {**described, "security": _security(operation), "responses": {**replies, **problems}}


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    """Return what admits a caller: one of the schemes, with a scope; nothing where everyone may call."""
    return [] if operation.scope is None else [{name: [operation.scope.value]} for name in _SECURITY_SCHEMES]


def _replies(operation: Operation) -> dict[int, Reply]:
    """Return the successful responses of an operation, 304 included."""
    if not operation.is_revalidated:
        return dict(operation.replies)
    tagged = {status: evolve(each, headers=("ETag", *each.headers)) for status, each in operation.replies.items()}
    return {**tagged, 304: _UNCHANGED}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    described: dict[str, Any] = {"name": parameter.name, "in": parameter.location, "schema": parameter.schema}
    if parameter.location == "path":
        described["required"] = True
    if parameter.schema.get("type") == "array":
        described["explode"] = False  # values separated by commas
    if parameter.description:
        described["description"] = parameter.description
    if parameter.example is not None:
        described["example"] = parameter.example
    return described


def _reply(reply: Reply) -> dict[str, Any]:
    described: dict[str, Any] = {"description": reply.description, "headers": _headers(reply.headers)}
    if reply.schema is not None:
        texts = {media_type: _content(_TEXT, example or None) for media_type, example in reply.also.items()}
        example = reply.example() if callable(reply.example) else reply.example
        described["content"] = {reply.media_type: _content(reply.schema, example), **texts}
    return described


def _content(schema: Schema, example: Any) -> dict[str, Any]:
    return {"schema": schema} if example is None else {"schema": schema, "example": example}


def _problems(codes: Iterable[str], shared: tuple[str, ...]) -> dict[str, Any]:
    by_status: defaultdict[int, list[str]] = defaultdict(list)
    for code in sorted(codes):
        by_status[PROBLEMS[code].status].append(code)
    return {str(status): _refused(tuple(codes), shared) for status, codes in sorted(by_status.items())}


@cache  # most operations share their errors
def _refused(codes: tuple[str, ...], shared: tuple[str, ...]) -> dict[str, Any]:
    """Describe the responses of one status. The examples name every code that it may have."""
    examples = {code: {"$ref": f"#/components/examples/{code}"} for code in codes}
    return {
        "description": "; ".join(f"`{code}`: {PROBLEMS[code].explanation}" for code in codes),
        "headers": _headers((*(name for code in codes for name in _OF_PROBLEMS.get(code, ())), *shared)),
        "content": {"application/problem+json": {"schema": ref("Problem"), "examples": examples}},
    }


def _examples() -> dict[str, Any]:
    return {
        code: {
            "summary": entity_type.title,
            "value": problem(code, entity_type.explanation, "6f1d20c5a3e94b7d0000000000000001"),
        }
        for code, entity_type in PROBLEMS.items()
    }


def _headers(names: tuple[str, ...]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*names, *_EVERYWHERE)}
