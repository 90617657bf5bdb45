"""WebSockets on a socket: uvicorn's protocol, with the manners that it lacks."""

import asyncio
from dataclasses import replace

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol
from wsproto.connection import ConnectionState
from wsproto.events import CloseConnection, Request

from adapters.http.server.lingering_close import LingeringTransport


class WebSocketProtocol(WSProtocol):
    """One WebSocket. Give the class to `uvicorn.Config(ws=...)`, which also has the limits: `ws_max_size` and pings.

    Of uvicorn's three implementations this one passes the Autobahn suite, is not deprecated, and finds invalid UTF-8
    and an oversize message while they arrive.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Take the connection over from HTTP."""
        # A peer whose message was too long is still sending it when it is told so.
        super().connection_made(LingeringTransport(transport))

    def handle_connect(self, event: Request) -> None:
        """Ask the application whether it accepts."""
        # wsproto decodes the Host to Unicode, and the application compares it with the Origin as sent.
        super().handle_connect(replace(event, host=event.host.encode("idna").decode()))
        self.transport.pause_reading()  # wsproto would buffer without limit, and then drop, what comes before accept

    def handle_close(self, event: CloseConnection) -> None:
        """End the connection, for the peer's close frame or for a frame that is wrong."""
        if self.conn.state is not ConnectionState.OPEN:
            super().handle_close(event)
            return
        # wsproto reports a wrong frame as a close that did not arrive, and uvicorn hangs up on it without a code.
        self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": event.code, "reason": event.reason or ""})
        self.transport.write(self.conn.send(event))
        self.transport.close()

    async def send(self, message: ASGISendEvent) -> None:
        """Send for the application; raise `ClientDisconnected` once the connection was closed by the other side."""
        if message["type"] == "websocket.close":
            self.writable.set()  # a reader that does not read must still be closable
        if self.close_sent and self.close_timer is None:
            raise ClientDisconnected  # uvicorn would blame the application for a close that it does not know of
        if message["type"] == "websocket.send" and (text := message.get("text")) is not None and self._is_open():
            await self._send_text(text)
            return
        await super().send(message)
        if message["type"] == "websocket.accept":
            self.transport.resume_reading()

    def _is_open(self) -> bool:
        return self.handshake_complete and not (self.response_started or self.close_sent)

    async def _send_text(self, text: str) -> None:
        """Send a text as wsproto would, which takes ten times as long to make a frame of it."""
        await self.writable.wait()
        if self.disconnected or self.close_sent:
            raise ClientDisconnected  # meanwhile
        self.transport.write(text_frame(text))

    def shutdown(self) -> None:
        """Tell the client that the server restarts, unless it was told to go before."""
        if not self.transport.is_closing():  # else uvicorn would send a second close, which is an error
            super().shutdown()

    def pause_writing(self) -> None:
        """Stop reading from a peer that does not read, or the answers to its pings would fill the memory."""
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """Read again, unless the application has messages to read first."""
        super().resume_writing()
        if not self.read_paused:
            self.transport.resume_reading()


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
