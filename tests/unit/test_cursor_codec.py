"""Cursors of a numbered log."""

import pytest

from domain.changes import Cursor
from domain.cursor_codec import CursorCodec
from domain.errors import BadCursor, CursorExpired

LOG = CursorCodec("abc123", {"before": 7, "told": None})


@pytest.mark.parametrize("number", [0, 1, 10, 10**18 - 1])
def test_there_and_back(number: int) -> None:
    """A cursor gives back the number that it was made of."""
    assert number == LOG.number(LOG.cursor(number))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc123",
        "abc123-",
        "abc123-01",
        "abc123-+1",
        "abc123--1",
        "abc123-1 ",
        "abc123-1\n",
        "abc123-1-1",
        "abc123-١",
        "abc123-1000000000000000000",
        "ABC123-1",
        "other-1",
        "-1",
        "now",
    ],
)
def test_no_cursors(text: str) -> None:
    """A text in any other form, and a cursor of another log, is refused."""
    with pytest.raises(BadCursor, match=r"^this is no cursor of this service$"):
        LOG.number(Cursor(text))


def test_former_names() -> None:
    """Up to where the log was moved its cursors mean the same under the name of before; others have expired."""
    assert [0, 7] == [LOG.number(Cursor(f"before-{number}")) for number in (0, 7)]
    for text in ("before-8", "before-07", "before-1.2.3", "told-1", "told-1.2.3-4"):
        with pytest.raises(CursorExpired):
            LOG.number(Cursor(text))
