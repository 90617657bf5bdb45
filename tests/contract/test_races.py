"""Concurrency on every store: no update is lost, no effect is doubled, nothing is sold twice."""

import asyncio
from typing import Any

import pytest

from domain.commands import Edit, Precondition
from domain.decisions import Done, IdempotencyKey, Outcome, Replay
from domain.errors import AlreadyExists, InsufficientStock, KeyInFlight, PreconditionFailed
from domain.ports import Store
from domain.product import PRODUCT
from domain.queries import Query
from domain.stock import AdjustStock
from domain.task import TASK
from tests.builders import batch, create, recorded
from tests.contract.steps import carry_out, edit, fill, got, outcome, trail, walk

pytestmark = pytest.mark.anyio

Stores = tuple[Store, Store]


async def test_no_update_is_lost(stores: Stores) -> None:
    """Of 64 writers that each read, add one and write 100 times, the sum is the number of accepted writes."""
    await fill(stores[0], PRODUCT, {"stock": 0})

    async def writer(store: Store) -> int:
        successes = 0
        for _ in range(100):
            seen = await got(store, PRODUCT, 1)
            assert seen is not None
            assert seen.stock is not None
            await asyncio.sleep(0)  # lets others write
            values, precondition = {"stock": seen.stock + 1}, Precondition(frozenset({seen.version}))
            (result,) = (
                await outcome(store, Edit(entity_type=PRODUCT, id=1, values=values, precondition=precondition))
            ).results
            assert isinstance(result, Done | PreconditionFailed)
            successes += isinstance(result, Done)
        return successes

    successes = sum(await asyncio.gather(*(writer(stores[number % 2]) for number in range(64))))
    final = await got(stores[0], PRODUCT, 1)
    assert final is not None
    assert (successes, successes + 1) == (final.stock, final.version)
    assert 100 <= successes < 64 * 100
    assert [version for _, _, version in await trail(stores[1])] == list(range(1, successes + 2))


async def test_readers_see_what_was_acknowledged(stores: Stores) -> None:
    """Every read after an acknowledgement sees the write, in any process, under load."""
    await fill(stores[0], TASK, {"title": "0"})
    done = asyncio.Event()

    async def reader(store: Store) -> None:
        while not done.is_set():
            assert await got(store, TASK, 1) is not None
            await asyncio.sleep(0)

    async def writer() -> None:
        for version in range(2, 200):
            await carry_out(stores[version % 2], edit(TASK, 1, title=str(version)))
            for store in stores:
                seen = await got(store, TASK, 1)
                assert (version, str(version)) == (seen.version, seen.title)
        done.set()

    async with asyncio.TaskGroup() as group:
        for number in range(8):
            group.create_task(reader(stores[number % 2]))
        group.create_task(writer())


async def test_no_effect_is_doubled(stores: Stores) -> None:
    """1,000 keys, each sent twenty times at once, have 1,000 effects, and every duplicate gets the outcome."""

    def request(number: int) -> Any:
        name = str(number)
        key = IdempotencyKey(caller="me", name=name, fingerprint=name.encode())
        return batch(create(TASK, title=f"Task {name}"), key=key)

    async def duplicate(store: Store, number: int) -> bytes | None:
        try:
            answer = await store.submit(request(number))
        except KeyInFlight:
            return None
        outcome = answer.outcome if isinstance(answer, Replay) else answer
        assert isinstance(outcome, Outcome)
        return str(_ids(outcome)).encode()

    told: dict[int, set[bytes]] = {}
    for first in range(0, 1000, 200):  # as many at once as a store lets wait
        sent = [(stores[turn % 2], number) for turn in range(20) for number in range(first, first + 200)]
        answers = await asyncio.gather(*(duplicate(*each) for each in sent))
        for (_, number), answer in zip(sent, answers, strict=True):
            told.setdefault(number, set()).update([answer] if answer else [])
    entities = await walk(stores[0], Query(entity_type=TASK))
    assert {f"Task {number}": {str([id]).encode() for id in ids} for number, ids in _by_number(entities).items()} == {
        f"Task {number}": outcomes for number, outcomes in told.items()
    }
    assert 1000 == len(entities) == len(await trail(stores[1]))


def _ids(outcome: Outcome) -> list[int]:
    return [result.record.id for result in outcome.results if isinstance(result, Done)]


def _by_number(entities: list[Any]) -> dict[int, list[int]]:
    return {int(entity.title.split()[1]): [entity.id] for entity in entities}


