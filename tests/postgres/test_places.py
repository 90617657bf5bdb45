"""Cursors as text: what goes in comes out, and nothing else is one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.postgres.log import bookmark_at
from adapters.postgres.places import Bookmark, Names, Place, Snapshot
from domain.changes import Cursor
from domain.errors import BadCursor, CursorExpired

NOW, BEFORE, OTHER = "0123456789abcdef", "00000000deadbeef", "ffffffffffffffff"
NAMES = Names(NOW, 2, frozenset({BEFORE}))

XIDS = st.integers(0, 10**18 - 1)
PLACES = st.builds(Place, st.integers(0, 2**31 - 1), XIDS, st.integers(0, 2**31 - 1))


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """Draw what a reader may have seen."""
    lowest, *running, beyond = sorted(draw(st.sets(XIDS, min_size=2, max_size=6)))
    return lowest, beyond, tuple(running)


@given(place=PLACES, shown=st.none() | snapshots() | XIDS.map(lambda xid: (xid, xid, ())))
def test_a_cursor_is_its_bookmark(place: Place, shown: Snapshot | None) -> None:
    """Any place and any snapshot can be written as a cursor and read again."""
    bookmark = Bookmark(place, shown)
    assert bookmark == NAMES.bookmark(NAMES.cursor(bookmark))
    assert place == NAMES.place(NAMES.cursor(bookmark))


NUMBERS = ["", "-", "-1", "-1.2", "-1.2.3.4", "-1.2.x", "-01.2.3", "-1..3", "-1.2.-3", "-1.2.3 ", "-1.2.3\n", "-1.2.٣"]
TOO_LARGE = ["-2147483648.1.1", "-1.1.2147483648", f"-1.{10**18}.1"]
SNAPSHOTS = ["-", "-5", "-7.5", "-5.7.4", "-5.7.7", "-5.9.7.6", "-5.9.6.6", "-5.7-5"]


@pytest.mark.parametrize("rest", [*NUMBERS, *TOO_LARGE, *(f"-1.2.3{each}" for each in SNAPSHOTS)])
def test_anything_else_is_none(rest: str) -> None:
    """Too few numbers or too many, none at all, too large ones, and snapshots that cannot be."""
    with pytest.raises(BadCursor):
        NAMES.bookmark(Cursor(NOW + rest))


def test_names() -> None:
    """A cursor of a former name has expired, though its place is known; one of another log is none."""
    with pytest.raises(CursorExpired):
        NAMES.bookmark(Cursor(f"{BEFORE}-1.2.3"))
    assert Place(1, 2, 3) == NAMES.place(Cursor(f"{BEFORE}-1.2.3"))
    for read in (NAMES.bookmark, NAMES.place):
        with pytest.raises(BadCursor):
            read(Cursor(f"{OTHER}-1.2.3"))


def test_a_bookmark_keeps_its_snapshot_as_long_as_it_matters() -> None:
    """Behind all that was running when the snapshot was taken, and in another epoch, the place says everything."""
    shown = (5, 9, (5, 7))
    bookmark = Bookmark(Place(1, 5, 0), shown)
    assert Bookmark(Place(1, 8, 3), shown) == bookmark.moved(Place(1, 8, 3))
    for behind in (Place(1, 9, 1), Place(2, 1, 1)):
        assert Bookmark(behind) == bookmark.moved(behind)


@pytest.mark.parametrize(("newest", "shown"), [(8, (5, 9, (5, 7))), (6, (5, 7, (5,)))])
def test_a_bookmark_names_no_id_that_may_be_given_again(newest: int, shown: Snapshot) -> None:
    """What was undone behind the newest change may be unknown to a standby, whose own changes then have those ids."""
    moment = {"now": 1, "snapshot": (5, 12, (5, 7, 10))}
    assert Bookmark(Place(1, 5, 0), shown) == bookmark_at(Place(1, newest, 3), moment)
    assert Bookmark(Place(1, 4, 3)) == bookmark_at(Place(1, 4, 3), moment)
