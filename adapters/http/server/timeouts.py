"""Timeouts: how long a client may take for its turn, and the timer that checks it."""

import asyncio
from collections.abc import Callable
from math import inf
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from adapters.http.responses.http_errors import HttpError, TimedOut


class TimedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a timeout for every wait for the client. Times are in seconds."""

    HEADERS_TIMEOUT = 5.0  # from the connection, or the first byte of a later request, to the end of the head
    SEND_TIMEOUT = 30.0  # without reading any of a response; then the connection is cut
    WATCH_INTERVAL = 1.0  # between two checks of the connection, if no timeout ends earlier

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        now = self.loop.time()
        # Since when it is the client's turn, by the loop's clock: to continue a head, to send another request, to read
        # more of the response. The subclass parses, so it sets the first two. The application times bodies.
        self._head_since: float | None = now
        self._idle_since: float | None = None
        self._unread_since = now
        self._unread_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        # One timer for each connection. uvicorn has one for each request, which would cost 3 % of the throughput.
        self._timer = self.loop.call_later(min(self.HEADERS_TIMEOUT, self.WATCH_INTERVAL), self._watch)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._timer.cancel()

    def _send_error(self, refusal: HttpError) -> None:
        raise NotImplementedError

    def _watch(self) -> None:
        now = self.loop.time()
        deadline, give_up = self._turn(now)
        left = deadline - now
        self._timer = self.loop.call_later(
            min(left, self.WATCH_INTERVAL) if left > 0 else self.WATCH_INTERVAL, self._watch
        )
        if left <= 0:
            give_up()

    def _turn(self, now: float) -> tuple[float, Callable[[], None]]:
        """Return when the client's turn ends, and what happens then."""
        self._restart_clocks(now)
        if self._unread_bytes:
            return self._unread_since + self.SEND_TIMEOUT, self.transport.abort
        if self._head_since is not None:
            return self._head_since + self.HEADERS_TIMEOUT, self._refuse_head
        if self._idle_since is not None:
            return self._idle_since + self.timeout_keep_alive, self.transport.close
        return inf, self.transport.close

    def _restart_clocks(self, now: float) -> None:
        """Restart the clocks that ran outside the client's turn, and those of a client that made progress."""
        unread_bytes = self.transport.get_write_buffer_size()
        if unread_bytes != self._unread_bytes:
            self._unread_bytes, self._unread_since = unread_bytes, now
        if self.flow.read_paused and self._head_since is not None:
            self._head_since = now

    def _refuse_head(self) -> None:
        self._send_error(TimedOut(f"the headers were not complete after {self.HEADERS_TIMEOUT:g} seconds"))
