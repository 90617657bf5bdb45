"""Reading no more from a client than can be looked at, and looking at it in turns that are short."""

import asyncio
from collections.abc import Callable, Sized
from time import perf_counter

from uvicorn.protocols.http.flow_control import FlowControl

PIECE = 1024
"""Bytes that are parsed together. They begin 57 requests at most."""

TURN_S = 0.002
"""Seconds for which one connection is parsed before others have their turn."""


class PiecewiseFlow(FlowControl):
    """uvicorn's flow control, whose pause also holds back what was read already.

    uvicorn parses a whole read at once, and one read can begin seven thousand requests. Here it is parsed in pieces,
    until a request has to wait for the one before it, or a body for its reader, or the turn is over. Nothing more is
    read from the socket before the rest is parsed. So a connection holds one read, and the requests of one piece, which
    are in the `queue`: as long as there are any, nothing resumes reading.
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
        """Parse what was read, or keep it for later."""
        if len(data) <= PIECE and not self._rest and not self.read_paused:  # as most reads are
            self._parse(data)
            return
        self._rest = self.take_rest() + data
        if self._next_turn is None:
            self._take_turn()

    @property
    def unparsed(self) -> bytes:
        """What was read, and is not parsed yet."""
        return self._rest[self._parsed :]

    def take_rest(self) -> bytes:
        """Return what is not parsed yet, and forget it."""
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
