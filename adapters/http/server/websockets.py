"""WebSockets on a socket: uvicorn's protocol, with the limits that it lacks."""

import asyncio
from dataclasses import replace

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol
from wsproto.connection import ConnectionState
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, Request, TextMessage

from adapters.http.server.lingering_close import LingeringTransport

POLICY_VIOLATION = 1008


class SlowedTransport(LingeringTransport):
    """A transport that reads nothing while it is `held`, whoever resumes reading."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__(transport)
        self.held = False

    def resume_reading(self) -> None:
        """Read again, unless it is held."""
        if not self.held:
            super().resume_reading()


class WebSocketProtocol(WSProtocol):
    """One WebSocket. Give the class to `uvicorn.Config(ws=...)`, which also has the limits: `ws_max_size` and pings.

    Of uvicorn's three implementations this one passes the Autobahn suite, is not deprecated, and finds invalid UTF-8
    and an oversize message while they arrive. But it handles all frames of a read at once, and one read may hold forty
    thousand. Here each peer has an allowance of frames and is read no faster. A peer that keeps exceeding it is closed.
    """

    FRAMES_AT_ONCE = 50
    FRAMES_PER_SECOND = 10.0
    TOLERATED_S = 5.0  # seconds for which a peer may exceed its allowance without a break
    SLOWED = 0.5  # seconds between two checks of a peer that sends too fast

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Take the connection over from HTTP."""
        # A peer whose message is too long is still sending it when it gets the close frame.
        self._transport = SlowedTransport(transport)
        super().connection_made(self._transport)
        self._allowed = float(self.FRAMES_AT_ONCE)
        self._allowed_at = self._slow_since = self.loop.time()
        self._slowed: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the peer."""
        if self._slowed is not None:
            self._slowed.cancel()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Handle the received events that the peer's allowance covers. The rest waits for a new allowance."""
        if self._slowed is not None:
            return
        events = self.conn.events()  # they are parsed one by one
        while self._is_allowed():
            event = next(events, None)
            if event is None:
                return
            self._handle(event)
            self._allowed -= 1
            if self.transport.is_closing():
                return
        self._slow_down()

    def _handle(self, event: Event) -> None:
        match event:
            case CloseConnection():
                self.handle_close(event)
            case _ if self.close_sent:
                pass
            case TextMessage() | BytesMessage():
                self.handle_message(event)
            case Ping():
                self.handle_ping(event)
            case Pong():
                self.handle_pong(event)
            case Request():
                self.handle_connect(event)

    def _is_allowed(self) -> bool:
        """Tell whether one more frame may be handled."""
        now = self.loop.time()
        earned = (now - self._allowed_at) * self.FRAMES_PER_SECOND
        self._allowed, self._allowed_at = min(self._allowed + earned, self.FRAMES_AT_ONCE), now
        return self._allowed >= 1

    def _slow_down(self) -> None:
        if not self._transport.held:
            self._transport.pause_reading()
            self._transport.held, self._slow_since = True, self.loop.time()
        self._slowed = self.loop.call_later(self.SLOWED, self._go_on)

    def _go_on(self) -> None:
        self._slowed = None
        if self.transport.is_closing():
            return
        if self.loop.time() - self._slow_since > self.TOLERATED_S:
            self._close("too many frames")
            return
        self.handle_events()
        if self._slowed is None:
            self._transport.held = False
            self._resume()

    def _close(self, reason: str) -> None:
        """Close the connection of a peer that breaks a limit."""
        if self.close_sent:
            self.transport.abort()
            return
        self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": POLICY_VIOLATION, "reason": reason})
        self.transport.write(self.conn.send(CloseConnection(POLICY_VIOLATION, reason)))
        self.transport.close()

    def _resume(self) -> None:
        """Read again, unless the application has messages to read first, or the peer has responses to read."""
        if not self.read_paused and self.writable.is_set():
            self.transport.resume_reading()

    def handle_connect(self, event: Request) -> None:
        """Ask the application whether it accepts."""
        # wsproto decodes the Host to Unicode, and the application compares it with the Origin as sent.
        super().handle_connect(replace(event, host=event.host.encode("idna").decode()))
        self.transport.pause_reading()  # before accept, wsproto would buffer messages without limit, and then drop them

    def handle_close(self, event: CloseConnection) -> None:
        """End the connection after the peer's close frame, or after an invalid frame."""
        if self.conn.state is not ConnectionState.OPEN:
            super().handle_close(event)
            return
        # wsproto reports an invalid frame as a close that did not arrive. uvicorn then hangs up without a code.
        self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": event.code, "reason": event.reason or ""})
        self.transport.write(self.conn.send(event))
        self.transport.close()

    async def send(self, message: ASGISendEvent) -> None:
        """Send for the application. Raises `ClientDisconnected` once the other side has closed the connection."""
        if message["type"] == "websocket.close":
            self.writable.set()  # a client that does not read must still be closable
        if self.close_sent and self.close_timer is None:
            raise ClientDisconnected  # uvicorn would blame the application for a close that it cannot know of
        if message["type"] == "websocket.send" and (text := message.get("text")) is not None and self._is_open():
            await self._send_text(text)
            return
        await super().send(message)
        if message["type"] == "websocket.accept":
            self.transport.resume_reading()

    def _is_open(self) -> bool:
        return self.handshake_complete and not (self.response_started or self.close_sent)

    async def _send_text(self, text: str) -> None:
        """Send a text as wsproto would. A message to a follower costs a fifth less with our own frame."""
        await self.writable.wait()
        if self.disconnected or self.close_sent:
            raise ClientDisconnected  # it closed while this waited
        self.transport.write(text_frame(text))

    def shutdown(self) -> None:
        """Tell the client that the server restarts, unless the connection is already closing."""
        if not self.transport.is_closing():  # else uvicorn would send a second close, which is an error
            super().shutdown()

    def pause_writing(self) -> None:
        """Stop reading from a peer that does not read. Otherwise the pongs for it would fill the memory."""
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """Read again."""
        super().resume_writing()
        self._resume()


def text_frame(text: str) -> bytes:
    """Return a text as one frame of a server, neither masked nor compressed (RFC 6455, section 5.2)."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        head = bytes((0x81, size))
    elif size < 1 << 16:
        head = b"\x81\x7e" + size.to_bytes(2)
    else:
        head = b"\x81\x7f" + size.to_bytes(8)
    return head + payload
