"""Following the log over a WebSocket: one change a message, and `ready` once everything before is told."""

import asyncio
from contextlib import suppress

import orjson
from attrs import frozen
from starlette.types import Receive, Scope, Send

from backroom.adapters.http.call import Call, call_of
from backroom.adapters.http.changes import STREAM_PARAMETERS, chosen_types, started
from backroom.adapters.http.feed import Feed, Follower, delivered
from backroom.adapters.http.parameters import parse
from backroom.adapters.http.refusals import Refusal
from backroom.domain.changes import Cursor
from backroom.domain.errors import BadCursor, CursorExpired, DomainError
from backroom.domain.ports import ChangeLog

GOING_AWAY, TRY_AGAIN_LATER = 1001, 1013
BAD_CURSOR, CURSOR_EXPIRED = 4400, 4410


@frozen(eq=False)
class ChangesSocket:
    """The WebSocket of the log. What a client sends is read and ignored."""

    log: ChangeLog
    feed: Feed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket."""
        await receive()  # websocket.connect
        await send({"type": "websocket.accept"})
        sending = asyncio.create_task(self._serve(call_of(scope), send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sending.cancel()
            leaving.cancel()
            await asyncio.wait({sending, leaving})

    async def _serve(self, call: Call, send: Send) -> None:
        code, reason = await self._followed(call, send)
        with suppress(TimeoutError):  # a reader that takes nothing takes no goodbye either
            async with asyncio.timeout(1):
                await send({"type": "websocket.close", "code": code, "reason": reason})

    async def _followed(self, call: Call, send: Send) -> tuple[int, str]:
        """Follow for as long as it goes, and return why it ended."""
        try:
            parameters = parse(call, STREAM_PARAMETERS)
            types = chosen_types(parameters)
            after = await started(self.log, parameters.get("after", "now"))
            async with self.feed.follower(after, types) as follower:
                return await self._follow(follower, send)
        except CursorExpired as error:
            return CURSOR_EXPIRED, error.message
        except (BadCursor, Refusal) as error:
            return BAD_CURSOR, error.message[:100]
        except DomainError as error:
            return TRY_AGAIN_LATER, error.message

    async def _follow(self, follower: Follower, send: Send) -> tuple[int, str]:
        ready = False
        while not self.feed.is_closed:
            news = await (self.feed.next(follower) if ready else self.feed.take(follower))
            texts = [each.text for each in news]
            if not news and not ready:
                ready, texts = True, [_ready(follower.cursor)]
            for text in texts:
                if not await delivered(follower, send({"type": "websocket.send", "text": text})):
                    return TRY_AGAIN_LATER, "too slow; go on from the last cursor"
        return GOING_AWAY, "the service is closing; go on from the last cursor"


def _ready(cursor: Cursor) -> str:
    return orjson.dumps({"type": "ready", "cursor": cursor}).decode()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "websocket.disconnect":
        pass
