"""The effect of an attempt, and the time of the next."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.deliveries import MAX_CLOCK_SKEW, Attempt, Delivery, SendResult
from domain.retry_policy import DELAYS, MAX_ATTEMPTS, MAX_WAIT, Arrived, GiveUp, Retry, is_due, judge

NOW = datetime(2026, 7, 1, 12, 0, 0, tzinfo=UTC)
FAILED = SendResult(status=500, duration_ms=1)


def waiting(*, due: timedelta | None, last: timedelta | None = None) -> Delivery:
    """Return a delivery that is due, and was last attempted, so long after now."""
    attempts = () if last is None else (Attempt(at=NOW + last, status=500, error=None, duration_ms=1),)
    return Delivery(
        id="d",
        webhook=1,
        message_id="m",
        type="task.created",
        after=None,
        requested=False,
        at=NOW,
        attempts=attempts,
        next_attempt_at=None if due is None else NOW + due,
    )


SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("expected", "each"),
    [
        (True, waiting(due=None)),
        (True, waiting(due=timedelta())),
        (True, waiting(due=-SECOND, last=-SECOND)),
        (False, waiting(due=SECOND, last=-SECOND)),
        (False, waiting(due=MAX_CLOCK_SKEW + SECOND, last=MAX_CLOCK_SKEW)),
        (True, waiting(due=MAX_CLOCK_SKEW + 2 * SECOND, last=MAX_CLOCK_SKEW + SECOND)),
        (False, waiting(due=MAX_WAIT + MAX_CLOCK_SKEW, last=-SECOND)),
        (True, waiting(due=MAX_WAIT + MAX_CLOCK_SKEW + SECOND, last=-SECOND)),
    ],
)
def test_what_is_due(expected: bool, each: Delivery) -> None:
    """It is from its time on, and before it where an attempt or a wait tells of a clock that was ahead."""
    assert expected == is_due(each, NOW)


def test_the_delays_are_the_specifications() -> None:
    """Since the first attempt, the others are due at the times that the specification's table gives."""
    expected = ["0:00:05", "0:05:05", "0:35:05", "2:35:05", "7:35:05", "17:35:05", "31:35:05", "51:35:05", "75:35:05"]
    since = [sum(DELAYS[: n + 1], timedelta()).total_seconds() for n in range(len(DELAYS))]
    assert expected == [f"{s // 3600:.0f}:{s // 60 % 60:02.0f}:{s % 60:02.0f}" for s in since]


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_any_success_delivers(status: int) -> None:
    """A status from 200 to 299 says that the endpoint has the message, on the last attempt too."""
    result = SendResult(status=status, duration_ms=1)
    assert Arrived() == judge(result, made=MAX_ATTEMPTS, random=0.0)


@pytest.mark.parametrize(
    "result",
    [
        *(SendResult(status=status, duration_ms=1) for status in (101, 199, 300, 301, 307, 404, 429, 500, 503)),
        SendResult(error="the connection broke", duration_ms=1),
    ],
)
def test_everything_else_is_tried_again(result: SendResult) -> None:
    """Redirects, refusals, errors of the endpoint and errors of the network are failures alike."""
    assert Retry(delay=timedelta(seconds=5)) == judge(result, made=1, random=0.0)


def test_each_attempt_has_its_delay_and_the_last_one_has_none() -> None:
    """After every attempt but the last the next delay of the schedule applies; after the last one it is over."""
    delays = [judge(FAILED, made=made, random=0.0) for made in range(1, MAX_ATTEMPTS)]
    assert [Retry(delay=delay) for delay in DELAYS] == delays
    expected = GiveUp(reason="10 attempts failed; the last attempt was answered 500")
    assert expected == judge(FAILED, made=MAX_ATTEMPTS, random=0.0)


def test_the_reason_names_the_error_of_the_last_attempt() -> None:
    """Without an answer, the owner of the webhook reads the error instead."""
    result = SendResult(error="the connection broke", duration_ms=1)
    expected = GiveUp(reason="10 attempts failed; the last attempt failed: the connection broke")
    assert expected == judge(result, made=MAX_ATTEMPTS, random=0.0)


def test_gone_ends_it_at_once() -> None:
    """A 410 asks for no further messages, on the first attempt already."""
    expected = GiveUp(reason="the endpoint answered 410 Gone")
    assert expected == judge(SendResult(status=410, duration_ms=1), made=1, random=0.0)


def test_jitter_only_adds() -> None:
    """The random part puts an attempt off by up to a fifth of its delay and never brings it forward."""
    assert Retry(delay=timedelta(minutes=5.5)) == judge(FAILED, made=2, random=0.5)


def test_an_endpoint_can_ask_for_more_time_but_not_for_less() -> None:
    """The longer of the schedule's delay and the endpoint's own wish counts."""
    for wish, expected in ((3600.0, 3600), (1.0, 300)):
        result = SendResult(status=503, retry_after=wish, duration_ms=1)
        assert Retry(delay=timedelta(seconds=expected)) == judge(result, made=2, random=0.0)
