"""Following the log over a WebSocket: one change in a message, and `ready` after all earlier changes."""

import asyncio
from contextlib import suppress

import orjson
from attrs import frozen
from starlette.types import Receive, Scope, Send

from adapters.http.admission.gate import Gate
from adapters.http.feed.feed import Feed, Follower, TooSlow
from adapters.http.feed.polling import STREAM_PARAMETERS, chosen_types
from adapters.http.feed.until_disconnect import until_disconnect
from adapters.http.handlers.error_handler import response_for
from adapters.http.requests.parameters import parse
from adapters.http.requests.request import Request, request_of
from adapters.http.responses.http_errors import HttpError, Unauthorized
from adapters.http.responses.send_error import send_error
from adapters.http.timing.stopwatch import Phase, timed
from domain.access.scopes import AccessScope
from domain.errors import BadCursor, BadParameter, CursorExpired, DomainError
from domain.ports import ChangeLog
from domain.use_cases.follow import start

SOCKET = "socket"
GOING_AWAY, POLICY_VIOLATION, TRY_AGAIN_LATER = 1001, 1008, 1013
BAD_CURSOR, CURSOR_EXPIRED = 4400, 4410
MAX_REASON = 123  # bytes, by RFC 6455
CLOSE_TIMEOUT_S = 1.0


@frozen(eq=False)
class ChangesSocket:
    """The WebSocket of the log. Messages of a client are read and ignored."""

    log: ChangeLog
    feed: Feed
    gate: Gate
    needs: AccessScope = AccessScope.READ

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket."""
        request = request_of(scope)
        await receive()  # websocket.connect
        try:
            await self.gate.admit(request, self.needs)
            request.capacity.follow(SOCKET, request.address)
        except Exception as error:  # noqa: BLE001 - as for every other path
            return await send_error(response_for(error, request), scope, receive, send)
        try:
            await send({"type": "websocket.accept"})
            with timed(Phase.CHANGES):
                return await until_disconnect(receive, self._serve(request, send))
        finally:
            request.capacity.unfollow(SOCKET, request.address)

    async def _serve(self, request: Request, send: Send) -> None:
        code, reason = await self._followed(request, send)
        fitting = reason.encode()[:MAX_REASON].decode(errors="ignore")
        with suppress(TimeoutError):  # a client that reads nothing reads no close frame either
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await send({"type": "websocket.close", "code": code, "reason": fitting})

    async def _followed(self, request: Request, send: Send) -> tuple[int, str]:
        """Send changes until that ends, and return why it ended."""
        try:
            parameters = parse(request, STREAM_PARAMETERS)
            types = chosen_types(parameters)
            after = await start(self.log, parameters.get("after", "now"))
            following = self.feed.follower(after, types, request.address)
            async with self.gate.live.while_granted(request), following as follower:
                return await self._follow(follower, send)
        except Unauthorized as error:
            return POLICY_VIOLATION, error.message
        except TooSlow:
            return TRY_AGAIN_LATER, "too slow; go on from the last cursor"
        except CursorExpired as error:
            return CURSOR_EXPIRED, error.message
        except (BadCursor, BadParameter, HttpError) as error:
            return BAD_CURSOR, error.message
        except DomainError as error:
            return TRY_AGAIN_LATER, error.message

    async def _follow(self, follower: Follower, send: Send) -> tuple[int, str]:
        is_live = False
        while not self.feed.is_closed:
            events = await (self.feed.next(follower) if is_live else self.feed.earlier(follower))
            texts = [each.text for each in events]
            if not events and not is_live:
                is_live, texts = True, [_ready(follower)]
            for text in texts:
                await follower.take(send({"type": "websocket.send", "text": text}))
        return GOING_AWAY, "the service is closing; go on from the last cursor"


def _ready(follower: Follower) -> str:
    return orjson.dumps({"type": "ready", "cursor": follower.cursor}).decode()
