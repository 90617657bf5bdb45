"""Cross-origin resource sharing (Fetch Standard, 3.3): which other origins may send requests and read responses."""

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
MAX_AGE_S = 600  # how long a browser remembers a grant

_EXPOSED = (b"access-control-expose-headers", ", ".join(EXPOSED).encode())


class Grants:
    """Which origins are granted what."""

    def __init__(self, origins: Sequence[str]) -> None:
        self._all = "*" in origins
        self._origins = frozenset(each.encode() for each in origins)

    @property
    def depend_on_origin(self) -> bool:
        """Tell whether responses depend on the origin. Then no cache may give one to another origin."""
        return bool(self._origins) and not self._all

    def to(self, origin: bytes | None) -> tuple[Header, ...]:
        """Return the headers that let a page of an origin read a response, or none."""
        if origin is None or not (self._all or origin in self._origins):
            return ()
        return ((b"access-control-allow-origin", b"*" if self._all else origin), _EXPOSED)

    def of_refusal(self, origin: bytes | None) -> tuple[Header, ...]:
        """Return the same for an error. Where no origin was read, the only allowed origin may be the page's."""
        if origin is None and len(self._origins) == 1:
            (origin,) = self._origins
        granted = self.to(origin)
        return (*granted, (b"vary", b"Origin")) if granted and self.depend_on_origin else granted


class CrossOrigin:
    """Adds the CORS headers to every response, for the pages that may read it.

    A preflight is an ordinary OPTIONS request. It grants the methods that its response lists for the path.
    """

    def __init__(self, app: ASGIApp, grants: Grants) -> None:
        self._app = app
        self._grants = grants

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, whether it succeeds or fails."""
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
