"""Applications with WebSockets, and a client of theirs."""

import asyncio

from attrs import Factory, define
from starlette.types import Receive, Scope, Send

from tests.protocol.frames import open_websocket
from tests.protocol.wire import Client, Running, respond


@define
class Echo:
    """An application that echoes messages. `end` is the code with which the first WebSocket ended."""

    scope: Scope = Factory(dict)
    end: asyncio.Future[int] = Factory(lambda: asyncio.get_running_loop().create_future())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        if scope["type"] == "http":
            await respond(send)
            return
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({**message, "type": "websocket.send"})
        if not self.end.done():
            self.end.set_result(message["code"])


@define
class Chatter:
    """An application that keeps sending, with a pause after each message. `ended` is set once the client has gone."""

    pause: float
    ended: asyncio.Event = Factory(asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        try:
            while True:
                await send({"type": "websocket.send", "text": "x"})
                await asyncio.sleep(self.pause)
        except OSError:
            self.ended.set()


async def connected(server: Running) -> Client:
    """Return a client with an open WebSocket."""
    client = await server.connect()
    await open_websocket(client)
    return client
