"""Handshakes of sockets that are refused: with a problem, as any other request."""

from starlette.types import Message, Receive, Scope, Send

from backroom.adapters.http.answers import Answer

_EXTENSION = "websocket.http.response"


async def refuse(answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a handshake; a server that knows no such answers (an extension of ASGI) sends 403 instead."""
    if _EXTENSION not in scope.get("extensions", {}):
        await send({"type": "websocket.close"})
        return

    async def send_instead(message: Message) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    await answer({**scope, "method": "GET"}, receive, send_instead)
