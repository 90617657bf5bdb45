"""The outermost layer. It adds a request id, the duration and cache headers to a response, and logs a line."""

import re
from itertools import count
from secrets import token_hex
from time import perf_counter
from urllib.parse import quote

from starlette._utils import get_route_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.fairness.capacity import Capacity
from adapters.http.middleware.access_log import AccessLog
from adapters.http.requests.header_lists import accepts_coding
from adapters.http.requests.request import IS_WHOLE, Request, joined
from adapters.http.responses.caching import NEVER, STATUSES, common_headers
from adapters.http.responses.responses import Header
from adapters.http.responses.security_headers import OF_EVERYTHING
from adapters.http.timing.stopwatch import begin
from domain.access.key_text import holds_secret

_ANSWERS = frozenset({"http.response.start", "websocket.http.response.start", "websocket.accept"})
_IN_PATHS = "/~!$&'()*+,;=:@"
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")


class RequestContext:
    """Wraps the whole application. Compression costs only the clients that ask for it."""

    def __init__(
        self, app: ASGIApp, *, compressed: ASGIApp, access_log: AccessLog, by_origin: bool, capacity: Capacity
    ) -> None:
        """`by_origin` tells that responses depend on the origin of the page that asks."""
        self._app = app
        self._compressed = compressed
        self._access_log = access_log
        self._by_origin = by_origin
        self._capacity = capacity
        self._measures = access_log.slow is not None
        # 64 random bits for the process, and a counter: as unique as random ids, and much cheaper.
        self._process = token_hex(8).encode()
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one socket."""
        started = perf_counter()
        headers, root = joined(scope["headers"]), scope.get("root_path", "")
        request_id = headers.get(b"x-request-id")
        if request_id is None or not _REQUEST_ID.fullmatch(request_id) or holds_secret(request_id.decode()):
            request_id = b"%b%016x" % (self._process, next(self._numbers))
        scope["backroom.call"] = request = Request(
            scope.get("method", "WEBSOCKET"),
            get_route_path(scope) if root else scope["path"],
            scope["query_string"],
            headers,
            receive,
            request_id.decode(),
            scope.get(IS_WHOLE, False),
            self._capacity,
            root and quote(root, safe=_IN_PATHS),
            scope["scheme"],
            (scope.get("client") or ("",))[0],
            (scope.get("server") or ("",))[0],
        )
        if self._measures:
            request.stopwatch = begin()
            send = request.stopwatch.sending(send)
        status = 0
        is_head = request.method == "HEAD"

        async def stamped(message: Message) -> None:
            nonlocal status
            kind = message["type"]
            if kind == "http.response.body":
                if is_head:
                    message = {**message, "body": b""}  # the rest is as for GET, so that nothing else differs
            elif kind in _ANSWERS:
                request.end_work()
                status = message.get("status", 101)  # which an accepted handshake is answered with
                spent = b"%.2fms" % ((perf_counter() - started) * 1000)
                message["headers"] = [
                    *message.get("headers", ()),
                    *(OF_EVERYTHING if status == 101 else self._common(status, request)),
                    (b"x-request-id", request_id),
                    (b"x-process-time", spent),
                    *request.limit,
                ]
            elif kind == "websocket.close" and status == 0:
                status = 403  # servers send this for a handshake that is not accepted
            await send(message)

        codings = request.header(b"accept-encoding")
        app = self._app if codings is None or not accepts_coding(codings, "gzip") else self._compressed
        try:
            await app(scope, receive, stamped)
        finally:
            request.end_work()
            if request.body is not None:
                self._capacity.bodies.forget(request.body)
            del scope["backroom.call"]  # else scope, request and `receive` form a cycle, left to the collector
            self._access_log.write(scope, status, perf_counter() - started, request)

    def _common(self, status: int, request: Request) -> tuple[Header, ...]:
        policy = request.caching if status in STATUSES else NEVER
        return common_headers(policy, request.vary + b", Origin" if self._by_origin else request.vary)
