"""Checks Host and Origin: which hosts this service has, and which pages may write."""

from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.http.admission.credentials import is_by_cookie
from adapters.http.requests.request import Request, request_of
from adapters.http.responses.http_errors import BadHost, BadOrigin, HttpError
from adapters.http.responses.problems import response_of
from adapters.http.responses.send_error import send_error

HOSTS_SETTING = "BACKROOM_ALLOWED_HOSTS says for which it does"
ORIGINS_SETTING = (
    "BACKROOM_CORS_ORIGINS says whose may, beside the service's own as it is addressed; behind a proxy that is known by"
    " BACKROOM_TRUSTED_PROXIES and X-Forwarded-Proto"
)
MAX_TOLD = 100
_OWN_SITE = (b"same-origin", b"none")  # this page, or the user directly
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class OriginCheck:
    """Refuses a foreign Host, against DNS rebinding, and a foreign Origin where it could do harm.

    A browser sends Origin with every write and with every WebSocket. It sends Sec-Fetch-Site (Fetch Metadata) where
    the connection is secure. Other clients send neither.
    """

    def __init__(self, app: ASGIApp, *, hosts: Sequence[str], origins: Sequence[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or refuse it."""
        request = request_of(scope)
        refusal = self._refusal(request, scope["scheme"])
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await send_error(response_of(refusal, request.request_id, request.root), scope, receive, send)

    def _refusal(self, request: Request, scheme: str) -> HttpError | None:
        host = request.headers.get(b"host", b"").decode("latin-1")
        if self._hosts and name_of(host) not in self._hosts:
            return BadHost(f"this service does not answer for the host {host[:MAX_TOLD]!r}; {HOSTS_SETTING}")
        if request.method in SAFE_METHODS or self._may_write(request, f"{scheme.replace('ws', 'http', 1)}://{host}"):
            return None
        origin = request.headers.get(b"origin", b"another site").decode("latin-1")
        return BadOrigin(f"pages of {origin[:MAX_TOLD]!r} may not write here; {ORIGINS_SETTING}")

    def _may_write(self, request: Request, own: str) -> bool:
        """Tell whether a page may send this write. A write that comes from no page may pass.

        A browser adds a cookie by itself, and nothing tells whether it did so for a WebSocket. So both are refused if
        Sec-Fetch-Site names another site, even with an allowed Origin.
        """
        site, origin = request.headers.get(b"sec-fetch-site"), request.headers.get(b"origin")
        if site in _OWN_SITE or (site is None and origin is None):
            return True
        if site is not None and (request.method == "WEBSOCKET" or is_by_cookie(request)):
            return False
        return origin is not None and (origin.decode("latin-1") in (own, *self._origins) or "*" in self._origins)


def name_of(host: str) -> str:
    """Return the name in a Host header, without its port and the brackets of an IPv6 address."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()
