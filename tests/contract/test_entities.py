"""Entities in every store: present, absent, their ids and their versions."""

from typing import Any

import pytest
from attrs import evolve

from domain.commands import Delete, Restore
from domain.entity_type import MAX_ID, EntityType
from domain.errors import NotDeleted, NotFound
from domain.ports import Store
from domain.product import PRODUCT
from domain.registry import ENTITY_TYPES
from domain.state import State
from domain.stock import AdjustStock
from domain.task import TASK
from tests.builders import LATER, NOON, Clock, create, product, task
from tests.contract.steps import carry_out, edit, fill, got, refusal, snapshot

pytestmark = pytest.mark.anyio

FULL_TASK: dict[str, object] = {
    "title": "😀 Ünï",
    "status": "done",
    "priority": "low",
    "due": "0001-01-01",
    "notes": "a\n\t\u2028'\"\\",
}
FULL_PRODUCT: dict[str, object] = {
    "price": "999999999.99",
    "sku": "A.b_1-",
    "stock": 2**31 - 1,
    "category": "%",
    "description": "\u200d",
}


async def test_nothing_is_there_at_first(store: Store) -> None:
    """An empty store has no entity under any id."""
    entity_type: EntityType[Any]
    for entity_type in ENTITY_TYPES:
        assert [None, None] == await snapshot(store, entity_type, (1, MAX_ID))


async def test_what_was_made_can_be_got(store: Store, other: Store) -> None:
    """Every caller reads an entity as it was created, field by field."""
    documents: list[tuple[EntityType[Any], dict[str, object]]] = [
        (TASK, FULL_TASK),
        (PRODUCT, FULL_PRODUCT),
        (TASK, {}),
        (PRODUCT, {}),
    ]
    for entity_type, raw in documents:
        (made,) = await carry_out(store, create(entity_type, **raw))
        assert made == create(entity_type, **raw).decide(State.of(next_id=made.id), NOON)
        assert made == await got(store, entity_type, made.id) == await got(other, entity_type, made.id)


async def test_entity_types_have_ids_of_their_own(store: Store) -> None:
    """Each entity type has its own ids, from 1."""
    assert [task(id=1), product(id=1)] == await carry_out(store, create(TASK), create(PRODUCT))
    assert [task(id=2)] == await carry_out(store, create(TASK))
    assert [task(id=1), product(id=1)] == [await got(store, TASK, 1), await got(store, PRODUCT, 1)]
    assert await got(store, PRODUCT, 2) is None


async def test_ids_ascend_and_are_never_given_twice(store: Store, other: Store) -> None:
    """No process gets a deleted id again, even if it was the newest."""
    ids = []
    for door in (store, other, store, other):
        (made,) = await carry_out(door, create(TASK))
        await carry_out(door, Delete(entity_type=TASK, id=made.id))
        ids.append(made.id)
    assert sorted(set(ids)) == ids


async def test_every_change_takes_a_version(store: Store, clock: Clock) -> None:
    """Each edit, deletion and restore has a new version and time; the time of creation stays."""
    (made,) = await fill(store, TASK, {"notes": "old"})
    clock.now = LATER
    edited = evolve(made, version=2, updated_at=LATER, notes="new")
    assert [edited] == await carry_out(store, edit(TASK, 1, notes="new"))
    assert edited == await got(store, TASK, 1)
    assert [evolve(edited, version=3)] == await carry_out(store, Delete(entity_type=TASK, id=1))
    assert await got(store, TASK, 1) is None
    assert [evolve(edited, version=4)] == await carry_out(store, Restore(entity_type=TASK, id=1))
    assert evolve(edited, version=4) == await got(store, TASK, 1)


async def test_a_change_that_changes_nothing(store: Store) -> None:
    """An edit without effect leaves the entity and its version unchanged."""
    (made,) = await fill(store, PRODUCT, {"stock": 5})
    before = await store.head()
    assert [made, made] == await carry_out(store, edit(PRODUCT, 1, stock=5), AdjustStock(id=1, change=0))
    assert (made, before) == (await got(store, PRODUCT, 1), await store.head())


async def test_what_is_not_there_cannot_be_changed(store: Store) -> None:
    """Commands on unknown or deleted ids are refused."""
    await fill(store, TASK, {})
    await carry_out(store, Delete(entity_type=TASK, id=1))
    for id in (1, 2, MAX_ID):
        for command in (edit(TASK, id, title="B"), Delete(entity_type=TASK, id=id), edit(TASK, id)):
            assert isinstance(await refusal(store, command), NotFound)
    assert isinstance(await refusal(store, AdjustStock(id=1, change=1)), NotFound)


async def test_only_the_deleted_can_be_restored(store: Store) -> None:
    """A restore of a living or unknown entity is refused."""
    await fill(store, TASK, {})
    assert isinstance(await refusal(store, Restore(entity_type=TASK, id=1)), NotDeleted)
    for id in (2, MAX_ID):
        assert isinstance(await refusal(store, Restore(entity_type=TASK, id=id)), NotFound)
    assert isinstance(await refusal(store, Restore(entity_type=PRODUCT, id=1)), NotFound)


async def test_restored_again_and_again(store: Store) -> None:
    """Each restore brings back the entity as it was at its latest deletion."""
    await fill(store, TASK, {"notes": "0"})
    for round in range(1, 4):
        await carry_out(store, Delete(entity_type=TASK, id=1))
        await carry_out(store, Restore(entity_type=TASK, id=1))
        (edited,) = await carry_out(store, edit(TASK, 1, notes=str(round)))
        assert (1 + 3 * round, str(round)) == (edited.version, edited.notes)
        assert edited == await got(store, TASK, 1)


async def test_time_never_runs_backwards(store: Store, clock: Clock) -> None:
    """A caller with a slow clock never writes an earlier time than the stored one."""
    clock.now = LATER
    await fill(store, TASK, {})
    clock.now = NOON
    (edited,) = await carry_out(store, edit(TASK, 1, status="done"))
    assert LATER == edited.updated_at == edited.completed_at
