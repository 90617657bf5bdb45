"""A real server on a real socket, and a client that writes bytes by hand."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from attrs import Factory, define, frozen
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.http.server.protocol import HttpProtocol
from adapters.http.server.websockets import WebSocketProtocol

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Server(uvicorn.Server):
    """uvicorn's server, stopped by an event. It need not check ten times a second whether to stop."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stop = asyncio.Event()

    async def main_loop(self) -> None:
        """Serve until `stop` is set."""
        await self.on_tick(0)
        await self.stop.wait()


@frozen
class Response:
    """A response as received. `headers` has lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body, read as JSON."""
        return json.loads(self.body)


@define
class Client:
    """One connection. Reading raises `asyncio.IncompleteReadError` if it ends in the middle of a response."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        """Send bytes, and wait until the socket has accepted them."""
        self.writer.write(data)
        await self.writer.drain()

    async def send_in_pieces(self, *pieces: bytes) -> None:
        """Send pieces. The server, which shares our event loop, reads them one by one."""
        for piece in pieces:
            self.writer.write(piece)
            for _ in range(3):  # to send it, to notice that it has arrived, and to read it
                await asyncio.sleep(0)

    async def head(self) -> tuple[int, dict[str, str]]:
        """Read the status and the headers of a response."""
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = (line.partition(":") for line in lines[1:-2])
        return int(lines[0].split()[1]), {name.lower(): value.strip() for name, _, value in fields}

    async def response(self) -> Response:
        """Read a response with a Content-Length."""
        status, headers = await self.head()
        return Response(status, headers, await self.reader.readexactly(int(headers.get("content-length", 0))))

    async def ask(self, request: bytes = GET) -> Response:
        """Send a request and read its response."""
        await self.send(request)
        return await self.response()

    async def rest(self) -> bytes:
        """Read until the server closes its half."""
        return await self.reader.read()

    def close(self) -> None:
        """Close the connection."""
        self.writer.close()


@define
class Running:
    """A running server."""

    server: Server
    port: int
    clients: list[Client] = Factory(list)

    async def connect(self) -> Client:
        """Open a connection. It is closed with the server."""
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        self.clients.append(client)
        return client


@asynccontextmanager
async def running(
    app: ASGIApp,
    http: type[HttpProtocol] = HttpProtocol,
    ws: type[WebSocketProtocol] = WebSocketProtocol,
    **options: Any,
) -> AsyncIterator[Running]:
    """Serve `app`, and check at the end that no work is left."""
    usual: dict[str, Any] = {
        "lifespan": "off",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "ws_per_message_deflate": False,
        "ws_max_size": 64 * 1024,
    }
    server = Server(uvicorn.Config(app, http=http, ws=ws, **(usual | options)))
    listener = socket.create_server(("127.0.0.1", 0))
    run = Running(server, listener.getsockname()[1])
    task = asyncio.create_task(server.serve([listener]))
    try:
        yield run
    finally:
        for client in run.clients:
            client.close()
        server.stop.set()
        await task
    assert set() == server.server_state.tasks


async def read_body(receive: Receive) -> bytes | None:
    """Return the body of a request, or None if the client has gone before its end."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += bytes(message["body"])
        if not message["more_body"]:
            return body


async def respond(send: Send, body: bytes = b"", status: int = 200, *headers: tuple[bytes, bytes]) -> None:
    """Send a whole response."""
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [length, *headers]})
    await send({"type": "http.response.body", "body": body})


@define
class Reporter:
    """An application that responds with what it received, and keeps that in `seen`."""

    seen: list[dict[str, Any]] = Factory(list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        if body is None:
            return
        report = {
            "method": scope["method"],
            "path": scope["path"],
            "query": scope["query_string"].decode(),
            "headers": [[name.decode(), value.decode("latin-1")] for name, value in scope["headers"]],
            "body": body.decode(),
        }
        self.seen.append(report)
        await respond(send, json.dumps(report).encode())


@define
class Held:
    """An application that responds once `go` is set. `began` is set when it has a request, `gone` at its end."""

    began: asyncio.Event = Factory(asyncio.Event)
    go: asyncio.Event = Factory(asyncio.Event)
    gone: asyncio.Event = Factory(asyncio.Event)
    before: Callable[[Receive, Send], Any] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != "/":
            await respond(send, scope["path"].encode())
            return
        self.began.set()
        await self.go.wait()
        body = await read_body(receive)
        if body is not None:
            await respond(send, body)
        self.gone.set()