async def test_stock_is_never_below_zero(stores: Stores) -> None:
    """50 buyers who want more than the stock buy exactly the stock."""
    await fill(stores[0], PRODUCT, {"stock": 100})

    async def buyer(store: Store, amount: int) -> int:
        sold = 0
        for _ in range(4):
            (result,) = (await outcome(store, AdjustStock(id=1, change=-amount))).results
            assert isinstance(result, Done | InsufficientStock)
            sold += amount * isinstance(result, Done)
            await asyncio.sleep(0)
        return sold

    sold = await asyncio.gather(*(buyer(stores[number % 2], 1 + number % 3) for number in range(50)))
    final = await got(stores[0], PRODUCT, 1)
    assert final is not None
    assert (100, 0) == (sum(sold), final.stock)
    stocks = [recorded(PRODUCT, entry.change.record).stock for entry in (await stores[1].read(None)).entries]
    assert sorted(stocks, reverse=True) == stocks


async def test_one_sku_has_one_winner(stores: Stores) -> None:
    """Of many who take the same sku at once, by creating or editing, exactly one gets it."""
    made = await fill(stores[0], PRODUCT, *({} for _ in range(20)))
    commands: list[Any] = [Edit(entity_type=PRODUCT, id=each.id, values={"sku": "A"}) for each in made]
    commands += [create(PRODUCT, sku="A") for _ in range(20)]
    outcomes = await asyncio.gather(*(outcome(stores[n % 2], command) for n, command in enumerate(commands)))
    results = [outcome.results[0] for outcome in outcomes]
    assert 1 == sum(isinstance(result, Done) for result in results)
    assert len(commands) - 1 == sum(isinstance(result, AlreadyExists) for result in results)
    assert 1 == sum(each.sku == "A" for each in await walk(stores[1], Query(entity_type=PRODUCT)))


async def test_the_log_is_in_the_order_of_commits(stores: Stores) -> None:
    """A follower sees ascending ids and versions, and each batch in one piece, while many write."""
    await fill(stores[0], PRODUCT, {"stock": 0})
    start = await stores[0].head()

    async def writer(store: Store) -> None:
        for _ in range(10):
            await carry_out(store, create(TASK), AdjustStock(id=1, change=1), create(TASK))

    writers = asyncio.gather(*(writer(stores[number % 2]) for number in range(8)))
    seen: list[tuple[str, int, int]] = []
    cursor = start
    while len(seen) < 240:
        await stores[1].wait_for_changes(cursor)
        page = await stores[1].read(cursor)
        seen += [(each.change.type, each.change.record.id, each.change.record.version) for each in page.entries]
        cursor = page.cursor
    await writers
    assert await trail(stores[0], start) == seen
    assert ["task.created", "product.updated", "task.created"] * 80 == [type for type, _, _ in seen]
    assert list(range(2, 82)) == [version for type, _, version in seen if type == "product.updated"]
    for first, _, second in zip(*[iter(seen)] * 3, strict=True):
        assert first[1] < second[1]


async def test_a_dry_run_changes_nothing_for_others(store: Store) -> None:
    """A concurrent dry run has no effect on other batches."""
    await fill(store, TASK, {})
    dry = batch(edit(TASK, 1, notes="a"), create(TASK), dry_run=True)
    first = Edit(entity_type=TASK, id=1, values={"notes": "b"}, precondition=Precondition(frozenset({1})))
    answers = await asyncio.gather(store.submit(dry), store.submit(batch(first, create(TASK))))
    assert [[Done, Done]] * 2 == [[type(each) for each in one.results] for one in answers if isinstance(one, Outcome)]
    assert ["task.created", "task.updated", "task.created"] == [type for type, _, _ in await trail(store)]
    made = await fill(store, TASK, {})
    assert 3 == len({*(each.id for each in made), *(id for _, id, _ in await trail(store))})


async def test_what_another_one_changed_at_the_same_time_is_told(store: Store) -> None:
    """Of two edits of one version one is refused, with the fields that the other changed."""
    await fill(store, TASK, {})
    edits = [
        Edit(entity_type=TASK, id=1, values={name: "x"}, precondition=Precondition(frozenset({1})))
        for name in ("notes", "title")
    ]
    answers = await asyncio.gather(*(store.submit(batch(each)) for each in edits))
    results = [result for answer in answers if isinstance(answer, Outcome) for result in answer.results]
    (done,) = [result for result in results if isinstance(result, Done)]
    (refused,) = [result for result in results if isinstance(result, PreconditionFailed)]
    (last,) = await store.history(TASK, 1, after=1)
    assert (done.record.version, refused.changed) == (last.change.version, last.change.changed)


async def test_a_caller_that_leaves_affects_no_other(store: Store) -> None:
    """Callers in the same group as one that leaves still get their responses."""
    gone, *others = [asyncio.create_task(store.submit(batch(create(TASK)))) for _ in range(4)]
    await asyncio.sleep(0)  # lets each begin
    gone.cancel()
    async with asyncio.timeout(10):
        answers = await asyncio.gather(*others)
    assert [Outcome] * 3 == [type(answer) for answer in answers]
