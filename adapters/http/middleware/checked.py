"""The checks that every request passes before it is routed, in one layer."""

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.http.requests.request import Request, request_of
from adapters.http.responses.http_errors import HttpError
from adapters.http.responses.problems import response_of
from adapters.http.responses.send_error import send_error

Check = Callable[[Request], None]
"""Raises `HttpError` for a request that may not pass."""


class Checked:
    """Lets a request pass that passes every check, and refuses any other."""

    def __init__(self, app: ASGIApp, *checks: Check) -> None:
        """The checks run in this order, until one refuses."""
        self._app = app
        self._checks = checks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or refuse it."""
        request = request_of(scope)
        try:
            for check in self._checks:
                check(request)
        except HttpError as error:
            refusal = response_of(error, request.request_id, request.root)
            return await send_error(refusal, scope, receive, send)
        return await self._app(scope, receive, send)
