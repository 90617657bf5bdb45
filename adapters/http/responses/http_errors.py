"""Errors that belong to HTTP alone. The domain never sees these requests."""

from collections.abc import Sequence
from typing import ClassVar

from attrs import field, frozen

from adapters.http.responses.responses import Header


@frozen
class HttpError(Exception):
    """A request that HTTP refuses, with the details."""

    code: ClassVar[str]
    message: str
    headers: Sequence[Header] = field(default=(), kw_only=True)

    def __str__(self) -> str:
        return self.message


class MalformedRequest(HttpError):
    """The request itself is malformed."""

    code = "malformed_request"


class MalformedJson(HttpError):
    """The body is not the JSON that it should be."""

    code = "malformed_json"


class BadHeader(HttpError):
    """A header that cannot be understood."""

    code = "bad_header"


@frozen
class OutOfRange(HttpError):
    """A part of the path is well-formed, but not in its range."""

    code: ClassVar[str] = "invalid"
    parameter: str


class Missing(HttpError):
    """There is nothing at this path."""

    code = "not_found"


class MethodNotAllowed(HttpError):
    """The path has no such method."""

    code = "method_not_allowed"


class NotAcceptable(HttpError):
    """The client accepts no media type that this path has."""

    code = "not_acceptable"


class TimedOut(HttpError):
    """The head or the body of the request stopped coming."""

    code = "timeout"


class UriTooLong(HttpError):
    """The request target is too long."""

    code = "uri_too_long"


class HeadersTooLarge(HttpError):
    """The headers are too many or too long."""

    code = "headers_too_large"


class Overloaded(HttpError):
    """The process already handles as many requests as it can."""

    code = "unavailable"


class BodyTooLarge(HttpError):
    """The body is too long."""

    code = "body_too_large"


class UnsupportedMediaType(HttpError):
    """The body is not JSON, or is compressed."""

    code = "unsupported_media_type"


class RangeNotSatisfiable(HttpError):
    """The file has no bytes in the requested range."""

    code = "range_not_satisfiable"


class BadOrigin(HttpError):
    """A page of another site tries to write."""

    code = "bad_origin"


class Unauthorized(HttpError):
    """The caller is unknown: it sent no key, or an invalid one."""

    code = "unauthorized"


class Forbidden(HttpError):
    """The key is valid, but does not allow this."""

    code = "forbidden"


class RateLimited(HttpError):
    """The caller has sent too many requests."""

    code = "rate_limited"


class UpgradeRequired(HttpError):
    """The path is a WebSocket, and the request is no handshake."""

    code = "upgrade_required"


class BadHost(HttpError):
    """The request names a host that this service does not have."""

    code = "malformed_request"
