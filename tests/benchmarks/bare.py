"""Server (a): an ASGI application that only responds. It shows the most that uvicorn can do here."""

from starlette.types import Receive, Scope, Send

# 250 bytes, about as much as one task.
BODY = b'{"id":1,"title":"' + b"x" * 231 + b'"}'
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())],
}
END = {"type": "http.response.body", "body": BODY}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond to any request with the same bytes."""
    await send(START)
    await send(END)
