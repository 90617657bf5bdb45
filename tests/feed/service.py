"""The service in this process, and connections to it. A client reads only when the test says so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
from attrs import define, field
from starlette.types import ASGIApp, Message

from adapters.http.admission.gate import Gate
from adapters.http.app import Options, make_app
from adapters.http.fairness.capacity import Capacity
from adapters.http.feed.feed import Feed
from adapters.http.middleware.access_log import AccessLog, as_text
from adapters.shared_memory.rate_limits import SharedRateLimiter
from domain.ports import Store
from tests.builders import Clock
from tests.http.measured import metrics_of
from tests.webhooks.endpoints import Endpoints, make_dispatcher

ROOMY = 1_000_000
CLOSE = "websocket.close"
_ENDED: Message = {"type": "ended"}


class Ended(Exception):
    """The application has ended, and everything that it sent was read."""


class Gone(OSError):
    """The client has gone, so nothing can be sent to it. The service ignores this, as with the real server."""


class Closed(Exception):
    """The socket was closed with a code and a reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


@define(eq=False)
class Connection:
    """One connection. The application can send `room` more messages than were read; then its sending waits.

    As with the real server, a close frame never waits, and sending to a client that has gone raises `Gone`.
    """

    app: ASGIApp
    scope: dict[str, Any]
    room: asyncio.Semaphore
    task: asyncio.Task[None] = field(init=False)
    is_blocked: bool = field(default=False, init=False)  # a message is being sent and there is no room for it
    _inbox: asyncio.Queue[Message] = field(factory=asyncio.Queue, init=False)
    _outbox: asyncio.Queue[Message] = field(factory=asyncio.Queue, init=False)
    _gone: bool = field(default=False, init=False)

    def start(self, first: Message) -> None:
        """Let the application serve this connection."""
        self._inbox.put_nowait(first)
        self.task = asyncio.create_task(self._run())

    async def read(self) -> Message:
        """Return the next message of the application. Raises `Ended`, or what the application raised."""
        message = await self._outbox.get()
        if message is _ENDED:
            await self.task
            raise Ended
        self.room.release()
        return message

    def say(self, message: Message) -> None:
        """Send a message to the application."""
        self._inbox.put_nowait(message)

    async def leave(self) -> None:
        """Disconnect, and wait until the application has ended."""
        self._gone = True
        self.room.release()  # nothing waits for a client that has gone
        self._inbox.put_nowait({"type": self.scope["type"] + ".disconnect"})
        await self.task

    async def _run(self) -> None:
        try:
            with suppress(Gone):
                await self.app(self.scope, self._inbox.get, self._send)
        finally:
            self._outbox.put_nowait(_ENDED)

    async def _send(self, message: Message) -> None:
        if not (self._gone or message["type"] == CLOSE):
            self.is_blocked = True
            await self.room.acquire()
            self.is_blocked = False
        if self._gone and message["type"].startswith("websocket"):
            raise Gone
        self._outbox.put_nowait(message)


@define(eq=False)
class Events:
    """A stream of events, parsed as in the standard."""

    connection: Connection
    last_id: str = ""
    comments: int = 0
    _buffer: bytes = b""

    async def event(self) -> tuple[str, Any]:
        """Return the name and the data of the next event. Raises `Ended`."""
        while True:
            while b"\n\n" not in self._buffer:
                await self._receive()
            block, _, self._buffer = self._buffer.partition(b"\n\n")
            if (told := self._told(block.decode())) is not None:
                return told

    async def comment(self) -> None:
        """Return after the next comment. No event may come before it."""
        comments = self.comments
        while comments == self.comments:
            if b"\n\n" not in self._buffer:
                await self._receive()
                continue
            block, _, self._buffer = self._buffer.partition(b"\n\n")
            assert self._told(block.decode()) is None

    async def _receive(self) -> None:
        message = await self.connection.read()
        self._buffer += message["body"]

    def _told(self, block: str) -> tuple[str, Any] | None:
        name, data = "message", None
        for line in block.split("\n"):
            key, _, value = line.partition(": ")
            if key == "":
                self.comments += 1
            elif key == "id":
                self.last_id = value
            elif key == "event":
                name = value
            else:
                assert key == "data"
                data = orjson.loads(value)
        return None if data is None else (name, data)


@define(eq=False)
class Socket:
    """An accepted WebSocket."""

    connection: Connection

    async def message(self) -> Any:
        """Return the next message. Raises `Closed`."""
        message = await self.connection.read()
        if message["type"] == "websocket.close":
            raise Closed(message["code"], message["reason"])
        return orjson.loads(message["text"])

    async def closed(self) -> Closed:
        """Return how it was closed. No message may come before that."""
        try:
            message = await self.message()
        except Closed as closed:
            return closed
        raise AssertionError(message)


@define(eq=False)
class Service:
    """The service on one store."""

    app: ASGIApp
    feed: Feed
    capacity: Capacity

    async def get(self, path: str, **headers: str) -> tuple[int, Any]:
        """Return the status and the body of a response."""
        connection = self._asked(path, headers, ROOMY)
        start = await connection.read()
        body = (await connection.read())["body"]
        await connection.task
        return start["status"], orjson.loads(body)

    async def events(self, path: str = "/changes/stream", *, room: int = ROOMY, **headers: str) -> Events:
        """Return an open stream of events."""
        connection = self._asked(path, headers, room)
        start = await connection.read()
        assert (200, b"text/event-stream") == (start["status"], dict(start["headers"])[b"content-type"])
        return Events(connection)

    async def socket(self, query: str = "", *, room: int = ROOMY) -> Socket:
        """Return an accepted WebSocket."""
        connection = self._connection("websocket", f"/ws?{query}", {}, room)
        connection.start({"type": "websocket.connect"})
        assert "websocket.accept" == (await connection.read())["type"]
        return Socket(connection)

    def _asked(self, path: str, headers: dict[str, str], room: int) -> Connection:
        connection = self._connection("http", path, headers, room)
        connection.start({"type": "http.request", "body": b"", "more_body": False})
        return connection

    def _connection(self, type: str, target: str, headers: dict[str, str], room: int) -> Connection:
        path, _, query = target.partition("?")
        pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope: dict[str, Any] = {
            "type": type,
            "scheme": "ws" if type == "websocket" else "http",
            "http_version": "1.1",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(b"host", b"localhost"), *pairs],
            "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 1),
        }
        if type == "http":
            scope["method"] = "GET"
        return Connection(self.app, scope, asyncio.Semaphore(room))


@asynccontextmanager
async def serving(store: Store) -> AsyncIterator[Service]:
    """Serve a store. At the end no task of the feed may still run."""
    capacity = Capacity()
    feed = Feed(store, capacity.turns)
    access_log = AccessLog(lambda _: None, as_text)
    dispatcher = make_dispatcher(store, Endpoints(Clock()))
    gate = Gate(store.access_keys, SharedRateLimiter(buckets=1))
    app = make_app(
        store,
        await store.secret(),
        Options(),
        access_log,
        feed,
        dispatcher=dispatcher,
        gate=gate,
        capacity=capacity,
        metrics=metrics_of(store),
    )
    yield Service(app, feed, capacity)
    await feed.close()
    assert feed._reader is None
