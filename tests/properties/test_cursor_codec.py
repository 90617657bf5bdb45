"""Cursors of numbered logs hold for every number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.changes import Cursor
from domain.cursor_codec import CursorCodec
from domain.errors import BadCursor

NAMES = st.from_regex(r"[a-z0-9]{1,32}", fullmatch=True)
NUMBERS = st.integers(0, 10**18 - 1)


@given(NAMES, NUMBERS)
def test_there_and_back(name: str, number: int) -> None:
    """A cursor gives back its number, in its own log only."""
    cursor = CursorCodec(name).cursor(number)
    assert number == CursorCodec(name).number(cursor)
    with pytest.raises(BadCursor):
        CursorCodec(f"{name}x").number(cursor)


@given(NAMES, NUMBERS, NUMBERS)
def test_every_place_has_its_cursor(name: str, one: int, other: int) -> None:
    """Two numbers have the same cursor only if they are the same."""
    log = CursorCodec(name)
    assert (one == other) is (log.cursor(one) == log.cursor(other))


@given(NAMES, st.text())
def test_any_other_text_is_refused(name: str, text: str) -> None:
    """A text is a cursor only if it is the one that its number has."""
    log = CursorCodec(name)
    try:
        number = log.number(Cursor(text))
    except BadCursor:
        return
    assert text == log.cursor(number)
