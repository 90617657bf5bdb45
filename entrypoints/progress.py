"""How far a long command has come: a bar on a terminal, and plain lines where nobody watches."""

import time
from collections.abc import Callable
from typing import TextIO

WIDTH = 30
REDRAW_S = 0.1


class Progress:
    """Is told what is being done, and how many of how many are done; writes that down as it fits the output.

    A terminal has one line for each thing that is done, drawn anew again and again. Anything else gets a line for each
    tenth.
    """

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        self._drawn = float("-inf")
        self._last: tuple[str, int] | None = None

    def __call__(self, what: str, done: int, total: int) -> None:
        """Note that `done` of `total` are done; at the end, and only then, they are equal."""
        part = 1.0 if done >= total else done / total
        if self._out.isatty():
            self._draw(what, part, done, total)
        elif (step := (what, int(part * 10))) != self._last:
            self._last = step
            print(f"{what}: {_text(part, done, total)}", file=self._out, flush=True)

    def _draw(self, what: str, part: float, done: int, total: int) -> None:
        at = self._clock()
        if part < 1 and at - self._drawn < REDRAW_S:
            return
        self._drawn = at if part < 1 else float("-inf")
        bar = "#" * int(part * WIDTH)
        end = "\n" if part == 1 else ""
        print(
            f"\r{what:<10} [{bar:<{WIDTH}}] {_text(part, done, total)}\x1b[K{end}", end="", file=self._out, flush=True
        )


def _text(part: float, done: int, total: int) -> str:
    percent = f"{int(part * 100)} %"
    return percent if total <= 1 else f"{percent}, {done:,} of {total:,}"
