"""Walking a collection while others write, and following it from there, in every store."""

import asyncio
from random import Random
from typing import Any

import pytest
from attrs import evolve

from domain.changes import Action, Cursor
from domain.commands import Delete, Restore
from domain.entity_type import EntityType
from domain.ports import Store
from domain.product import PRODUCT
from domain.queries import Condition, Operator, Order, Query
from domain.task import TASK
from tests.builders import LATER, Clock, create, recorded
from tests.contract.shelves import raws, stock_up
from tests.contract.steps import carry_out, edit, fill, outcome, shown, walk, whole_log

pytestmark = pytest.mark.anyio

WALKS = ["", "-id", "status", "-status", "-due title", "-title", "priority -due"]


def order_of(names: str) -> tuple[Order, ...]:
    """Return the order for sort parameters such as -due."""
    return tuple(Order(TASK.by_name[name.lstrip("-")], descending=name.startswith("-")) for name in names.split())


async def disturb(store: Store, random: Random, stable: list[Any]) -> None:
    """Create, edit, delete and restore at random, but keep the sorted fields of `stable` entities."""
    raw = {
        "title": random.choice("aBs😀"),
        "status": random.choice(["pending", "done"]),
        "due": random.choice([None, "2026-12-31"]),
    }
    others = [id for id in range(1, 60) if id not in {each.id for each in stable}]
    commands: list[Any] = [
        create(TASK, **raw),
        edit(TASK, random.choice(others), **raw),
        edit(TASK, random.choice(stable).id, notes=str(random.random())),
        Delete(entity_type=TASK, id=random.choice(others)),
        Restore(entity_type=TASK, id=random.choice(others)),
    ]
    await outcome(store, *random.sample(commands, 3), atomic=False)


@pytest.mark.parametrize("names", WALKS)
@pytest.mark.parametrize("search", ["", "s"])
async def test_a_walk_visits_everything_once(store: Store, other: Store, clock: Clock, names: str, search: str) -> None:
    """A walk visits each entity that matches throughout, with unchanged sort keys, exactly once during any writes."""
    stable = [each for each in await stock_up(store, TASK, clock) if search in TASK.search_text(each)]
    random = Random(7)
    query: Query[Any] = Query(entity_type=TASK, search=search, order=order_of(names), limit=1)
    page = await store.page(query)
    visited = shown(query, page)
    while page.next is not None:
        await disturb(other, random, stable)
        page = await store.page(evolve(query, after=page.next))
        visited += shown(query, page)
    ids = {each.id for each in stable}
    assert sorted(ids) == sorted(each.id for each in visited if each.id in ids)


async def test_many_walk_while_many_write(store: Store, other: Store) -> None:
    """Each of seven walks visits each of nearly 1,000 stable entities once, during constant writes of four writers."""
    stable = await carry_out(store, *(create(TASK, **each) for each in raws(TASK) * 50))
    walking = asyncio.Event()
    walking.set()

    async def writer(seed: int) -> int:
        random, writes = Random(seed), 0
        while walking.is_set():
            await disturb(other, random, stable[60:])  # the first 60 may change
            writes += 1
            await asyncio.sleep(0)  # lets others read
        return writes

    async def visited(names: str) -> list[int]:
        query: Query[Any] = Query(entity_type=TASK, order=order_of(names), limit=25)
        page = await store.page(query)
        found = shown(query, page)
        while page.next is not None:
            await asyncio.sleep(0)  # lets others write
            page = await store.page(evolve(query, after=page.next))
            found += shown(query, page)
        return [each.id for each in found]

    writers = asyncio.gather(*(writer(seed) for seed in range(4)))
    walks = await asyncio.gather(*map(visited, WALKS))
    walking.clear()
    assert all(await writers)
    ids = {each.id for each in stable[60:]}
    for each in walks:
        assert sorted(ids) == sorted(id for id in each if id in ids)


