"""The response to a request that never reaches the application, as bytes. The connection closes after it."""

from collections.abc import Iterable
from http import HTTPStatus
from uuid import uuid4

import orjson

from adapters.http.responses.caching import NEVER
from adapters.http.responses.http_errors import HttpError
from adapters.http.responses.problems import PROBLEM_TYPE, PROBLEMS, problem
from adapters.http.responses.responses import Header
from adapters.http.responses.security_headers import OF_EVERYTHING


def error_response(refusal: HttpError, server_headers: Iterable[Header] = (), *, is_head: bool = False) -> bytes:
    """Return a whole HTTP/1.1 response: a problem with a new request id. `is_head` leaves out the body."""
    request_id = uuid4().hex
    body = orjson.dumps(problem(refusal.code, refusal.message, request_id))
    entity_type = PROBLEMS[refusal.code]
    headers = (
        *server_headers,
        *entity_type.headers,
        *refusal.headers,
        (b"content-type", PROBLEM_TYPE),
        (b"cache-control", NEVER),
        *OF_EVERYTHING,
        (b"content-length", b"%d" % len(body)),
        (b"x-request-id", request_id.encode()),
        (b"x-process-time", b"0.00ms"),  # the application did not see it
        (b"connection", b"close"),
    )
    status_line = b"HTTP/1.1 %d %s\r\n" % (entity_type.status, HTTPStatus(entity_type.status).phrase.encode())
    lines = b"".join(b"%s: %s\r\n" % header for header in headers)
    return status_line + lines + b"\r\n" + (b"" if is_head else body)
