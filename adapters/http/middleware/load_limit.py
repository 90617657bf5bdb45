"""The limit of requests that are worked on at once."""

from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.http.requests.request import request_of
from adapters.http.responses.http_errors import Overloaded
from adapters.http.responses.problems import response_of
from adapters.http.responses.send_error import send_error

HEALTH = frozenset({"/healthz", "/readyz"})


class LoadLimit:
    """Refuses a request where too many are worked on. Health checks pass, because they matter most under load.

    A request counts no more once its response begins. The request context notes that.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or refuse it."""
        request = request_of(scope)
        try:
            if request.path not in HEALTH:
                request.begin_work()
        except Overloaded as overloaded:
            refusal = response_of(overloaded, request.request_id, request.root)
            return await send_error(refusal, scope, receive, send)
        return await self._app(scope, receive, send)
