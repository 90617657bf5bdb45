"""The numbers of the service, for Prometheus."""

from collections.abc import Awaitable, Callable

from attrs import frozen

from adapters.http.requests.negotiation import preferred
from adapters.http.requests.request import Request
from adapters.http.responses.responses import Response, json_bytes

TEXT, OPENMETRICS = "text/plain", "application/openmetrics-text"

WriteMetrics = Callable[[str], Awaitable[tuple[bytes, str]]]
"""Writes the numbers as `TEXT` or `OPENMETRICS`; the second value is the whole content type."""


@frozen(eq=False)
class Metrics:
    """The operation of the path."""

    write: WriteMetrics

    async def show(self, request: Request) -> Response:
        """Respond with the numbers, in the format that the client prefers."""
        text, content_type = await self.write(preferred(request, (TEXT, OPENMETRICS)))
        return json_bytes(text, media_type=content_type.encode())
