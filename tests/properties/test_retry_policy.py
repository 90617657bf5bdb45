"""Whatever an endpoint answers, the next attempt is neither early nor put off for ever."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.changes import Cursor, Entry
from domain.deliveries import MAX_CLOCK_SKEW, Delivery, SendResult
from domain.retry_policy import DELAYS, MAX_ATTEMPTS, MAX_WAIT, GiveUp, Retry, is_due, judge
from domain.scheduling import Conclusion, Send, conclude
from tests.builders import NOON, change_of, task, webhook

STATUSES = st.integers(100, 599).filter(lambda status: not 200 <= status <= 299 and status != 410)
FAILURES = st.builds(
    SendResult,
    status=st.none() | STATUSES,
    error=st.just("the connection broke"),
    retry_after=st.none() | st.floats(0, 10**9),
    duration_ms=st.integers(0, 20_000),
)
RANDOM = st.floats(0, 1, exclude_max=True)
ENTRY = Entry(cursor=Cursor("log-1"), change=change_of(task()))


def failed(result: SendResult, *, before: int, took: timedelta, random: float) -> Conclusion:
    """Return what follows from a failure of a delivery that failed so often before."""
    delivery = Delivery.of_change(1, ENTRY.change, after=Cursor("log-0"), id="d", at=NOON)
    for _ in range(before):
        delivery = delivery.attempted(result, at=NOON)
    send = Send(webhook=webhook(), delivery=delivery, entry=ENTRY)
    return conclude(send, result, began=NOON, at=NOON + took, random=random)


@given(FAILURES, st.integers(1, MAX_ATTEMPTS - 1), RANDOM)
def test_a_delay_is_at_least_the_schedules_and_at_most_the_longest(
    result: SendResult, made: int, random: float
) -> None:
    """The endpoint and chance only add to it."""
    verdict = judge(result, made=made, random=random)
    assert isinstance(verdict, Retry)
    assert DELAYS[made - 1] <= verdict.delay <= MAX_WAIT


@given(FAILURES, st.integers(MAX_ATTEMPTS, MAX_ATTEMPTS + 5), RANDOM)
def test_every_message_has_a_last_attempt(result: SendResult, made: int, random: float) -> None:
    """After it, nothing that the endpoint asks for brings another one."""
    assert isinstance(judge(result, made=made, random=random), GiveUp)


@given(
    FAILURES,
    st.integers(0, MAX_ATTEMPTS - 2),
    st.timedeltas(timedelta(), timedelta(seconds=20)),
    RANDOM,
    st.timedeltas(timedelta(), 2 * MAX_WAIT),
)
def test_it_is_due_from_its_time_on(
    result: SendResult, before: int, took: timedelta, random: float, later: timedelta
) -> None:
    """At any time after a failure that is not yet the next attempt's, it waits; from then on it does not."""
    delivery = failed(result, before=before, took=took, random=random).delivery
    assert delivery.next_attempt_at is not None
    at = NOON + took + later
    assert (at >= delivery.next_attempt_at) == is_due(delivery, at)


@given(FAILURES, st.integers(0, MAX_ATTEMPTS - 2), RANDOM, st.timedeltas(timedelta(microseconds=1)))
def test_a_clock_that_was_ahead_keeps_nothing_waiting(
    result: SendResult, before: int, random: float, ahead: timedelta
) -> None:
    """A time from a clock that was too far ahead is due at once."""
    delivery = failed(result, before=before, took=timedelta(), random=random).delivery
    ahead = min(ahead, NOON - NOON.replace(year=1) - MAX_CLOCK_SKEW)
    assert is_due(delivery, NOON - MAX_CLOCK_SKEW - ahead)
