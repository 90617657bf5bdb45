"""The outermost layer: gives every request its id, every answer its time, and the log one line for each."""

import re
from itertools import count
from secrets import token_hex
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.fairness.capacity import Capacity
from adapters.http.middleware.access_log import AccessLog
from adapters.http.middleware.origin_check import OriginCheck
from adapters.http.middleware.security_headers import OF_EVERYTHING
from adapters.http.requests.request import IS_WHOLE, Request, joined
from adapters.http.responses.http_errors import HttpError, Overloaded
from adapters.http.responses.problems import response_of
from adapters.http.responses.responses import Header
from adapters.http.responses.send_error import send_error
from domain.access.key_text import holds_key

_TAKES_GZIP = re.compile(rb"gzip(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|\Z))")
_ANSWERS = frozenset({"http.response.start", "websocket.http.response.start"})
_HEALTH = frozenset({"/healthz", "/readyz"})  # which is asked for most urgently when there is too much to do
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")


class RequestContext:
    """Wraps the whole application. Compression costs only those who ask for it."""

    def __init__(
        self, app: ASGIApp, *, compressed: ASGIApp, origin_check: OriginCheck, access_log: AccessLog, capacity: Capacity
    ) -> None:
        self._app = app
        self._compressed = compressed
        self._origin_check = origin_check
        self._access_log = access_log
        self._capacity = capacity
        # 64 random bits for the process and a number in it: as unique as random ids, and much cheaper.
        self._process = token_hex(8).encode()
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one socket."""
        started = perf_counter()
        headers = joined(scope["headers"])
        request_id = headers.get(b"x-request-id")
        if request_id is None or not _REQUEST_ID.fullmatch(request_id) or holds_key(request_id.decode()):
            request_id = b"%b%016x" % (self._process, next(self._numbers))
        scope["backroom.call"] = request = Request(
            scope.get("method", "WEBSOCKET"),
            scope["path"],
            scope["query_string"],
            headers,
            receive,
            request_id.decode(),
            scope.get(IS_WHOLE, False),
            self._capacity,
        )
        request.scheme = scope["scheme"]
        request.address = (scope.get("client") or ("",))[0]
        status = 0

        def stamps() -> tuple[Header, ...]:
            spent = b"%.2fms" % ((perf_counter() - started) * 1000)
            return (b"x-request-id", request_id), (b"x-process-time", spent), *OF_EVERYTHING, *request.limit

        async def stamped(message: Message) -> None:
            nonlocal status
            if message["type"] in _ANSWERS:
                request.end_work()
                status = message["status"]
                message["headers"] += stamps()
            elif message["type"] == "websocket.accept":
                request.end_work()
                status = 101
                message["headers"] = [*message.get("headers", ()), *stamps()]
            elif message["type"] == "websocket.close" and status == 0:
                status = 403  # which is how servers answer a handshake that is not accepted
            await send(message)

        encodings = headers.get(b"accept-encoding")
        app = self._app if encodings is None or not _TAKES_GZIP.search(encodings) else self._compressed
        try:
            if (refusal := self._refusal(request)) is None:
                await app(scope, receive, stamped)
            else:
                await send_error(response_of(refusal, request.request_id), scope, receive, stamped)
        finally:
            request.end_work()
            if request.body is not None:
                self._capacity.bodies.forget(request.body)
            del scope["backroom.call"]  # or the scope, the call and its `receive` were a circle, left to the collector
            self._access_log.write(scope, status, perf_counter() - started, request.request_id)

    def _refusal(self, request: Request) -> HttpError | None:
        """Return why a request may go no further, or None where it may."""
        if request.path not in _HEALTH:
            try:
                request.begin_work()
            except Overloaded as overloaded:
                return overloaded
        return self._origin_check.refusal(request, request.scheme)
