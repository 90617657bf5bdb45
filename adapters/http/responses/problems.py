"""Problem documents for every error (RFC 9457). This is the one table from codes to statuses."""

from typing import Any

import orjson
from attrs import frozen

from adapters.http.responses.http_errors import HttpError, OutOfRange
from adapters.http.responses.responses import Header, Response, json_bytes
from domain.errors import DomainError, ParameterOutOfRange, PreconditionFailed, ValidationFailed
from domain.stored_entity import StoredEntity

PROBLEM_TYPE = b"application/problem+json"


@frozen
class ProblemType:
    """What a code means."""

    status: int
    title: str
    explanation: str
    headers: tuple[Header, ...] = ()


_SOON: tuple[Header, ...] = ((b"retry-after", b"1"),)

PROBLEMS = {
    "malformed_request": ProblemType(400, "Malformed request", "The request is not valid HTTP for this service."),
    "malformed_json": ProblemType(
        400,
        "Malformed JSON",
        "The body must be one JSON object in UTF-8, without a byte order mark, NaN, Infinity, lone surrogates, "
        "duplicate keys, nesting deeper than 32, or more than 30,000 values.",
    ),
    "bad_parameter": ProblemType(
        400, "Bad parameter", "A query parameter is unknown, repeated, or not of its type. Nothing is ignored silently."
    ),
    "bad_cursor": ProblemType(
        400, "Bad cursor", "A cursor is opaque and belongs to the query or the log that gave it. Start again without."
    ),
    "bad_header": ProblemType(400, "Bad header", "A header cannot be understood."),
    "unauthorized": ProblemType(
        401,
        "Unauthorized",
        "This needs a valid key. Send Authorization: Bearer brm_…; a new one is made with `backroom keys create`.",
        ((b"www-authenticate", b"Bearer"),),
    ),
    "forbidden": ProblemType(403, "Forbidden", "The key is valid, but its scope does not include this."),
    "bad_origin": ProblemType(403, "Bad origin", "Pages of other sites may not write here, unless CORS allows them."),
    "not_found": ProblemType(404, "Not found", "There is nothing at this path, or no longer."),
    "method_not_allowed": ProblemType(405, "Method not allowed", "The header Allow names the methods of this path."),
    "not_acceptable": ProblemType(406, "Not acceptable", "The header Accept rules out all that could be answered."),
    "timeout": ProblemType(408, "Timeout", "The request did not arrive in time."),
    "already_exists": ProblemType(409, "Already exists", "Another entity holds a value that must be unique."),
    "insufficient_stock": ProblemType(409, "Insufficient stock", "The stock cannot go below zero."),
    "stock_not_tracked": ProblemType(409, "Stock not tracked", "The product has no stock to adjust; set one first."),
    "last_admin_key": ProblemType(
        409, "Last admin key", "Without this key nobody could administer the service. Make another one first."
    ),
    "too_many_keys": ProblemType(409, "Too many keys", "Revoke keys that nobody uses."),
    "too_many_calendars": ProblemType(409, "Too many calendars", "Delete calendars that nobody subscribes to."),
    "not_deleted": ProblemType(409, "Not deleted", "Only what was deleted can be restored."),
    "idempotency_key_in_flight": ProblemType(
        409, "Idempotency key in flight", "The first request with this key is still being decided. Retry later.", _SOON
    ),
    "cursor_expired": ProblemType(
        410, "Cursor expired", "The changes after this cursor are no longer kept. List again, and follow from there."
    ),
    "precondition_failed": ProblemType(
        412,
        "Precondition failed",
        "Somebody else was first. `current` is the entity as it stands, `changed` names the fields that changed since "
        "the version that you named. Merge, and try again with the new version.",
    ),
    "body_too_large": ProblemType(413, "Body too large", "The body is larger than this service takes."),
    "uri_too_long": ProblemType(414, "URI too long", "The request target is longer than 16 KiB."),
    "unsupported_media_type": ProblemType(
        415, "Unsupported media type", "Bodies are JSON, not compressed. Send Content-Type: application/json."
    ),
    "range_not_satisfiable": ProblemType(
        416, "Range not satisfiable", "The file has no such bytes; Content-Range says how many there are."
    ),
    "invalid": ProblemType(422, "Invalid", "The request is well-formed but breaks rules; `errors` tells every breach."),
    "idempotency_key_reused": ProblemType(
        422, "Idempotency key reused", "This key belongs to another request. Use a new key for each new request."
    ),
    "upgrade_required": ProblemType(
        426, "Upgrade required", "This path is a WebSocket. Connect to it with ws: or wss: instead of http: or https:."
    ),
    "precondition_required": ProblemType(
        428, "Precondition required", "Send If-Match with the ETag of the version that you change."
    ),
    "rate_limited": ProblemType(
        429, "Rate limited", "Too many requests, or too many tries with secrets that are not valid. Retry later."
    ),
    "headers_too_large": ProblemType(431, "Headers too large", "The headers are over 32 KiB, or over 100."),
    "internal_error": ProblemType(500, "Internal error", "Our fault. The request id finds it in the log."),
    "unavailable": ProblemType(
        503, "Unavailable", "The store cannot be reached, is overloaded, or is shutting down. Retry later.", _SOON
    ),
    "storage_full": ProblemType(
        507, "Storage full", "There is no space left to write. Reading goes on; writing resumes when there is space."
    ),
}


def problem(code: str, detail: str, request_id: str, root: str = "", **more: Any) -> dict[str, Any]:
    """Return a problem document, with our paths below `root`. `error` repeats `detail` for simple clients."""
    entity_type = PROBLEMS[code]
    return {
        "type": f"{root}/problems/{code}",
        "title": entity_type.title,
        "status": entity_type.status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
        "error": detail,
        **more,
    }


def problem_of(error: DomainError | HttpError, request_id: str, root: str = "", *, within: str = "") -> dict[str, Any]:
    """Return the problem document of an error. `within` is a JSON Pointer to the document with the error."""
    return problem(error.code, error.message, request_id, root, **_more(error, within))


def response_of(error: DomainError | HttpError, request_id: str, root: str = "", **more: Any) -> Response:
    """Return a response with a problem."""
    headers = (*PROBLEMS[error.code].headers, *getattr(error, "headers", ()))
    return problem_response({**problem_of(error, request_id, root), **more}, *headers)


def problem_response(document: dict[str, Any], *headers: Header) -> Response:
    """Return a response with a problem document."""
    return json_bytes(orjson.dumps(document), *headers, status=document["status"], media_type=PROBLEM_TYPE)


def _more(error: DomainError | HttpError, within: str) -> dict[str, Any]:
    match error:
        case ValidationFailed(violations=violations, omitted=omitted):
            errors = [
                {"in": "body", "pointer": f"{within}/{_escaped(each.field)}", "code": each.code, "detail": each.detail}
                for each in violations
            ]
            return {"errors": errors, "errors_omitted": omitted} if omitted else {"errors": errors}
        case OutOfRange(parameter=parameter) | ParameterOutOfRange(parameter=parameter):
            location = "path" if isinstance(error, OutOfRange) else "query"
            return {
                "errors": [{"in": location, "parameter": parameter, "code": "out_of_range", "detail": error.message}]
            }
        case PreconditionFailed(current=StoredEntity(document=document), changed=changed):
            return {"current": orjson.Fragment(document), "changed": list(changed)}
        case _:
            return {}


def _escaped(name: str) -> str:
    """Escape a name for a JSON Pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
