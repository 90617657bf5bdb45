"""The path of the metrics: on the service behind its keys, and alone on an address of its own."""

from attrs import frozen
from starlette.types import Receive, Scope, Send

from adapters.http.handlers.error_handler import response_for
from adapters.http.handlers.metrics import OPENMETRICS, TEXT, Metrics
from adapters.http.openapi.declarations import Operation, Path, Reply
from adapters.http.requests.request import Request, request_of
from adapters.http.responses.http_errors import MethodNotAllowed, Missing
from adapters.http.responses.responses import Header, Response
from domain.access.scopes import AccessScope

PATH = "/metrics"
_EXAMPLE = """\
# HELP backroom_store_up Whether the store could be read for this answer: 1 or 0.
# TYPE backroom_store_up gauge
backroom_store_up 1.0
"""
_ALLOW: Header = (b"allow", b"GET, HEAD")


def path(metrics: Metrics) -> Path:
    """Return the path as the service has it."""
    reply = Reply(
        description="All numbers of all workers of this host, as Prometheus or OpenMetrics text.",
        schema={"type": "string"},
        media_type=TEXT,
        example=_EXAMPLE,
        also={OPENMETRICS: f"{_EXAMPLE}# EOF\n"},
    )
    operation = Operation(
        name="metrics",
        summary="Read the metrics",
        scope=AccessScope.ADMIN,
        handler=metrics.show,
        replies={200: reply},
    )
    return Path(template=PATH, operations={"GET": operation})


@frozen(eq=False)
class MetricsOnly:
    """Serves the metrics to everyone, and nothing else."""

    metrics: Metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, as an ASGI application."""
        request = request_of(scope)
        try:
            response = await self._response(request)
        except Exception as error:  # noqa: BLE001 - as for every other path
            response = response_for(error, request)
        await response(scope, receive, send)

    async def _response(self, request: Request) -> Response:
        if request.path != PATH:
            raise Missing(f"there is nothing here but {PATH}")
        request.route = PATH
        if request.method not in ("GET", "HEAD"):
            raise MethodNotAllowed(f"{request.method} is not a method of this path", headers=(_ALLOW,))
        return await self.metrics.show(request)
