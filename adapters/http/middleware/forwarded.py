"""What a proxy says about the request that it passes on; believed of those that are trusted, and of nobody else."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Scope
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

_PREFIX = re.compile(rb"(/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+")


class Forwarded(ProxyHeadersMiddleware):
    """Takes the client, the scheme and the prefix of a path from X-Forwarded-For, -Proto and -Prefix.

    A prefix is what the proxies took off the path. It comes back in every URL that is made here, as a server's own
    `root_path` does.
    """

    def __init__(self, app: ASGIApp, *, trusted: Sequence[str]) -> None:
        super().__init__(app, list(trusted))  # type: ignore[arg-type]  # the same, in uvicorn's own words

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request or one socket."""
        client = scope.get("client") or (None,)
        if client[0] in self.trusted_hosts and (prefix := _prefix(scope)):
            scope["root_path"], scope["path"] = prefix + scope.get("root_path", ""), prefix + scope["path"]
        await super().__call__(scope, receive, send)


def _prefix(scope: Scope) -> str:
    """Return what was taken off the path, by the outermost proxy first; what is no path was not."""
    sent = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-prefix")
    parts = [part.strip().rstrip(b"/") for part in sent.split(b",")]
    return unquote(b"".join(part for part in parts if _PREFIX.fullmatch(part)).decode())
