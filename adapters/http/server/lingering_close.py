"""Lingering close: the peer can read the last response before the connection ends."""

import asyncio
from typing import Any, cast


class LingeringTransport(asyncio.Transport):
    """A transport whose `close` waits, within limits, until the peer has read what was written.

    If a socket closes while the peer still sends, TCP resets the connection, and the reset destroys the response on
    its way. So `close` ends only our half. It discards what arrives until the peer has closed its own half.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self._closing = False

    def close(self) -> None:
        """Close when the peer closes, or when it reaches a limit of `LingeringClose`."""
        if not self.is_closing():
            self._closing = True
            LingeringClose(self._transport)

    def abort(self) -> None:
        """Cut the connection."""
        self._transport.abort()

    def is_closing(self) -> bool:
        """Tell whether `close` was called."""
        return self._closing or self._transport.is_closing()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write. Do nothing once the transport is closing, as other transports do."""
        if not self._closing:
            self._transport.write(data)

    def pause_reading(self) -> None:
        """Stop reading. A closing transport reads on, because it discards what it reads."""
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
    """Takes a connection over from its protocol, and tells that protocol when the connection is lost.

    The peer may send `MAX_BYTES` more. It has `TIMEOUT` seconds to close, or to read more of what was written.
    After that the connection is cut.
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
        """Discard what the peer sends."""
        self._received += len(data)
        if self._received > self.MAX_BYTES:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the earlier protocol that the connection is lost."""
        self._timer.cancel()
        self._owner.connection_lost(exc)

    def _time_out(self) -> None:
        unsent = self._transport.get_write_buffer_size()
        if 0 < unsent < self._unsent:
            self._unsent = unsent
            self._timer = self._loop.call_later(self.TIMEOUT, self._time_out)
        else:
            self._transport.abort()
