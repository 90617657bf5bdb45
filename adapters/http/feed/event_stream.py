"""A stream of Server-Sent Events (HTML Living Standard, section 9.2)."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress

from attrs import frozen
from starlette.types import Receive, Scope, Send

from adapters.http.feed.feed import Feed, FeedEvent, Follower, TooSlow
from adapters.http.feed.until_disconnect import until_disconnect
from adapters.http.requests.request import request_of
from adapters.http.responses.http_errors import Unauthorized
from adapters.http.timing.stopwatch import Phase, timed
from domain.changes import Cursor
from domain.errors import CursorExpired, Unavailable

STREAM = "stream"
HEARTBEAT_S = 15.0

_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"x-accel-buffering", b"no"),  # a proxy must not buffer events
]
_RESET = b"event: reset\ndata: {}\n\n"


@frozen(eq=False)
class EventStream:
    """Sends changes while the client listens. If changes after its cursor were purged, it sends `reset` and ends."""

    feed: Feed
    after: Cursor | None
    types: frozenset[str]
    client: str
    while_granted: Callable[[], AbstractAsyncContextManager[None]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream, as an ASGI application."""
        try:
            await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
            if scope["method"] != "HEAD":
                with timed(Phase.CHANGES):
                    await until_disconnect(receive, self._serve(send))
            await send({"type": "http.response.body", "body": b""})
        finally:
            request = request_of(scope)
            request.capacity.unfollow(STREAM, request.address)

    async def _serve(self, send: Send) -> None:
        try:
            # The client reconnects by itself with its last cursor. If it is refused, it is refused then.
            with suppress(TooSlow, Unavailable, Unauthorized):
                async with self.while_granted():
                    await self._follow(send)
        except CursorExpired:
            await send(_chunk(_RESET))

    async def _follow(self, send: Send) -> None:
        async with self.feed.follower(self.after, self.types, self.client) as follower:
            chunk = _place(follower)
            while chunk:
                await follower.take(send(_chunk(chunk)))
                chunk = await self._next(follower)

    async def _next(self, follower: Follower) -> bytes:
        """Return what to send next, or nothing once the service closes."""
        try:
            async with asyncio.timeout(HEARTBEAT_S):
                return b"".join([_event(each) for each in await self.feed.next(follower)])
        except TimeoutError:
            return _place(follower)


def _place(follower: Follower) -> bytes:
    """Return a comment with the cursor. The client learns it before the first event and between events."""
    return b": still here\n\n" if follower.cursor is None else f": still here\nid: {follower.cursor}\n\n".encode()


def _event(event: FeedEvent) -> bytes:
    return f"id: {event.cursor}\ndata: {event.text}\n\n".encode()


def _chunk(body: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": body, "more_body": True}
