"""What a proxy says about the original request. Only trusted proxies are believed."""

import re
from collections.abc import Sequence
from urllib.parse import unquote

from attrs import frozen
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import _TrustedHosts

from adapters.http.requests.header_lists import members, parameters
from adapters.http.requests.request import joined

_PREFIX = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(:[0-9]*)?")
_NODE = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::([0-9]{1,5}))?|([0-9.]+)(?::([0-9]{1,5}))?|([0-9A-Fa-f:.]+)")
_SCHEMES = {"http": ("http", "ws"), "https": ("https", "wss"), "ws": ("http", "ws"), "wss": ("https", "wss")}


@frozen
class Hop:
    """What one proxy says about the client that it saw. A part is empty where the proxy says nothing."""

    client: str = ""
    host: str = ""
    scheme: str = ""

    @property
    def address(self) -> tuple[str, int] | None:
        """Return the address and port of the client (port 0 if unknown), or None if it is not an address."""
        found = _NODE.fullmatch(self.client)
        return None if found is None else (found[1] or found[3] or found[5], int(found[2] or found[4] or 0))


class Forwarded:
    """Takes the client, the host and the scheme from X-Forwarded-For, -Host and -Proto, or else from Forwarded.

    Each proxy appends what it saw at the right end. The hops are read from the right, for as long as they name a
    trusted proxy. The last hop that is read counts. X-Forwarded-Prefix holds the prefix that the proxies took off the
    path. Every URL that is made here begins with it, as with a server's own `root_path`.
    """

    def __init__(self, app: ASGIApp, *, trusted: Sequence[str]) -> None:
        self._app = app
        self._trusted = _TrustedHosts(list(trusted))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one socket."""
        client = scope.get("client") or (None,)
        if scope["type"] in ("http", "websocket") and client[0] in self._trusted:
            self._believe(scope)
        await self._app(scope, receive, send)

    def _believe(self, scope: Scope) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in joined(scope["headers"]).items()}
        hop = self._outermost(_x_forwarded(headers) or _forwarded(headers.get("forwarded", "")))
        if (address := hop.address) is not None:
            scope["client"] = address
        if hop.scheme in _SCHEMES:
            scope["scheme"] = _SCHEMES[hop.scheme][scope["type"] == "websocket"]
        if _HOST.fullmatch(hop.host):
            others = (header for header in scope["headers"] if header[0] != b"host")
            scope["headers"] = [(b"host", hop.host.encode()), *others]
        if prefix := _prefix(headers.get("x-forwarded-prefix", "")):
            scope["root_path"], scope["path"] = prefix + scope.get("root_path", ""), prefix + scope["path"]

    def _outermost(self, hops: list[Hop]) -> Hop:
        """Return the hop that counts. The first of the `hops` comes from the innermost proxy."""
        chosen = Hop()
        for hop in hops:
            chosen = hop
            if hop.address is None or hop.address[0] not in self._trusted:
                break
        return chosen


def _x_forwarded(headers: dict[str, str]) -> list[Hop]:
    lists = [members(headers.get(f"x-forwarded-{name}", ""))[::-1] for name in ("for", "host", "proto")]
    return [
        Hop(*(each[min(index, len(each) - 1)] if each else "" for each in lists))
        for index in range(max(map(len, lists)))
    ]


def _forwarded(header: str) -> list[Hop]:
    """Return the hops of a Forwarded header (RFC 7239)."""
    pairs = map(parameters, reversed(members(header)))
    return [Hop(each.get("for", ""), each.get("host", ""), each.get("proto", "").lower()) for each in pairs]


def _prefix(header: str) -> str:
    """Return the prefix that the proxies took off the path, the outermost first. What is no path is left out."""
    parts = [part.strip().rstrip("/") for part in header.split(",")]
    return unquote("".join(part for part in parts if _PREFIX.fullmatch(part)))
