"""Noticing the signal to stop, under any server."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)

Handler = Callable[[int, FrameType | None], object]


@contextmanager
def heard(stopping: asyncio.Event) -> Iterator[None]:
    """Set `stopping` as soon as a signal to stop comes. The server's own handler then stops the server.

    A server waits for its last answers before it tells the application to stop, and a stream never ends by itself.
    """
    loop = asyncio.get_running_loop()
    replaced: dict[int, tuple[Handler, Handler]] = {}

    def telling(before: Handler) -> Handler:
        def handle(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(stopping.set)
            before(number, frame)

        return handle

    if threading.current_thread() is threading.main_thread():
        for number in map(int, SIGNALS):
            before = signal.getsignal(number)
            if callable(before):
                replaced[number] = before, telling(before)
                signal.signal(number, replaced[number][1])
    try:
        yield
    finally:
        for number, (before, handle) in replaced.items():
            if signal.getsignal(number) is handle:
                signal.signal(number, before)
