"""Calls the application in process, as a server would: whole responses, event streams and WebSockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast
from urllib.parse import unquote

import httpx2
from attrs import define, field
from starlette.types import ASGIApp, Message, Scope

HOST = "127.0.0.1:8000"
ORIGIN = f"http://{HOST}"

RawHeaders = list[tuple[bytes, bytes]]


def scope_of(entity_type: str, target: bytes, headers: RawHeaders, **more: object) -> Scope:
    """Return the scope that a server makes from a request."""
    path, _, query = target.partition(b"?")
    return {
        "type": entity_type,
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http" if entity_type == "http" else "ws",
        "path": unquote(path.decode("ascii")),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        **more,
    }


class InProcess(httpx2.AsyncBaseTransport):
    """Passes requests to the application. The request extension `target` is sent as it is.

    The extension `address` is the client's address.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        target: bytes = request.extensions.get("target", request.url.raw_path)
        headers = [(name.lower(), value) for name, value in request.headers.raw]
        exchange = _Exchange(cast("httpx2.AsyncByteStream", request.stream).__aiter__())
        more = {"client": (request.extensions.get("address", "127.0.0.1"), 50000)}
        scope = scope_of("http", target, headers, method=request.method, scheme=request.url.scheme, **more)
        exchange.task = asyncio.create_task(self._app(scope, exchange.receive, exchange.send))  # type: ignore[arg-type]
        start = await exchange.next()
        return httpx2.Response(start["status"], headers=start["headers"], stream=exchange)


@define(eq=False)
class _Exchange(httpx2.AsyncByteStream):
    """One request and its response, which is read while the application writes it."""

    _body: AsyncIterator[bytes]
    _sent: asyncio.Queue[Message] = field(factory=asyncio.Queue, init=False)
    _left: asyncio.Event = field(factory=asyncio.Event, init=False)
    _is_read: bool = field(default=False, init=False)
    task: asyncio.Task[None] = field(init=False)

    async def receive(self) -> Message:
        if self._is_read:
            await self._left.wait()
            return {"type": "http.disconnect"}
        chunk = await anext(self._body, None)
        self._is_read = chunk is None
        return {"type": "http.request", "body": chunk or b"", "more_body": not self._is_read}

    async def send(self, message: Message) -> None:
        self._sent.put_nowait(message)

    async def next(self) -> Message:
        """Return what the application sends next. Raises what it raises."""
        getting = asyncio.create_task(self._sent.get())
        await asyncio.wait({getting, self.task}, return_when=asyncio.FIRST_COMPLETED)
        if self._sent.empty() and not getting.done():
            getting.cancel()
            await self.task
            raise AssertionError("the application ended without a whole answer")
        return await getting

    async def __aiter__(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await self.next()
            assert "http.response.body" == message["type"]
            more = message.get("more_body", False)
            yield message.get("body", b"")

    async def aclose(self) -> None:
        self._left.set()
        await self.task


@define(eq=False)
class Socket:
    """The client's end of a WebSocket. While `takes` is not set, it reads nothing."""

    takes: asyncio.Event = field(factory=asyncio.Event, init=False)
    _sent: asyncio.Queue[Message] = field(factory=asyncio.Queue, init=False)
    _arrived: asyncio.Queue[Message] = field(factory=asyncio.Queue, init=False)

    async def next(self) -> Message:
        """Return the next message of the service, such as accept, send or close."""
        async with asyncio.timeout(10):
            return await self._arrived.get()

    async def tell(self, text: str) -> None:
        """Send a message to the service."""
        await self._sent.put({"type": "websocket.receive", "text": text})

    async def document(self) -> Any:
        """Return the next document from the service."""
        message = await self.next()
        assert "websocket.send" == message["type"], message
        return json.loads(message["text"])


@asynccontextmanager
async def connected(
    app: ASGIApp,
    target: str,
    headers: Sequence[tuple[str, str]] = (),
    extensions: Sequence[str] = ("websocket.http.response",),
) -> AsyncIterator[Socket]:
    """Open a socket through a server with some extensions of ASGI, and leave it at the end."""
    socket = Socket()
    socket.takes.set()
    raw = [(name.lower().encode(), value.encode()) for name, value in (("host", HOST), *headers)]
    socket._sent.put_nowait({"type": "websocket.connect"})

    async def send(message: Any) -> None:
        await socket.takes.wait()
        socket._arrived.put_nowait(message)

    scope = scope_of("websocket", target.encode(), raw, subprotocols=[], extensions={each: {} for each in extensions})
    task = asyncio.ensure_future(app(scope, socket._sent.get, send))
    try:
        yield socket
    finally:
        socket._sent.put_nowait({"type": "websocket.disconnect", "code": 1000})
        async with asyncio.timeout(10):
            await task
