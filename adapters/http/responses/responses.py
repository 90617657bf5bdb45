"""Responses of handlers, ready to be sent."""

from typing import Any

import orjson
from attrs import field
from starlette.background import BackgroundTask
from starlette.types import Receive, Scope, Send

from domain.value_object import value_object

Header = tuple[bytes, bytes]

JSON_TYPE = b"application/json"


@value_object(kw_only=True)
class Response:
    """A whole response. `background` runs once it has been sent."""

    status: int = 200
    headers: tuple[Header, ...] = ()
    body: bytes = b""
    background: BackgroundTask | None = field(default=None, eq=False)

    def plus(self, *headers: Header) -> "Response":
        """Return this response with more headers."""
        # Not by `evolve`, which takes twice as long, and every entity's response passes here.
        return Response(
            status=self.status, headers=(*self.headers, *headers), body=self.body, background=self.background
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, as an ASGI application. The outermost layer removes the body for HEAD."""
        headers = list(self.headers)
        if self.status not in (204, 304):  # these have no content, not even of length 0 (RFC 9110, 8.6)
            headers.append((b"content-length", str(len(self.body)).encode()))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})
        if self.background is not None:
            await self.background()


def json_response(document: Any, *headers: Header, status: int = 200) -> Response:
    """Return a response with a document."""
    return json_bytes(orjson.dumps(document), *headers, status=status)


def json_text(document: str, *headers: Header, status: int = 200) -> Response:
    """Return a response with a document that is already encoded, as text."""
    return json_bytes(document.encode(), *headers, status=status)


def json_bytes(body: bytes, *headers: Header, status: int = 200, media_type: bytes = JSON_TYPE) -> Response:
    """Return a response with a document that is already encoded."""
    return Response(status=status, headers=((b"content-type", media_type), *headers), body=body)
