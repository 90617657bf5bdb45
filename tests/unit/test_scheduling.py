"""The next message for a webhook, and the effect of sending it."""

from datetime import timedelta

import pytest

from domain.changes import Cursor, Entry
from domain.deliveries import Attempt, Delivery, DeliveryStatus, SendResult, message_id
from domain.retry_policy import DELAYS, MAX_ATTEMPTS
from domain.scheduling import Conclusion, InTurn, Move, Requested, Send, Wait, conclude, first_due, next_in_turn
from domain.task import TASK
from tests.builders import LATER, NOON, change_of, task, webhook

HOOK = webhook()
START, FIRST = Cursor("log-0"), Cursor("log-1")
ENTRY = Entry(cursor=FIRST, change=change_of(task()))
NEW = Delivery.of_change(1, ENTRY.change, after=START, id="d1", at=NOON)
SOON = NOON + timedelta(seconds=1)
OK = SendResult(status=200, duration_ms=7)
DOWN = SendResult(error="the connection broke", duration_ms=7)
GONE = SendResult(status=410, duration_ms=7)


def tried(times: int, delivery: Delivery = NEW) -> Delivery:
    """Return a delivery after so many failures."""
    for _ in range(times):
        delivery = delivery.attempted(DOWN, at=NOON)
    return delivery


def waiting(due: timedelta) -> Delivery:
    """Return a delivery of the first change that failed once, and is due so long after noon."""
    return Delivery(
        id="w",
        webhook=1,
        message_id=NEW.message_id,
        type=NEW.type,
        after=START,
        requested=False,
        at=NOON,
        attempts=tried(1).attempts,
        next_attempt_at=NOON + due,
    )


def test_without_anything_pending_the_next_change_is_due() -> None:
    """It is for an enabled webhook, and nothing is for a disabled one."""
    assert InTurn(None) == first_due(HOOK, (), NOON)
    assert first_due(webhook(enabled=False), (), NOON) is None


def test_what_was_requested_goes_first() -> None:
    """The oldest of it does, before what waits, whether or not the webhook is enabled."""
    tests = [Delivery.test(1, id=id, at=NOON) for id in ("t1", "t2")]
    for each in (HOOK, webhook(enabled=False)):
        assert Requested(tests[0]) == first_due(each, (waiting(timedelta()), *tests), NOON)


def test_what_failed_waits_for_its_time() -> None:
    """Until then nothing else is sent, and a disabled webhook waits for nothing."""
    each = waiting(timedelta(seconds=1))
    assert Wait(SOON) == first_due(HOOK, (each,), NOON)
    assert InTurn(each) == first_due(HOOK, (each,), SOON)
    assert first_due(webhook(enabled=False), (each,), NOON) is None


def test_the_next_change_has_a_new_delivery_or_the_one_that_waits() -> None:
    """A delivery goes on under its id, with its attempts; one of another change is dropped first."""
    assert Send(webhook=HOOK, delivery=NEW, entry=ENTRY) == next_in_turn(HOOK, None, START, ENTRY, id="d1", at=NOON)
    each = waiting(timedelta())
    assert Send(webhook=HOOK, delivery=each, entry=ENTRY) == next_in_turn(HOOK, each, START, ENTRY, id="d1", at=NOON)
    other = Entry(cursor=FIRST, change=change_of(task(id=2)))
    dropped = each.ended(DeliveryStatus.FAILED)
    assert Move(position=START, dropped=dropped) == next_in_turn(HOOK, each, START, other, id="d1", at=NOON)


def test_what_arrives_moves_the_webhook_on() -> None:
    """Its position is behind the change, and another delivery may follow at once."""
    after = conclude(Send(webhook=HOOK, delivery=NEW, entry=ENTRY), OK, began=NOON, at=SOON, random=0.0)
    attempt = Attempt(at=NOON, status=200, error=None, duration_ms=7)
    assert Conclusion(delivery=after.delivery, position=FIRST) == after
    assert (DeliveryStatus.DELIVERED, (attempt,), None) == (
        after.delivery.status,
        after.delivery.attempts,
        after.delivery.next_attempt_at,
    )
    assert after.goes_on


