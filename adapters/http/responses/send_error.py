"""Sends an error, to a request or to the handshake of a WebSocket, as a problem."""

from starlette.types import Message, Receive, Scope, Send

from adapters.http.responses.responses import Response

_EXTENSION = "websocket.http.response"


async def send_error(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Send it. For a handshake, a server without the ASGI extension for such responses sends 403 instead."""
    if scope["type"] == "http":
        await response(scope, receive, send)
        return
    if _EXTENSION not in scope.get("extensions", {}):
        await send({"type": "websocket.close"})
        return

    async def send_instead(message: Message) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    await response({**scope, "method": "GET"}, receive, send_instead)
