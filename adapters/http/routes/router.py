"""The router: it checks a request, and finds what serves its path."""

import re
from collections.abc import Callable, Mapping

from attrs import define, field
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.http.requests.request import Request, request_of
from adapters.http.responses.http_errors import HttpError
from adapters.http.responses.problems import response_of
from adapters.http.responses.send_error import send_error

Check = Callable[[Request], None]
"""Raises `HttpError` for a request that may not pass."""

_PARAMETER = re.compile(r"\\\{([a-z_]+)(:path)?\\\}")  # as `re.escape` leaves it


@define(eq=False, kw_only=True)
class Router:
    """Hands a request that passes every check to the endpoint of its path, and a handshake to its socket.

    A template such as `/tasks/{id}` names the parameters of its path. Each is one segment, and `{name:path}` all the
    rest. A path without parameters counts before a template. Nothing is redirected to a path with or without a slash
    at its end: that is another path, and the URL would come from the Host header.
    """

    checks: tuple[Check, ...]
    endpoints: Mapping[str, ASGIApp]  # by their templates
    sockets: Mapping[str, ASGIApp]
    nothing: ASGIApp

    _plain: dict[str, ASGIApp] = field(factory=dict, init=False)
    _patterns: dict[str, list[tuple[re.Pattern[str], str, ASGIApp]]] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        """Part the paths without parameters from the templates, which are tried by their first segments."""
        for template, endpoint in self.endpoints.items():
            if "{" in template:
                route = template.replace(":path", "")
                self._patterns.setdefault(_first(template), []).append((_pattern(template), route, endpoint))
            else:
                self._plain[template] = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one socket."""
        request = request_of(scope)
        try:
            for check in self.checks:
                check(request)
        except HttpError as error:
            refusal = response_of(error, request.request_id, request.root)
            return await send_error(refusal, scope, receive, send)
        app = self._endpoint(request) if scope["type"] == "http" else self._socket(request)
        return await app(scope, receive, send)

    def _endpoint(self, request: Request) -> ASGIApp:
        path = request.path
        if (endpoint := self._plain.get(path)) is not None:
            request.route = path
            return endpoint
        for pattern, route, endpoint in self._patterns.get(_first(path), ()):
            if (found := pattern.fullmatch(path)) is not None:
                request.route, request.parameters = route, found.groupdict()
                return endpoint
        return self.nothing

    def _socket(self, request: Request) -> ASGIApp:
        if (socket := self.sockets.get(request.path)) is None:
            return self.nothing
        request.route = request.path
        return socket


def _first(path: str) -> str:
    return path[1:].partition("/")[0]


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(_PARAMETER.sub(_group, re.escape(template)), re.DOTALL)


def _group(parameter: re.Match[str]) -> str:
    return f"(?P<{parameter[1]}>{'.*' if parameter[2] else '[^/]+'})"