def test_what_fails_is_due_again() -> None:
    """Its delay begins when the attempt ended; the webhook stays where it is, and nothing follows."""
    after = conclude(Send(webhook=HOOK, delivery=tried(1), entry=ENTRY), DOWN, began=NOON, at=SOON, random=0.0)
    assert (SOON + DELAYS[1], DeliveryStatus.PENDING, 2) == (
        after.delivery.next_attempt_at,
        after.delivery.status,
        len(after.delivery.attempts),
    )
    assert (None, None, False) == (after.position, after.disabled_reason, after.goes_on)


@pytest.mark.parametrize(("failures", "result"), [(0, GONE), (MAX_ATTEMPTS - 1, DOWN)])
def test_what_ends_it_disables_the_webhook(failures: int, result: SendResult) -> None:
    """The delivery has failed, and the webhook stays where it is."""
    sent = Send(webhook=HOOK, delivery=tried(failures), entry=ENTRY)
    after = conclude(sent, result, began=NOON, at=SOON, random=0.0)
    assert (DeliveryStatus.FAILED, None, False) == (after.delivery.status, after.position, after.goes_on)
    assert after.disabled_reason


@pytest.mark.parametrize("result", [OK, DOWN, GONE])
def test_what_was_requested_is_attempted_once(result: SendResult) -> None:
    """Whatever comes of it, it has ended, disables nothing, moves no position, and others may follow at once."""
    again = NEW.ended(DeliveryStatus.FAILED).again(id="d2", at=LATER)
    after = conclude(Send(webhook=HOOK, delivery=again, entry=ENTRY), result, began=NOON, at=SOON, random=0.0)
    status = DeliveryStatus.DELIVERED if result is OK else DeliveryStatus.FAILED
    assert (status, None, None, None, True) == (
        after.delivery.status,
        after.delivery.next_attempt_at,
        after.position,
        after.disabled_reason,
        after.goes_on,
    )


def test_what_cannot_be_sent() -> None:
    """It is a message whose change is not there; a test never had one."""
    assert Send(webhook=HOOK, delivery=NEW, entry=None).cannot_be_sent
    assert not Send(webhook=HOOK, delivery=Delivery.test(1, id="t", at=NOON), entry=None).cannot_be_sent


def test_what_is_a_retry() -> None:
    """It is a message at which there were attempts; a message that is asked for once more begins anew."""
    assert Send(webhook=HOOK, delivery=tried(1), entry=ENTRY).is_retry
    ended = tried(1).ended(DeliveryStatus.FAILED).again(id="d2", at=LATER)
    for first in (NEW, ended):
        assert not Send(webhook=HOOK, delivery=first, entry=ENTRY).is_retry


def test_once_more() -> None:
    """A pending delivery becomes due; one that has ended comes again by a new delivery of the same message."""
    each = waiting(timedelta(hours=2))
    assert (each.id, LATER, each.attempts) == (
        each.again(id="n", at=LATER).id,
        each.again(id="n", at=LATER).next_attempt_at,
        each.again(id="n", at=LATER).attempts,
    )
    new = each.ended(DeliveryStatus.DELIVERED).again(id="n", at=LATER)
    assert ("n", each.message_id, True, (), DeliveryStatus.PENDING) == (
        new.id,
        new.message_id,
        new.requested,
        new.attempts,
        new.status,
    )


def test_a_message_is_named_for_its_change() -> None:
    """Every sender gives a message the same id; another version, time or entity has another id."""
    changes = [ENTRY.change, change_of(task(version=2)), change_of(task(id=2)), change_of(task(), at=LATER)]
    assert 4 == len({message_id(each) for each in changes})
    assert message_id(ENTRY.change) == message_id(change_of(task()))
    assert message_id(ENTRY.change).startswith(f"msg_{TASK.name}_1_1_")
