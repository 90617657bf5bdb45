"""A stream of Server-Sent Events (HTML Living Standard, section 9.2)."""

import asyncio

from attrs import frozen
from starlette.types import Receive, Scope, Send

from backroom.adapters.http.feed import Feed, Follower, News, delivered
from backroom.domain.changes import Cursor
from backroom.domain.errors import CursorExpired

HEARTBEAT_S = 15.0

_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # a proxy in between must not wait for more
]
_RESET = b"event: reset\ndata: {}\n\n"
_HEARTBEAT = b": still here\n\n"


@frozen(eq=False)
class EventStream:
    """Sends changes for as long as the client listens. Without a cursor to start from, it says `reset` and ends."""

    feed: Feed
    after: Cursor | None
    types: frozenset[str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, as an ASGI application."""
        await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
        if scope["method"] != "HEAD":
            sending = asyncio.create_task(self._send(send))
            leaving = asyncio.create_task(_left(receive))
            try:
                await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                sending.cancel()
                leaving.cancel()
                await asyncio.wait({sending, leaving})
        await send({"type": "http.response.body", "body": b""})

    async def _send(self, send: Send) -> None:
        if self.after is None:
            await send(_chunk(_RESET))
            return
        async with self.feed.follower(self.after, self.types) as follower:
            while chunk := await self._next(follower):
                if not await delivered(follower, send(_chunk(chunk))):
                    return

    async def _next(self, follower: Follower) -> bytes:
        """Return what to send next, and nothing once the service closes."""
        try:
            async with asyncio.timeout(HEARTBEAT_S):
                return b"".join(_event(each) for each in await self.feed.next(follower))
        except TimeoutError:
            return _HEARTBEAT
        except CursorExpired:
            return _RESET


def _event(news: News) -> bytes:
    return f"id: {news.cursor}\ndata: {news.text}\n\n".encode()


def _chunk(body: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": body, "more_body": True}


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
