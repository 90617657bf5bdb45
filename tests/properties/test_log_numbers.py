"""The numbers of a log, as bits."""

from hypothesis import given
from hypothesis import strategies as st

from domain.inspection.log_numbers import PAGE, LogNumbers

NEAR_A_PAGE = st.integers(PAGE - 3, PAGE + 3)


@given(st.integers(0, 2 * PAGE), st.integers(0, 2 * PAGE), st.sets(NEAR_A_PAGE | st.integers(1, 2 * PAGE), max_size=20))
def test_gaps(forgotten: int, length: int, missing: set[int]) -> None:
    """Every missing number is in a gap, and no other is."""
    numbers = LogNumbers(forgotten=forgotten, newest=forgotten + length)
    should = range(forgotten + 1, forgotten + length + 1)
    for each in should:
        if each not in missing:
            assert None is numbers.add(each)
    found = [gap.where.removeprefix("changes ").removeprefix("change ").split(" to ") for gap in numbers.gaps()]
    assert sorted(missing & set(should)) == [each for gap in found for each in range(int(gap[0]), int(gap[-1]) + 1)]


def test_numbers_that_should_not_be_there() -> None:
    """A number before the start, behind the end, or for the second time is told, and takes no memory."""
    numbers = LogNumbers(forgotten=3, newest=5)
    assert [True, False, False, True, True, True] == [numbers.add(each) is not None for each in (3, 4, 5, 6, 5, 2**62)]
    assert [] == list(numbers.gaps())