@pytest.mark.parametrize("names", WALKS)
async def test_list_then_follow(store: Store, other: Store, clock: Clock, names: str) -> None:
    """A walk plus the changes since its first page give exactly the current entities."""
    stable = await stock_up(store, TASK, clock)
    random = Random(names)
    query: Query[Any] = Query(entity_type=TASK, order=order_of(names), limit=4)
    page = await store.page(query)
    changes = page.changes
    copy = {each.id: each for each in shown(query, page)}
    while page.next is not None:
        await disturb(other, random, stable)
        page = await store.page(evolve(query, after=page.next))
        copy |= {each.id: each for each in shown(query, page)}
    await disturb(other, random, stable)
    for entry in await whole_log(store, changes):
        if entry.change.action is Action.DELETED:
            copy.pop(entry.change.record.id, None)
        else:
            copy[entry.change.record.id] = recorded(TASK, entry.change.record)
    assert await walk(store, Query(entity_type=TASK)) == [copy[id] for id in sorted(copy)]


async def test_changes_continue_exactly(store: Store) -> None:
    """A page's cursor names exactly the newest change that the page reflects."""
    assert await store.head() == (await store.page(Query(entity_type=TASK))).changes
    await fill(store, TASK, {}, {})
    page = await store.page(Query(entity_type=TASK, limit=1))
    assert await store.head() == page.changes
    await fill(store, PRODUCT, {})
    await carry_out(store, edit(TASK, 2, notes="x"))
    later = [(each.change.type, each.change.record.id) for each in await whole_log(store, page.changes)]
    assert [("product.created", 1), ("task.updated", 2)] == later


async def revisions(store: Store) -> dict[EntityType[Any], str]:
    """Return the revision of each collection; no limit, order or filter may change it."""
    queries: list[Query[Any]] = [Query(entity_type=entity_type) for entity_type in (TASK, PRODUCT)]
    filtered = [
        evolve(each, limit=1, order=(Order(each.entity_type.fields[0], descending=True),), search="none")
        for each in queries
    ]
    pages = [(await store.page(one), await store.page(other)) for one, other in zip(queries, filtered, strict=True)]
    assert all(one.revision == other.revision for one, other in pages)
    return {query.entity_type: one.revision for query, (one, _) in zip(queries, pages, strict=True)}


async def test_the_revision_changes_with_the_collection_and_only_then(store: Store, other: Store, clock: Clock) -> None:
    """Every change of an entity gives its collection, and no other, a new revision."""
    seen = [await revisions(store)]
    for command in (
        create(TASK),
        edit(TASK, 1, notes="x"),
        Delete(entity_type=TASK, id=1),
        Restore(entity_type=TASK, id=1),
    ):
        await carry_out(store, command)
        seen.append(await revisions(other))
    assert (1, 5) == (len({each[PRODUCT] for each in seen}), len({each[TASK] for each in seen}))
    clock.now = LATER
    await carry_out(store, edit(TASK, 1, notes="x"))
    await carry_out(store, create(TASK), dry_run=True)
    await outcome(store, Delete(entity_type=TASK, id=9))
    assert seen[-1] == await revisions(store)
    await fill(store, PRODUCT, {})
    assert seen[-1][TASK] == (await revisions(store))[TASK]
    assert seen[-1][PRODUCT] != (await revisions(store))[PRODUCT]


async def test_a_page_is_read_at_one_moment(store: Store, other: Store) -> None:
    """A page never shows half a batch; its total, cursor and revision are of the same moment."""
    await fill(store, TASK, {"notes": "0"}, {"notes": "0"})
    start = await store.head()
    rounds = 50

    async def write() -> None:
        for number in range(1, rounds + 1):
            extra = [create(TASK, notes=str(number))]
            await carry_out(other, edit(TASK, 1, notes=str(number)), *extra, edit(TASK, 2, notes=str(number)))

    places: dict[Cursor, int] = {}
    writing = asyncio.create_task(write())
    everything = Condition(TASK.by_name["version"], Operator.GTE, 1)
    query: Query[Any] = Query(entity_type=TASK, where=(everything,), limit=2, total=True)
    while not writing.done():
        page = await store.page(query)
        (number,) = {int(each.notes) for each in shown(query, page)}
        assert 2 + number == page.total
        places[page.changes] = number
        await asyncio.sleep(0)
    await writing
    entries = await whole_log(store, start)
    known = {start: 0} | {entry.cursor: index // 3 for index, entry in enumerate(entries, 1) if index % 3 == 0}
    assert places == {place: known[place] for place in places}
