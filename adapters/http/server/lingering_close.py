"""Closing a connection so that the peer gets to read the last thing it was told."""

import asyncio
from typing import Any, cast


class LingeringTransport(asyncio.Transport):
    """A transport whose `close` waits, within limits, for the peer to read what was written.

    A socket that is closed while the peer still sends is reset, and the reset destroys the answer on its way. So
    `close` ends only our half, and throws away what arrives until the peer has closed its own half.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self._closing = False

    def close(self) -> None:
        """Close as soon as the peer does, or has reached a limit of `Farewell`."""
        if not self.is_closing():
            self._closing = True
            LingeringClose(self._transport)

    def abort(self) -> None:
        """Cut the connection."""
        self._transport.abort()

    def is_closing(self) -> bool:
        """Whether `close` was called."""
        return self._closing or self._transport.is_closing()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write, or do nothing once the transport is closing, as other transports do."""
        if not self._closing:
            self._transport.write(data)

    def pause_reading(self) -> None:
        """Stop reading, unless the transport is closing and only throws away what it reads."""
        if not self.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        if not self.is_closing():
            self._transport.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """See `asyncio.BaseTransport`."""
        return self._transport.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand the connection to `protocol`, unless it is closing."""
        if not self._closing:
            self._transport.set_protocol(protocol)


class LingeringClose(asyncio.Protocol):
    """Takes a connection over from its protocol, which hears of it again when it is lost.

    The peer may send `MAX_BYTES` more, and may take `PATIENCE` seconds to close, or to read some of what it has not
    read yet. Then the connection is cut.
    """

    MAX_BYTES = 16 * 1024 * 1024
    TIMEOUT = 2.0

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._owner = cast("asyncio.Protocol", transport.get_protocol())
        self._received = 0
        self._unsent = transport.get_write_buffer_size()
        transport.set_protocol(self)
        transport.resume_reading()
        transport.write_eof()
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(self.TIMEOUT, self._time_out)

    def data_received(self, data: bytes) -> None:
        """Throw away what the peer sends."""
        self._received += len(data)
        if self._received > self.MAX_BYTES:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the protocol that had the connection before."""
        self._timer.cancel()
        self._owner.connection_lost(exc)

    def _time_out(self) -> None:
        unsent = self._transport.get_write_buffer_size()
        if 0 < unsent < self._unsent:
            self._unsent = unsent
            self._timer = self._loop.call_later(self.TIMEOUT, self._time_out)
        else:
            self._transport.abort()
