"""Idempotency keys in every store."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from domain.commands import Delete
from domain.decisions import IdempotencyKey, Outcome, Replay
from domain.errors import KeyInFlight, KeyReused
from domain.ports import RECEIPTS_KEPT, Store
from domain.task import TASK
from tests.builders import Clock, create, submission
from tests.contract.steps import carry_out, got, outcome, trail

pytestmark = pytest.mark.anyio

SECOND = timedelta(seconds=1)


def key(
    name: str = "k",
    *,
    caller: str = "me",
    request: bytes = b"\x00request",
    record: Callable[[Outcome], bytes | None] | None = None,
) -> IdempotencyKey:
    """Return a key under which the number of results is kept."""
    return IdempotencyKey(
        caller=caller, name=name, fingerprint=request, record=record or (lambda kept: b"\xff%d" % len(kept.results))
    )


async def replayed(store: Store, key: IdempotencyKey, *commands: Any) -> bytes:
    """Return the receipt of an outcome that was decided before."""
    answer = await store.submit(submission(*(commands or (create(TASK),)), key=key))
    assert isinstance(answer, Replay)
    return answer.receipt


async def test_the_same_request_gets_the_same_bytes(store: Store, other: Store) -> None:
    """A key that comes again with its request is answered by what was kept, to every caller of the store."""
    await carry_out(store, create(TASK), create(TASK), key=key())
    assert [b"\xff2"] * 3 == [await replayed(door, key()) for door in (store, other, store)]
    assert [("task.created", 1, 1), ("task.created", 2, 1)] == await trail(store)


async def test_another_request_is_refused(store: Store, other: Store) -> None:
    """A key that comes again with another request is refused, and nothing happens."""
    await carry_out(store, create(TASK), key=key())
    for door in (store, other):
        with pytest.raises(KeyReused):
            await door.submit(submission(create(TASK), key=key(request=b"another")))
    assert b"\xff1" == await replayed(store, key())
    assert [("task.created", 1, 1)] == await trail(store)


async def test_keys_belong_to_callers(store: Store) -> None:
    """Two callers may use the same key for different requests, and one may use two keys for the same."""
    for each in (key(), key(caller="you", request=b"another"), key("l")):
        await carry_out(store, create(TASK), key=each)
    assert 3 == len(await trail(store))


@pytest.mark.parametrize("atomic", [True, False])
async def test_refusals_are_kept(store: Store, atomic: bool) -> None:
    """An outcome is kept whether its commands were carried out or refused, if it is worth keeping."""
    await outcome(store, Delete(entity_type=TASK, id=1), key=key(), atomic=atomic)
    await carry_out(store, create(TASK))
    assert b"\xff1" == await replayed(store, key(), Delete(entity_type=TASK, id=1))
    assert await got(store, TASK, 1) is not None


async def test_what_is_not_worth_keeping(store: Store) -> None:
    """Where nothing is recorded the key stays unused; the outcome stands all the same."""
    forgetful = key(record=lambda _: None)
    await carry_out(store, create(TASK), key=forgetful)
    await carry_out(store, create(TASK), key=forgetful)
    await carry_out(store, create(TASK), key=key(request=b"another"))
    assert 3 == len(await trail(store))


async def test_an_empty_receipt_is_a_receipt(store: Store) -> None:
    """No bytes at all can be kept, too."""
    await carry_out(store, create(TASK), key=key(record=lambda _: b""))
    assert b"" == await replayed(store, key())


async def test_a_rehearsal_uses_no_key(store: Store) -> None:
    """It records nothing; but a key that was used before is answered as it was."""
    await carry_out(store, create(TASK), key=key(), dry_run=True)
    await carry_out(store, create(TASK), key=key())
    answer = await store.submit(submission(create(TASK), key=key(), dry_run=True))
    assert Replay(receipt=b"\xff1") == answer
    assert 1 == len(await trail(store))


async def test_keys_expire(store: Store, clock: Clock) -> None:
    """A key is kept for as long as was promised, and can then be used for anything."""
    await carry_out(store, create(TASK), key=key())
    clock.now += RECEIPTS_KEPT - SECOND
    assert b"\xff1" == await replayed(store, key())
    clock.now += SECOND
    await carry_out(store, create(TASK), create(TASK), key=key(request=b"another"))
    assert b"\xff2" == await replayed(store, key(request=b"another"))


async def test_a_fault_in_recording_undoes_all(store: Store) -> None:
    """What cannot be recorded has not happened, and the key is unused."""

    def fail(_: Outcome) -> bytes:
        raise RuntimeError("a fault in recording")

    with pytest.raises(RuntimeError, match=r"^a fault in recording$"):
        await store.submit(submission(create(TASK), key=key(record=fail)))
    assert [] == await trail(store)
    await carry_out(store, create(TASK), key=key())


async def test_two_at_once_have_one_effect(store: Store, other: Store) -> None:
    """Of equal submissions at the same time one is carried out; the others get its receipt, or are told to wait."""
    first, second = (submission(create(TASK), key=key()) for _ in range(2))
    answers = await asyncio.gather(store.submit(first), other.submit(second), return_exceptions=True)
    assert 1 == sum(isinstance(answer, Outcome) for answer in answers)
    assert 1 == sum(isinstance(answer, KeyInFlight) or answer == Replay(receipt=b"\xff1") for answer in answers)
    assert ["task.created"] == [type for type, _, _ in await trail(store)]
