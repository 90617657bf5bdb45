"""The outermost layer: gives every request its id, every answer its time, and the log one line for each."""

import re
from itertools import count
from secrets import token_hex
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.access_log import AccessLog
from adapters.http.answers import Header
from adapters.http.call import Call, joined
from adapters.http.guard import Guard
from adapters.http.problems import answer_of
from adapters.http.refusing import refuse

_TAKES_GZIP = re.compile(rb"gzip(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|\Z))")
_ANSWERS = frozenset({"http.response.start", "websocket.http.response.start"})
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")


class Edge:
    """Wraps the whole application. Compression costs only those who ask for it."""

    def __init__(self, app: ASGIApp, *, compressed: ASGIApp, guard: Guard, access_log: AccessLog) -> None:
        self._app = app
        self._compressed = compressed
        self._guard = guard
        self._access_log = access_log
        # 64 random bits for the process and a number in it: as unique as random ids, and much cheaper.
        self._process = token_hex(8).encode()
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one socket."""
        started = perf_counter()
        headers = joined(scope["headers"])
        request_id = headers.get(b"x-request-id")
        if request_id is None or not _REQUEST_ID.fullmatch(request_id):
            request_id = b"%b%016x" % (self._process, next(self._numbers))
        scope["backroom.call"] = call = Call(
            scope.get("method", "WEBSOCKET"),
            scope["path"],
            scope["query_string"],
            headers,
            receive,
            request_id.decode(),
        )
        status = 0

        def stamps() -> tuple[Header, Header]:
            spent = b"%.2fms" % ((perf_counter() - started) * 1000)
            return (b"x-request-id", request_id), (b"x-process-time", spent)

        async def stamped(message: Message) -> None:
            nonlocal status
            if message["type"] in _ANSWERS:
                status = message["status"]
                message["headers"] += stamps()
            elif message["type"] == "websocket.accept":
                status = 101
                message["headers"] = [*message.get("headers", ()), *stamps()]
            elif message["type"] == "websocket.close" and status == 0:
                status = 403  # which is how servers answer a handshake that is not accepted
            await send(message)

        encodings = headers.get(b"accept-encoding")
        app = self._app if encodings is None or not _TAKES_GZIP.search(encodings) else self._compressed
        refusal = self._guard.refusal(call, scope["scheme"])
        try:
            if refusal is None:
                await app(scope, receive, stamped)
            else:
                await refuse(answer_of(refusal, call.request_id), scope, receive, stamped)
        finally:
            del scope["backroom.call"]  # or the scope, the call and its `receive` were a circle, left to the collector
            self._access_log.write(scope, status, perf_counter() - started, call.request_id)
