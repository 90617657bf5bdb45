"""Checks Host and Origin: which hosts this service has, and which pages may write."""

from collections.abc import Sequence
from functools import lru_cache

from adapters.http.admission.credentials import is_by_cookie
from adapters.http.requests.request import SAFE_METHODS, Request
from adapters.http.responses.http_errors import BadHost, BadOrigin

HOSTS_SETTING = "BACKROOM_ALLOWED_HOSTS says for which it does"
ORIGINS_SETTING = (
    "BACKROOM_CORS_ORIGINS says whose may, beside the service's own; behind a proxy those are known by"
    " BACKROOM_TRUSTED_PROXIES, X-Forwarded-Proto and Host or X-Forwarded-Host"
)
MAX_TOLD = 100
_OWN_SITE = (b"same-origin", b"none")  # this page, or the user directly


class OriginCheck:
    """Refuses a foreign Host, against DNS rebinding, and a foreign Origin where it could do harm.

    A browser sends Origin with every write and with every WebSocket. It sends Sec-Fetch-Site (Fetch Metadata) where
    the connection is secure. Other clients send neither.
    """

    def __init__(self, *, hosts: Sequence[str], origins: Sequence[str]) -> None:
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(origins)

    def __call__(self, request: Request) -> None:
        """Raise `BadHost` or `BadOrigin` for a request that may not pass."""
        host = request.headers.get(b"host", b"")
        if self._hosts and name_of(host) not in self._hosts:
            asked = f"for the host {_told(host)}" if host else "without a Host"
            raise BadHost(f"this service does not answer {asked}; {HOSTS_SETTING}")
        if request.method not in SAFE_METHODS and (refusal := self._refusal(request, host)):
            raise BadOrigin(refusal)

    def _refusal(self, request: Request, host: bytes) -> str | None:
        """Return why a page may not send this write, or None. A write that comes from no page may pass.

        A browser adds a cookie by itself, and nothing tells whether it did so for a WebSocket. So both are refused if
        Sec-Fetch-Site names another site, even with an allowed Origin.
        """
        site, origin = request.headers.get(b"sec-fetch-site"), request.headers.get(b"origin")
        if (site is None and origin is None) or site in _OWN_SITE:
            return None
        pages = f"pages of {_told(origin) if origin else 'another site'}"
        if site is not None and (request.method == "WEBSOCKET" or is_by_cookie(request)):
            return f"{pages} may not use a session or a WebSocket here, whatever BACKROOM_CORS_ORIGINS says"
        own = f"{request.scheme.replace('ws', 'http', 1)}://{host.decode('latin-1')}"
        if origin is not None and (origin.decode("latin-1") in (own, *self._origins) or "*" in self._origins):
            return None
        return f"{pages} may not write here; {ORIGINS_SETTING}"


def _told(value: bytes) -> str:
    return repr(value.decode("latin-1")[:MAX_TOLD])


@lru_cache(64)  # a service has few names
def name_of(host: bytes) -> str:
    """Return the name in a Host header, without its port and the brackets of an IPv6 address."""
    text = host.decode("latin-1").lower()
    return text[1:].partition("]")[0] if text.startswith("[") else text.partition(":")[0]
