"""The progress of a command, on a terminal and in a pipe."""

import io
import json

import pytest

from entrypoints.progress import REDRAW_S, JsonProgress, Progress


class Terminal(io.StringIO):
    """The output to a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that stands still until the test moves it."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_pipe_gets_a_line_for_each_tenth() -> None:
    """There are eleven lines and nothing else, however often progress is reported."""
    out = io.StringIO()
    progress = Progress(out)
    for done in range(1001):
        progress("copying", done, 1000)
    lines = out.getvalue().splitlines()
    assert [f"copying: {tenth}0 %, {tenth}00 of 1,000" for tenth in range(1, 10)] == lines[1:-1]
    assert ("copying: 0 %, 0 of 1,000", "copying: 100 %, 1,000 of 1,000") == (lines[0], lines[-1])


def test_nothing_is_done_at_once() -> None:
    """A stage with nothing to do is complete."""
    out = io.StringIO()
    Progress(out)("copying", 0, 0)
    assert "copying: 100 %\n" == out.getvalue()


def test_a_terminal_has_one_line_for_each_thing() -> None:
    """It is drawn anew in its place, and left when it is complete."""
    out, clock = Terminal(), Clock()
    progress = Progress(out, clock)
    for what, done in (("copying", 0), ("copying", 500), ("copying", 1000), ("comparing", 0)):
        clock.now += 2 * REDRAW_S
        progress(what, done, 1000)
    first, second = out.getvalue().split("\n")
    assert ["", "copying    ", "copying    ", "copying    "] == [each.partition("[")[0] for each in first.split("\r")]
    assert 15 == first.split("\r")[2].count("#")
    assert "100 %, 1,000 of 1,000" in first
    assert second.startswith("\rcomparing  [   ")


@pytest.mark.parametrize(("passed", "drawn"), [(REDRAW_S / 2, 1), (REDRAW_S * 2, 2)])
def test_a_terminal_is_not_drawn_too_often(passed: float, drawn: int) -> None:
    """Frequent progress is drawn now and then, and its end always."""
    out, clock = Terminal(), Clock()
    progress = Progress(out, clock)
    progress("copying", 1, 3)
    clock.now += passed
    progress("copying", 2, 3)
    assert drawn == out.getvalue().count("\r")
    progress("copying", 3, 3)
    assert drawn + 1 == out.getvalue().count("\r")


def test_a_terminal_shows_the_rate_and_the_time_that_is_left() -> None:
    """After 100 s for a quarter of 1,000 the rest takes 300 s; at the end there is nothing left to tell."""
    out, clock = Terminal(), Clock()
    progress = Progress(out, clock)
    for done in (0, 250, 1000):
        progress("copying", done, 1000)
        clock.now += 100
    first, quarter, whole = out.getvalue().split("\r")[1:]
    assert "/s" not in first
    assert "25 %, 250 of 1,000, 2/s, 5:00 left" in quarter
    assert whole.endswith("1,000 of 1,000, 5/s\x1b[K\n")


def test_a_program_gets_an_object_for_each_tenth() -> None:
    """There are eleven lines, each a whole object."""
    out = io.StringIO()
    progress = JsonProgress(out)
    for done in range(1001):
        progress("copying", done, 1000)
    told = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [{"stage": "copying", "done": 100 * tenth, "total": 1000} for tenth in range(11)] == told
