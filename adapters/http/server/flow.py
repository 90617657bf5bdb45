"""Flow control: a connection reads only as much as it can parse, and parses it in short turns."""

import asyncio
from collections.abc import Callable, Sized
from time import perf_counter

from uvicorn.protocols.http.flow_control import FlowControl

PIECE = 1024
"""Bytes that are parsed together. They begin 57 requests at most."""

TURN_S = 0.002
"""Seconds for which one connection is parsed before others have their turn."""


class PiecewiseFlow(FlowControl):
    """uvicorn's flow control, whose pause also stops the parsing of bytes that were already read.

    uvicorn parses a whole read at once, and one read can begin seven thousand requests. This class parses it in
    pieces. It pauses when a request must wait for the one before it, when a body must wait for its reader, or when the
    turn is over. The socket is read again only after the rest is parsed. So a connection holds one read, and the
    requests of one piece. These are in the `queue`: while it has any, reading does not resume.
    """

    def __init__(self, transport: asyncio.Transport, parse: Callable[[bytes], None], queue: Sized) -> None:
        super().__init__(transport)
        self._parse = parse
        self._queue = queue
        self._loop = asyncio.get_running_loop()
        self._rest = b""
        self._parsed = 0  # bytes of the rest
        self._is_reading = True
        self._next_turn: asyncio.Handle | None = None

    def feed(self, data: bytes) -> None:
        """Parse new bytes, or keep them for later."""
        if len(data) <= PIECE and not self._rest and not self.read_paused:  # most reads are like this
            self._parse(data)
            return
        self._rest = self.take_rest() + data
        if self._next_turn is None:
            self._take_turn()

    @property
    def unparsed(self) -> bytes:
        """Bytes that were read and are not parsed yet."""
        return self._rest[self._parsed :]

    def take_rest(self) -> bytes:
        """Return the bytes that are not parsed yet, and forget them."""
        rest, self._rest, self._parsed = self.unparsed, b"", 0
        return rest

    def pause_reading(self) -> None:
        self.read_paused = True
        self._hold()

    def resume_reading(self) -> None:
        if self._queue:
            return
        self.read_paused = False
        if not self._rest:
            self._release()
        elif self._next_turn is None:
            self._next_turn = self._loop.call_soon(self._take_turn)

    def _take_turn(self) -> None:
        self._next_turn = None
        end = perf_counter() + TURN_S
        while self._rest and not self.read_paused:
            if perf_counter() > end:
                self._hold()
                self._next_turn = self._loop.call_soon(self._take_turn)
                return
            piece = self._rest[self._parsed : self._parsed + PIECE]
            self._parsed += len(piece)
            if self._parsed == len(self._rest):
                self.take_rest()
            self._parse(piece)
        if not self.read_paused:
            self._release()

    def _hold(self) -> None:
        if self._is_reading:
            self._is_reading = False
            self._transport.pause_reading()

    def _release(self) -> None:
        if not self._is_reading and not self._transport.is_closing():
            self._is_reading = True
            self._transport.resume_reading()
