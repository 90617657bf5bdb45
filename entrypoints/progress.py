"""The progress of a long command: a bar on a terminal, plain lines elsewhere, JSON for programs."""

import json
import time
from collections.abc import Callable
from typing import TextIO

WIDTH = 30
REDRAW_S = 0.1


class _Tenths:
    """Tells when a stage reaches its next tenth."""

    def __init__(self) -> None:
        self._last: tuple[str, int] | None = None

    def is_next(self, what: str, part: float) -> bool:
        last, self._last = self._last, (what, int(part * 10))
        return self._last != last


class Progress:
    """Writes the progress of each stage, in the form that fits the output.

    A terminal has one line for each stage, with its rate and the time left, and redraws it. Any other output gets a
    line for each tenth.
    """

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        self._drawn = float("-inf")
        self._tenths = _Tenths()
        self._begun: tuple[str, float] = ("", 0.0)

    def __call__(self, what: str, done: int, total: int) -> None:
        """Note that `done` of `total` are done; at the end, and only then, they are equal."""
        part = _part(done, total)
        if self._begun[0] != what:
            self._begun = (what, self._clock())
        if self._out.isatty():
            self._draw(what, part, done, total)
        elif self._tenths.is_next(what, part):
            print(f"{what}: {_text(part, done, total)}", file=self._out, flush=True)

    def _draw(self, what: str, part: float, done: int, total: int) -> None:
        at = self._clock()
        if part < 1 and at - self._drawn < REDRAW_S:
            return
        self._drawn = at if part < 1 else float("-inf")
        bar = "#" * int(part * WIDTH)
        end = "\n" if part == 1 else ""
        text = _text(part, done, total) + self._pace(at, done, total)
        print(f"\r{what:<10} [{bar:<{WIDTH}}] {text}\x1b[K{end}", end="", file=self._out, flush=True)

    def _pace(self, at: float, done: int, total: int) -> str:
        """Return the rate and the time left, once they can be estimated."""
        passed = at - self._begun[1]
        if total <= 1 or not done or passed <= 0:
            return ""
        left = round((total - done) * passed / done)
        return f", {done / passed:,.0f}/s" + (f", {left // 60}:{left % 60:02} left" if done < total else "")


class JsonProgress:
    """Writes the same as one object a line, for each tenth."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._tenths = _Tenths()

    def __call__(self, what: str, done: int, total: int) -> None:
        if self._tenths.is_next(what, _part(done, total)):
            print(json.dumps({"stage": what, "done": done, "total": total}), file=self._out, flush=True)


def _part(done: int, total: int) -> float:
    return 1.0 if done >= total else done / total


def _text(part: float, done: int, total: int) -> str:
    percent = f"{int(part * 100)} %"
    return percent if total <= 1 else f"{percent}, {done:,} of {total:,}"
