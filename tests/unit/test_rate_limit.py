"""The rate limit."""

from hypothesis import given
from hypothesis import strategies as st

from domain.access.rate_limit import SECOND, Quota, decide

START = 1000 * SECOND


def test_all_at_once() -> None:
    """The whole quota may be used at once, and then nothing, until a part of it has come back."""
    quota, whole_at, verdicts = Quota(3, 60), 0, []
    for _ in range(4):
        whole_at, verdict = decide(quota, whole_at, START)
        verdicts.append(tuple(verdict))
    assert [
        (True, 2, 20 * SECOND, 0),
        (True, 1, 40 * SECOND, 0),
        (True, 0, 60 * SECOND, 0),
        (False, 0, 60 * SECOND, 20 * SECOND),
    ] == verdicts
    assert decide(quota, whole_at, START + 20 * SECOND - 1)[1].allowed is False
    assert (True, 0, 60 * SECOND, 0) == decide(quota, whole_at, START + 20 * SECOND)[1]


def test_a_refusal_changes_nothing() -> None:
    """A refused request does not lengthen the wait."""
    whole_at = START + 60 * SECOND
    assert whole_at == decide(Quota(3, 60), whole_at, START)[0]


@given(
    st.integers(1, 200),
    st.sampled_from([1, 60, 3600]),
    st.lists(st.integers(0, 20 * SECOND), min_size=1, max_size=200),
)
def test_never_more_than_the_quota(amount: int, window: int, pauses: list[int]) -> None:
    """No more is ever allowed than the quota and what came back since; and it may be done after `wait`, no sooner."""
    quota, whole_at, now, allowed = Quota(amount, window), 0, START, []
    for pause in pauses:
        now += pause
        whole_at, verdict = decide(quota, whole_at, now)
        if verdict.allowed:
            allowed.append(now)
            assert 0 <= verdict.remaining < amount
        else:
            assert decide(quota, whole_at, now + verdict.wait)[1].allowed
            assert not decide(quota, whole_at, now + verdict.wait - 1)[1].allowed
    step = window * SECOND // amount
    for index, start in enumerate(allowed):
        for count, end in enumerate(allowed[index:], 1):
            assert count <= amount + 1 + (end - start) // step
