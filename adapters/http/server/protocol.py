"""HTTP/1.1 on a socket: uvicorn's protocol with the limits that it lacks."""

import asyncio
from heapq import nsmallest
from operator import itemgetter
from typing import Any, cast
from urllib.parse import unquote

import httptools
from starlette.types import ASGIApp
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from adapters.http.middleware.cross_origin import Grants
from adapters.http.requests.request import IS_WHOLE
from adapters.http.responses.http_errors import HeadersTooLarge, HttpError, MalformedRequest, UriTooLong
from adapters.http.responses.responses import Header
from adapters.http.server.cycle import Cycle
from adapters.http.server.error_response import error_response
from adapters.http.server.flow import PiecewiseFlow
from adapters.http.server.lingering_close import LingeringTransport
from adapters.http.server.request_head import check_handshake, check_head, origin_form
from adapters.http.server.timeouts import TimedProtocol
from adapters.http.server.until_close import UntilClose

_AROUND_EACH_BYTE = 16  # bytes around the chunks for each byte in them, beside those that count as headers
_REQUEST_LINE = 32  # most bytes of it beside the target
_SLASH = ord("/")


class HttpProtocol(TimedProtocol):
    """One connection of a client. Give the class to `uvicorn.Config(http=...)`; a subclass may have other limits.

    A request that is not HTTP, or that breaks a limit, gets a problem, and the connection closes. Earlier requests of
    the client get their responses first.
    """

    MAX_TARGET_BYTES = 16 * 1024  # not more than MAX_HEADER_BYTES
    MAX_HEADER_BYTES = 32 * 1024  # names and values, plus 4 for each header
    MAX_HEADERS = 100

    MAX_CONNECTIONS = 10_000  # open in this process

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.url = b""
        self.headers = []
        self._refusal: HttpError | None = None
        self._keep_alive = False
        self._pending = 0  # bytes of this head, or around the chunks of the body; may be too high
        self._running: RequestResponseCycle | None = None  # uvicorn's `cycle` may wait behind this one

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self.flow: PiecewiseFlow = PiecewiseFlow(transport, self._parse, self.pipeline)
        if len(self.connections) > self.MAX_CONNECTIONS:
            self._make_room()

    def _make_room(self) -> None:
        """Close connections that no request is worked on for, or else this one.

        First go those whose head is not complete, then idle ones, then those whose client has yet to read; of each kind
        those that have been so for longest. Finding them means to look at all, so with many a few go together.
        """
        others = (each for each in self.connections if isinstance(each, HttpProtocol) and each is not self)
        unused = ((since, each) for each in others if (since := each.unused_since()) is not None)
        making_room = nsmallest(1 + self.MAX_CONNECTIONS // 500, unused, key=itemgetter(0))
        for each in [each for _, each in making_room] or [self]:
            each.transport.abort()

    def unused_since(self) -> tuple[bool, bool, float] | None:
        """Return since when no request is worked on, behind what counts more; None if one is, or it is closing."""
        is_used = self.cycle is not None and not self.cycle.response_complete
        since = self._idle_since if self._head_since is None else self._head_since
        if is_used or since is None or self.transport.is_closing():
            return None
        return self.transport.get_write_buffer_size() > 0, self._head_since is None, since

    def connection_lost(self, exc: Exception | None) -> None:
        self.flow.take_rest()
        self.pipeline.clear()
        if self._running is not None:  # uvicorn tells only the last request, which may not have begun
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        super().shutdown()
        self._keep_alive = False

    def data_received(self, data: bytes) -> None:
        """Parse new bytes when it is their turn."""
        self.flow.feed(data)

    def _parse(self, data: bytes) -> None:
        """Parse a piece. Unlike uvicorn, this names the reason of an error, and counts what is incomplete."""
        if self._refusal is not None:
            return
        self._pending += len(data)
        rest = None
        try:
            self.parser.feed_data(data)
            cycle = self.cycle
            if cycle is None or cycle.scope is not self.scope:
                self._check_head_so_far()
            elif cycle.more_body:
                self._check_body_so_far()
            else:
                self._pending = 0
        except httptools.HttpParserUpgrade as upgrade:
            rest = data[upgrade.args[0] :] + self.flow.take_rest()
        except httptools.HttpParserError as error:
            self._send_error(_refusal_for(error))
        except HttpError as refusal:
            self._send_error(refusal)
        if rest is not None:  # outside the handler, or this error would be the context of the next one
            self._upgrade(rest)

    def on_headers_complete(self) -> None:
        """Hand the request to the application, or refuse it. uvicorn's method checks nothing."""
        # Most heads come in one small read. Then only the number of headers needs a check.
        if (
            self._head_since is not None
            or self._pending > self.MAX_TARGET_BYTES
            or len(self.headers) > self.MAX_HEADERS
        ):
            self._check_sizes()
        version = self.parser.get_http_version()
        check_head(version, self.headers)
        if self.url[0] != _SLASH:
            self.url, self.headers[:] = origin_form(self.parser.get_method(), self.url, self.headers)
        if self.parser.should_upgrade():
            self._prepare_upgrade(version)
            return
        self._begin(version)
        self._head_since = self._idle_since = None
        self._pending = 0
        self.headers = []  # trailers come to the same callback, and must not join the headers

    def _begin(self, version: str) -> None:
        """Start the application, or let the request wait for those before it."""
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        self.scope["method"] = self.parser.get_method().decode("ascii")
        self.scope["http_version"] = version
        self.scope["path"] = self.root_path + (unquote(path) if "%" in path else path)
        self.scope["raw_path"] = self.root_path.encode("ascii") + url.path
        self.scope["query_string"] = url.query or b""
        before, self.cycle = self.cycle, Cycle.of(self, keep_alive=version != "1.0" and self.parser.should_keep_alive())
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        if cycle.scope["http_version"] == "1.0":
            app = cast("ASGI3Application", UntilClose(cast("ASGIApp", app), cycle))
        super()._start_asgi_task(cycle, app)

    def on_body(self, body: bytes) -> None:
        self._pending -= len(body) * (1 + _AROUND_EACH_BYTE)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note the end of a request. uvicorn's method assumes that a request is in progress at any upgrade."""
        cycle = self.cycle
        if self.parser.should_upgrade() or cycle.response_complete:
            return
        cycle.more_body = False
        cycle.scope[IS_WHOLE] = True  # type: ignore[typeddict-unknown-key]  # as ASGI lets a server do
        cycle.message_event.set()
        if cycle.transport is not self.transport and not cycle.response_started:
            cycle.keep_alive = self._keep_alive
            cycle.transport = self.transport

    def on_response_complete(self) -> None:
        """Continue with what waited for this response. uvicorn's method starts a timer after each one."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._refusal is not None:
            self._response(self._refusal)
        else:
            self._idle_since = self.loop.time()
        self.flow.resume_reading()

    def _check_head_so_far(self) -> None:
        if self._head_since is None:
            if self._idle_since is None:
                self._pending = 0  # these bytes may belong to the request before
            self._head_since = self.loop.time()
        self._check_sizes(self._pending - len(self.url) - _REQUEST_LINE)

    def _check_body_so_far(self) -> None:
        self._pending = max(self._pending, 0)
        self._check_sizes(self._pending)  # bytes of a trailer, or around the chunks
        cycle = self.cycle
        if cycle.transport is self.transport and not cycle.response_started:
            # If the application responds now, it does not want the rest, and reading the rest may take forever.
            self._keep_alive, cycle.keep_alive = cycle.keep_alive, False
            cycle.transport = LingeringTransport(self.transport)

    def _check_sizes(self, header_bytes: int | None = None) -> None:
        if len(self.url) > self.MAX_TARGET_BYTES:
            raise UriTooLong(f"the request target is longer than {self.MAX_TARGET_BYTES} bytes")
        if header_bytes is None:
            header_bytes = sum(len(name) + len(value) + 4 for name, value in self.headers)
        if header_bytes > self.MAX_HEADER_BYTES:
            raise HeadersTooLarge(f"the headers are longer than {self.MAX_HEADER_BYTES} bytes")
        if len(self.headers) > self.MAX_HEADERS:
            raise HeadersTooLarge(f"there are more than {self.MAX_HEADERS} headers")

    def _prepare_upgrade(self, version: str) -> None:
        method = self.parser.get_method()
        if method == b"CONNECT":  # llhttp takes CONNECT for an upgrade, with or without an Upgrade header
            raise MalformedRequest("CONNECT is for proxies, and this is none")
        self.scope["method"] = method.decode()
        if self._should_upgrade():
            check_handshake(method, version, self.headers)
            if self.cycle is not None and not self.cycle.response_complete:
                raise MalformedRequest("a WebSocket cannot be opened behind a request that has no answer yet")

    def _upgrade(self, rest: bytes) -> None:
        if self._should_upgrade():
            self._timer.cancel()
            self.handle_websocket_upgrade()
            return
        # llhttp drops the body of a request that offers another protocol, and Java's client offers h2c first of all.
        # A server may ignore an offer (RFC 9110, 7.8). So the request is parsed again without it.
        request_line = self.parser.get_method(), self.url, self.parser.get_http_version().encode()
        head = [b"%s %s HTTP/%s" % request_line]
        head += [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.data_received(b"\r\n".join([*head, b"", rest]))

    def _send_error(self, refusal: HttpError) -> None:
        self._refusal = refusal
        self._head_since = None
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            self._response(refusal)
        elif cycle.scope is self.scope:
            self._refuse_the_rest(refusal)
        # else on_response_complete responds, after all earlier requests

    def _refuse_the_rest(self, refusal: HttpError) -> None:
        """Refuse the rest of a request that the application may still work on."""
        self.cycle.disconnected = True
        self.cycle.message_event.set()
        if self.pipeline:
            self.pipeline.popleft()
        elif self.cycle.response_started:
            self.transport.abort()
        else:
            self._response(refusal)

    def _response(self, refusal: HttpError) -> None:
        is_head = self.parser.get_method() == b"HEAD"
        headers = (*self.server_state.default_headers, *self._granted())
        self.transport.write(error_response(refusal, headers, is_head=is_head))
        self._timer.cancel()
        LingeringTransport(self.transport).close()

    def _granted(self) -> tuple[Header, ...]:
        """Return the CORS headers for an error. The lifespan state holds the `cors_origins` that are allowed."""
        headers = [] if self.scope is None else self.scope["headers"]
        return Grants(self.app_state.get("cors_origins", ())).of_refusal(dict(headers).get(b"origin"))


def _refusal_for(error: httptools.HttpParserError) -> HttpError:
    """Return the error of a callback, which httptools hides behind its own, or else what the parser reports."""
    cause = error.__context__
    if cause is None:
        return MalformedRequest(f"this is not HTTP/1.1: {error}")
    if isinstance(cause, HttpError):
        return cause
    raise cause
