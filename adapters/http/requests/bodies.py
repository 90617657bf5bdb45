"""Reading the body of a request, within its limits."""

from functools import partial
from typing import Any

from starlette.requests import ClientDisconnect

from adapters.http.fairness.heavy_work import HEAVY_BYTES
from adapters.http.fairness.pending_bodies import PendingBody
from adapters.http.requests.header_lists import parsed
from adapters.http.requests.request import Request
from adapters.http.responses.http_errors import BadHeader, BodyTooLarge, MalformedJson, UnsupportedMediaType
from adapters.http.responses.responses import JSON_TYPE
from adapters.http.timing.stopwatch import Phase, timed
from adapters.serialization.strict_json import NotJson, parse_object

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"


async def read_object(request: Request, limit: int) -> tuple[bytes, dict[str, Any]]:
    """Return the body, of at most `limit` bytes, and the JSON object in it.

    Raises `UnsupportedMediaType`, `BodyTooLarge` and `MalformedJson`.
    """
    check_media_type(request)
    body = await read_body(request, limit)
    if len(body) > HEAVY_BYTES:
        await request.begin_heavy_work()
    return body, await request.compute(partial(object_of, body))


def object_of(body: bytes) -> dict[str, Any]:
    """Return the object that a body holds, with fractions as `Decimal`. Raises `MalformedJson`."""
    if not body:
        raise MalformedJson("the body is empty; a JSON object is expected")
    try:
        return parse_object(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise MalformedJson("the body is not UTF-8") from None
    except NotJson as error:
        raise MalformedJson(f"the body {error}") from None


async def read_body(request: Request, limit: int) -> bytes:
    """Return the body. Raises `TimedOut`, `Overloaded`, and `BodyTooLarge` as soon as it exceeds the limit."""
    announced = request.headers.get(b"content-length", b"0")
    if not announced.isdigit():
        raise BadHeader("Content-Length is not a number")
    if len(announced) > 19 or int(announced) > limit:
        raise _too_large(limit)
    if request.is_whole:
        return await _received(request, None, limit)
    bodies = request.capacity.bodies
    request.body = body = bodies.begin(request.address)
    try:
        with request.waiting(), timed(Phase.BODY):
            async with body.deadline:
                return await _received(request, body, limit)
    except TimeoutError:
        if body.error is None:
            raise
        raise body.error from None
    finally:
        bodies.end(body)


async def _received(request: Request, body: PendingBody | None, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk: bytes = message.get("body", b"")
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        if body is not None:
            request.capacity.bodies.grow(body, len(chunk))
        if not message.get("more_body", False):
            return b"".join(chunks)


def _too_large(limit: int) -> BodyTooLarge:
    # The server would read the rest of the body as the next request, so the connection ends here.
    return BodyTooLarge(f"the body is larger than {limit} bytes", headers=((b"connection", b"close"),))


def _has_body(request: Request) -> bool:
    return b"transfer-encoding" in request.headers or request.headers.get(b"content-length", b"0") != b"0"


def check_media_type(request: Request) -> None:
    """Raise `UnsupportedMediaType` for a body that does not say that it is JSON, or is compressed."""
    if request.headers.get(b"content-type") == JSON_TYPE and b"content-encoding" not in request.headers:
        return  # as nearly always
    patches = request.method == "PATCH"
    accepted = (JSON, MERGE_PATCH) if patches else (JSON,)
    advice = (b"accept-patch" if patches else b"accept", ", ".join(accepted).encode())
    encoding = request.header(b"content-encoding")
    if encoding is not None and any(each.name != "identity" for each in parsed(encoding)):
        raise UnsupportedMediaType(
            "a compressed body is not taken", headers=(advice, (b"accept-encoding", b"identity"))
        )
    sent = request.header(b"content-type")
    if sent is None and not _has_body(request):
        return
    types = [*parsed(sent or "")]
    charsets = {each.parameters.get("charset", "utf-8").lower() for each in types}
    if len(types) != 1 or types[0].name not in accepted or not charsets <= {"utf-8", "utf8"}:
        raise UnsupportedMediaType(f"the body must be {' or '.join(accepted)} in UTF-8", headers=(advice,))
