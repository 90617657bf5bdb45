"""The time that purging goes by."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.retention import Belief, advance
from tests.builders import NOON

NOTHING = timedelta()
MINUTE = timedelta(minutes=1)
YEAR = timedelta(days=400)


@pytest.mark.parametrize(
    ("expected", "newest"), [(NOON, None), (NOON - YEAR, NOON - YEAR), (NOON, NOON), (NOON, NOON + YEAR)]
)
def test_at_first(expected: datetime, newest: datetime | None) -> None:
    """The time of the newest change is believed, unless it is ahead of the clock; with an empty log the clock is."""
    assert Belief(expected, NOON) == advance(None, now=NOON, elapsed=NOTHING, newest=newest)


@pytest.mark.parametrize(
    ("expected", "before", "now", "elapsed"),
    [
        (NOON + MINUTE, Belief(NOON, NOON), NOON + MINUTE, MINUTE),
        (NOON, Belief(NOON, NOON), NOON + YEAR, NOTHING),
        (NOON + 2 * MINUTE, Belief(NOON, NOON), NOON + YEAR, MINUTE),
        (NOON + 2 * MINUTE, Belief(NOON, NOON + YEAR), NOON + YEAR + MINUTE, MINUTE),
        (NOON, Belief(NOON, NOON + YEAR), NOON + MINUTE, MINUTE),
        (NOON - YEAR, Belief(NOON, NOON), NOON - YEAR, MINUTE),
        (NOON + 2 * MINUTE, Belief(NOON, NOON + YEAR), NOON + YEAR + MINUTE, 8 * MINUTE),
    ],
    ids=["right", "a start", "a jump", "catching up", "set right", "set back", "counted by another process"],
)
def test_what_is_believed(expected: datetime, before: Belief, now: datetime, elapsed: timedelta) -> None:
    """It moves on with the time that went by, at most twice as fast, and is never ahead of the clock."""
    assert Belief(expected, now) == advance(before, now=now, elapsed=elapsed, newest=None)


SPANS = st.timedeltas(min_value=NOTHING, max_value=YEAR)


@given(st.lists(st.tuples(SPANS, st.timedeltas(min_value=-YEAR, max_value=YEAR))))
def test_a_jump_is_worth_no_more_than_time(steps: list[tuple[timedelta, timedelta]]) -> None:
    """However the clock jumps, what is believed is never ahead of it, nor of twice the time that went by."""
    belief, passed = Belief(NOON, NOON), NOTHING
    for elapsed, error in steps:
        passed += elapsed
        now = NOON + passed + error
        belief = advance(belief, now=now, elapsed=elapsed, newest=None)
        assert belief.believed <= min(now, NOON + 2 * passed)


@given(st.lists(SPANS, min_size=1), SPANS)
def test_a_right_clock_is_believed_again(elapsed: list[timedelta], behind: timedelta) -> None:
    """Whatever it is behind, it has caught up after as much time."""
    belief, now = Belief(NOON - behind, NOON), NOON
    for each in (*elapsed, behind):
        now += each
        belief = advance(belief, now=now, elapsed=each, newest=None)
    assert now == belief.believed
