"""Idempotency keys in every store."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from domain.commands import Delete, Precondition, Refuse, Restore
from domain.decisions import EarlierAnswer, IdempotencyKey, Outcome, Replay
from domain.errors import KeyInFlight, KeyReused, PreconditionRequired, ValidationFailed, Violation
from domain.ports import OUTCOMES_KEPT, Store
from domain.product import MAX_STOCK, PRODUCT
from domain.stock import AdjustStock
from domain.task import TASK
from domain.webhook import WEBHOOK
from tests.builders import Broken, Clock, batch, create
from tests.contract.steps import carry_out, edit, fill, got, outcome, trail
from tests.contract.test_deliveries import attempt, delivery

pytestmark = pytest.mark.anyio

SECOND = timedelta(seconds=1)
RESULTS = [
    "Done",
    "Done",
    "AlreadyExists",
    "InsufficientStock",
    "StockNotTracked",
    "ValidationFailed",
    "PreconditionFailed",
    "Done",
    "NotDeleted",
    "PreconditionRequired",
    "Done",
]


def key(name: str = "k", *, caller: str = "me", request: bytes = b"\x00request") -> IdempotencyKey:
    """Return a key."""
    return IdempotencyKey(caller=caller, name=name, fingerprint=request)


async def replayed(store: Store, key: IdempotencyKey, *commands: Any) -> Outcome | EarlierAnswer:
    """Return the stored outcome of a replay."""
    answer = await store.submit(batch(*(commands or (create(TASK),)), key=key))
    assert isinstance(answer, Replay)
    return answer.outcome


async def test_the_same_request_gets_the_same_outcome(store: Store, other: Store) -> None:
    """A repeated request gets the stored outcome, from every process."""
    first = await outcome(store, create(TASK), create(TASK, due="2026-12-31"), key=key())
    await carry_out(store, edit(TASK, 1, title="Later"))
    assert [first] * 3 == [await replayed(door, key()) for door in (store, other, store)]
    assert [("task.created", 1, 1), ("task.created", 2, 1), ("task.updated", 1, 2)] == await trail(store)


async def test_everything_about_an_outcome_is_kept(store: Store, other: Store) -> None:
    """A stored outcome keeps every result with all its details."""
    await fill(store, PRODUCT, {"sku": "A", "stock": 1}, {"name": "B"})
    at_version_9 = Precondition(frozenset({9}), unknown=('"x"',))
    commands = (
        create(PRODUCT, name="C"),
        edit(PRODUCT, 2, name="B"),
        create(PRODUCT, sku="A"),
        AdjustStock(id=1, change=-2),
        AdjustStock(id=2, change=1),
        AdjustStock(id=1, change=MAX_STOCK),
        Delete(entity_type=PRODUCT, id=1, precondition=at_version_9),
        Delete(entity_type=PRODUCT, id=2),
        Restore(entity_type=PRODUCT, id=1),
        Refuse(entity_type=PRODUCT, error=PreconditionRequired(name="if_match")),
        create(WEBHOOK),
    )
    facts: dict[str, Any] = {"follow": await store.head(), "deliveries": (delivery("d", attempts=(attempt(),)),)}
    first = await outcome(store, *commands, atomic=False, key=key(), **facts)
    assert RESULTS == [type(each).__name__ for each in first.results]
    assert repr(first) == repr(await replayed(other, key()))


async def test_another_request_is_refused(store: Store, other: Store) -> None:
    """A key used again for another request is refused, without effect."""
    first = await outcome(store, create(TASK), key=key())
    for door in (store, other):
        with pytest.raises(KeyReused):
            await door.submit(batch(create(TASK), key=key(request=b"another")))
    assert first == await replayed(store, key())
    assert [("task.created", 1, 1)] == await trail(store)


async def test_keys_belong_to_callers(store: Store) -> None:
    """Two callers may use one key for different requests; one caller may use two keys for equal requests."""
    for each in (key(), key(caller="you", request=b"another"), key("l")):
        await carry_out(store, create(TASK), key=each)
    assert 3 == len(await trail(store))


@pytest.mark.parametrize("atomic", [True, False])
async def test_refusals_are_kept(store: Store, atomic: bool) -> None:
    """An outcome is stored, whether success or refusal, if the stored state decided it."""
    first = await outcome(store, Delete(entity_type=TASK, id=1), key=key(), atomic=atomic)
    await carry_out(store, create(TASK))
    assert repr(first) == repr(await replayed(store, key(), Delete(entity_type=TASK, id=1)))
    assert await got(store, TASK, 1) is not None


async def test_an_invalid_request_leaves_the_key_unused(store: Store) -> None:
    """A request that is invalid by itself leaves its key unused."""
    invalid = ValidationFailed(violations=(Violation(field="title", code="required", reason="is required"),))
    refused = Refuse(entity_type=TASK, error=invalid)
    for _ in range(2):
        assert invalid is (await outcome(store, refused, key=key())).results[0]
    await carry_out(store, create(TASK), key=key(request=b"another"))
    assert 1 == len(await trail(store))


async def test_a_dry_run_uses_no_key(store: Store) -> None:
    """A dry run stores no outcome, but replays one that is stored."""
    await carry_out(store, create(TASK), key=key(), dry_run=True)
    first = await outcome(store, create(TASK), key=key())
    answer = await store.submit(batch(create(TASK), key=key(), dry_run=True))
    assert Replay(outcome=first) == answer
    assert 1 == len(await trail(store))


async def test_keys_expire(store: Store, clock: Clock) -> None:
    """A key expires after the promised time, and can then be used for any request."""
    first = await outcome(store, create(TASK), key=key())
    clock.now += OUTCOMES_KEPT - SECOND
    assert first == await replayed(store, key())
    clock.now += SECOND
    second = await outcome(store, create(TASK), create(TASK), key=key(request=b"another"))
    assert second == await replayed(store, key(request=b"another"))


async def test_a_fault_leaves_the_key_unused(store: Store) -> None:
    """A batch that fails with a fault has no effect and leaves its key unused."""
    with pytest.raises(RuntimeError, match=r"^a fault in a decision$"):
        await store.submit(batch(create(TASK), Broken(), key=key()))
    assert [] == await trail(store)
    await carry_out(store, create(TASK), key=key())


async def test_two_at_once_have_one_effect(store: Store, other: Store) -> None:
    """Of equal concurrent batches one is carried out; the others get its outcome, or an error to retry."""
    first, second = (batch(create(TASK), key=key()) for _ in range(2))
    answers = await asyncio.gather(store.submit(first), other.submit(second), return_exceptions=True)
    (done,) = [answer for answer in answers if isinstance(answer, Outcome)]
    assert 1 == sum(isinstance(answer, KeyInFlight) or answer == Replay(outcome=done) for answer in answers)
    assert ["task.created"] == [type for type, _, _ in await trail(store)]
