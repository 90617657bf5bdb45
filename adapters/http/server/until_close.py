"""Responses to HTTP/1.0, which has no chunks: one of unknown length ends with its connection (RFC 9112, 6.1)."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


class UntilClose:
    """Keeps uvicorn from sending a response of unknown length in chunks."""

    def __init__(self, app: ASGIApp, cycle: RequestResponseCycle) -> None:
        self._app = app
        self._cycle = cycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        is_open = False

        async def unchunked(message: Message) -> None:
            nonlocal is_open
            if message["type"] == "http.response.start":
                is_open = not any(name.lower() == b"content-length" for name, _ in message["headers"])
                if is_open:
                    self._cycle.chunked_encoding = False  # and uvicorn closes the connection anyway
            elif is_open:
                self._cycle.expected_content_length = len(message.get("body", b""))  # so no piece is too long
            await send(message)

        await self._app(scope, receive, unchunked)
