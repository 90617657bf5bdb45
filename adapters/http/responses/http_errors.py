"""Refusals that belong to HTTP alone: the domain never hears of these requests."""

from collections.abc import Sequence
from typing import ClassVar

from attrs import field, frozen

from adapters.http.responses.responses import Header


@frozen
class HttpError(Exception):
    """A request that HTTP refuses, with what there is to say about it."""

    code: ClassVar[str]
    message: str
    headers: Sequence[Header] = field(default=(), kw_only=True)

    def __str__(self) -> str:
        return self.message


class MalformedRequest(HttpError):
    """The request itself is broken."""

    code = "malformed_request"


class MalformedJson(HttpError):
    """The body is not the JSON that it should be."""

    code = "malformed_json"


class BadParameter(HttpError):
    """A query parameter that is unknown, repeated or not of its type."""

    code = "bad_parameter"


class BadHeader(HttpError):
    """A header that cannot be understood."""

    code = "bad_header"


@frozen
class OutOfRange(HttpError):
    """A part of the path or of the query is well-formed, but not in its range."""

    code: ClassVar[str] = "invalid"
    place: str  # "path" or "query"
    parameter: str


class Missing(HttpError):
    """There is nothing at this path."""

    code = "not_found"


class MethodNotAllowed(HttpError):
    """The path has no such method."""

    code = "method_not_allowed"


class NotAcceptable(HttpError):
    """The client accepts nothing that could be answered."""

    code = "not_acceptable"


class TimedOut(HttpError):
    """The head or the body of the request stopped coming."""

    code = "timeout"


class UriTooLong(HttpError):
    """The request target is longer than what is taken."""

    code = "uri_too_long"


class HeadersTooLarge(HttpError):
    """The headers are more, or longer, than what is taken."""

    code = "headers_too_large"


class Overloaded(HttpError):
    """As many requests are in progress as the process takes at once."""

    code = "unavailable"


class BodyTooLarge(HttpError):
    """The body is longer than what is taken."""

    code = "body_too_large"


class UnsupportedMediaType(HttpError):
    """The body is not JSON, or is compressed."""

    code = "unsupported_media_type"


class RangeNotSatisfiable(HttpError):
    """Nothing of the file is in the range that was asked for."""

    code = "range_not_satisfiable"


class BadOrigin(HttpError):
    """A page of another site tries to write."""

    code = "bad_origin"


class Unauthorized(HttpError):
    """Nobody knows who asks: there is no key, or it is none that is valid."""

    code = "unauthorized"


class Forbidden(HttpError):
    """The key is good, but not for this."""

    code = "forbidden"


class RateLimited(HttpError):
    """Whoever asks has asked too often."""

    code = "rate_limited"


class UpgradeRequired(HttpError):
    """The path is a WebSocket, and the request does not ask for one."""

    code = "upgrade_required"


class BadHost(HttpError):
    """The request is for a host that this service does not answer for."""

    code = "malformed_request"
