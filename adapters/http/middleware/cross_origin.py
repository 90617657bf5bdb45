"""Cross-origin resource sharing (Fetch Standard, 3.3): which pages of other origins may call, and read the answers."""

from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.requests.request import request_of
from adapters.http.responses.responses import Header

EXPOSED = (
    "ETag",
    "Link",
    "Location",
    "Retry-After",
    "X-Request-ID",
    "X-Process-Time",
    "Idempotency-Replayed",
    "RateLimit",
    "RateLimit-Policy",
)
MAX_AGE_S = 600  # for which a browser remembers what it was granted

_EXPOSED = (b"access-control-expose-headers", ", ".join(EXPOSED).encode())


class Grants:
    """Which origins are granted what."""

    def __init__(self, origins: Sequence[str]) -> None:
        self._all = "*" in origins
        self._origins = frozenset(each.encode() for each in origins)

    @property
    def depend_on_origin(self) -> bool:
        """Tell whether an answer depends on who asks, so that no cache may give it to others."""
        return bool(self._origins) and not self._all

    def to(self, origin: bytes | None) -> tuple[Header, ...]:
        """Return the headers that let a page of an origin read an answer, or none."""
        if origin is None or not (self._all or origin in self._origins):
            return ()
        return ((b"access-control-allow-origin", b"*" if self._all else origin), _EXPOSED)

    def of_refusal(self, origin: bytes | None) -> tuple[Header, ...]:
        """Return the same for a refusal; where no origin was read, the only one that there is may be the page's."""
        if origin is None and len(self._origins) == 1:
            (origin,) = self._origins
        granted = self.to(origin)
        return (*granted, (b"vary", b"Origin")) if granted and self.depend_on_origin else granted


class CrossOrigin:
    """Adds to every answer what lets the pages read it that may.

    A preflight is an OPTIONS like any other, and grants the methods that its answer says the path has.
    """

    def __init__(self, app: ASGIApp, grants: Grants) -> None:
        self._app = app
        self._grants = grants

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever becomes of it."""
        headers = request_of(scope).headers
        granted = self._grants.to(headers.get(b"origin"))
        if not granted:
            return await self._app(scope, receive, send)
        is_preflight = scope.get("method") == "OPTIONS" and b"access-control-request-method" in headers

        async def shared(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] += granted
                if is_preflight:
                    message["headers"] += _of_preflight(dict(message["headers"]), headers)
            await send(message)

        return await self._app(scope, receive, shared)


def _of_preflight(answered: dict[bytes, bytes], asked: dict[bytes, bytes]) -> list[Header]:
    headers = [(b"access-control-max-age", b"%d" % MAX_AGE_S)]
    if b"allow" in answered:
        headers.append((b"access-control-allow-methods", answered[b"allow"]))
    if b"access-control-request-headers" in asked:
        headers.append((b"access-control-allow-headers", asked[b"access-control-request-headers"]))
    return headers
