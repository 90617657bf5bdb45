"""Parameters and problems that the declarations of many operations share."""

from adapters.http.openapi import patterns
from adapters.http.openapi.declarations import Parameter
from domain.entity_type import MAX_ID
from domain.queries import DEFAULT_LIMIT, MAX_LIMIT

BODY = ("malformed_json", "body_too_large", "unsupported_media_type", "invalid", "timeout")
KEYLESS_WRITE = ("bad_header", "bad_origin", "storage_full")
WRITE = ("bad_header", "bad_origin", "idempotency_key_in_flight", "idempotency_key_reused", "storage_full")
CHANGE = ("not_found", "invalid", "precondition_failed", "precondition_required", *WRITE)
KEPT = ("Idempotency-Replayed", "Preference-Applied")

LIMIT = Parameter(
    name="limit",
    location="query",
    schema={"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
)
CURSOR = Parameter(
    name="cursor",
    location="query",
    schema={"type": "string", "pattern": patterns.CURSOR},
    description="From `next`; opaque.",
)
ID = Parameter(name="id", location="path", schema={"type": "integer", "minimum": 1, "maximum": MAX_ID}, example=1)
IF_MATCH = Parameter(
    name="If-Match",
    location="header",
    schema={"type": "string", "pattern": r'^(\*|(W/)?"[!#-~]*"(, *(W/)?"[!#-~]*")*)$'},
    description='The version that is meant: `"7"`, or `*`.',
)
_KEY = Parameter(
    name="Idempotency-Key",
    location="header",
    schema={"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    description="The same key and request give the first answer again, for 24 hours.",
)
PREFER = Parameter(
    name="Prefer",
    location="header",
    schema={"type": "string"},
    description="`validate-only` stores nothing (RFC 7240).",
)
SUBMITTED = (_KEY, PREFER)
