"""Command batches in every store: atomic or not, dry or real, and their changes in the log."""

from typing import Any

import pytest
from attrs import evolve

from domain.commands import Delete, Edit, Precondition, Restore
from domain.decisions import MAX_COMMANDS, Done
from domain.errors import (
    AlreadyExists,
    DomainError,
    InsufficientStock,
    NotFound,
    PreconditionFailed,
    StockNotTracked,
)
from domain.ports import Store
from domain.product import PRODUCT
from domain.queries import Query
from domain.stock import AdjustStock
from domain.task import TASK
from tests.builders import LATER, Broken, Clock, create
from tests.contract.steps import carry_out, edit, fill, got, outcome, refusal, snapshot, trail, whole_log

pytestmark = pytest.mark.anyio


def at_version(*versions: int) -> Precondition:
    """Accept only these versions."""
    return Precondition(frozenset(versions))


async def test_changes_come_in_the_order_of_the_commands(store: Store, clock: Clock) -> None:
    """A batch may hold any commands on any entities; the log has its changes in the same order."""
    clock.now = LATER
    commands = [
        create(TASK),
        create(PRODUCT, stock=1),
        edit(TASK, 1, status="done", notes="x"),
        AdjustStock(id=1, change=4),
        edit(TASK, 1, status="done"),
        Delete(entity_type=TASK, id=1),
        Restore(entity_type=TASK, id=1),
    ]
    await carry_out(store, *commands, request_id="r-7")
    assert [
        ("task.created", 1, 1),
        ("product.created", 1, 1),
        ("task.updated", 1, 2),
        ("product.updated", 1, 2),
        ("task.deleted", 1, 3),
        ("task.restored", 1, 4),
    ] == await trail(store)
    changes = [entry.change for entry in await whole_log(store)]
    assert {(LATER, "r-7")} == {(change.at, change.request_id) for change in changes}
    assert [
        TASK.writable_names,
        PRODUCT.writable_names,
        ("status", "notes"),
        ("stock",),
        (),
        TASK.writable_names,
    ] == [change.changed for change in changes]
    assert changes[-1].record == await store.get(TASK, 1)


async def test_an_atomic_batch_fails_whole(store: Store) -> None:
    """One refusal rolls back an atomic batch: entities, log and page stay the same, and every refusal is returned."""
    await fill(store, TASK, {}, {}, {})
    before = await snapshot(store, TASK, range(1, 6)), await store.head(), await store.page(Query(entity_type=TASK))
    commands = [
        create(TASK),
        edit(TASK, 1, title="B"),
        Delete(entity_type=TASK, id=2),
        Delete(entity_type=TASK, id=9),
        create(TASK),
        edit(TASK, 9),
    ]
    failed = await outcome(store, *commands)
    assert (3, [Done, Done, Done, NotFound, Done, NotFound]) == (failed.failed, [type(each) for each in failed.results])
    assert before == (
        await snapshot(store, TASK, range(1, 6)),
        await store.head(),
        await store.page(Query(entity_type=TASK)),
    )


async def test_a_batch_that_is_not_atomic(store: Store) -> None:
    """In a batch that is not atomic, a refusal affects no other command."""
    await fill(store, TASK, {}, {})
    commands = [
        edit(TASK, 9),
        edit(TASK, 1, title="B"),
        Delete(entity_type=TASK, id=1),
        edit(TASK, 1, title="C"),
        create(TASK),
    ]
    results = await outcome(store, *commands, atomic=False)
    assert [NotFound, Done, Done, NotFound, Done] == [type(result) for result in results.results]
    assert results.failed is None
    assert [("task.updated", 1, 2), ("task.deleted", 1, 3)] == (await trail(store))[2:4]
    assert await got(store, TASK, 1) is None


async def test_a_dry_run_decides_and_writes_nothing(store: Store) -> None:
    """A dry run returns the outcome and changes nothing, whether the commands would succeed or fail."""
    await fill(store, TASK, {})
    before = await store.head(), await store.page(Query(entity_type=TASK))
    commands = [
        edit(TASK, 1, title="B"),
        edit(TASK, 1),
        Delete(entity_type=TASK, id=1),
        Restore(entity_type=TASK, id=1),
    ]
    dry = await outcome(store, *commands, dry_run=True)
    assert isinstance(await refusal(store, edit(TASK, 9), dry_run=True), NotFound)
    assert ["Sweep the floor"] == [each.title for each in await carry_out(store, create(TASK), dry_run=True)]
    assert before == (await store.head(), await store.page(Query(entity_type=TASK)))
    assert evolve(dry, dry_run=False) == await outcome(store, *commands)


async def test_as_many_commands_as_are_allowed(store: Store) -> None:
    """A batch of the largest allowed size is carried out whole."""
    made = await carry_out(store, *(create(TASK, title=f"Task {number}") for number in range(MAX_COMMANDS)))
    assert list(range(1, MAX_COMMANDS + 1)) == [entity.id for entity in made]
    assert f"Task {MAX_COMMANDS - 1}" == made[-1].title


async def test_an_empty_batch(store: Store) -> None:
    """A batch without commands succeeds and changes nothing."""
    before = await store.head()
    assert [] == await carry_out(store)
    assert before == await store.head()


async def test_a_fault_fails_only_its_batch(store: Store) -> None:
    """A fault in a decision reaches its caller, rolls back its batch, and affects no other."""
    with pytest.raises(RuntimeError, match=r"^a fault in a decision$"):
        await outcome(store, create(TASK), Broken())
    assert await got(store, TASK, 1) is None
    (made,) = await carry_out(store, create(TASK))
    assert [("task.created", made.id, 1)] == await trail(store)


async def test_a_sku_belongs_to_one_living_product(store: Store, other: Store) -> None:
    """No two living products have the same sku, case-sensitively; any number may have none."""
    await fill(store, PRODUCT, {"sku": "A"}, {"sku": "a"}, {}, {"sku": None})
    for command in (create(PRODUCT, sku="A"), edit(PRODUCT, 3, sku="A")):
        error = await refusal(other, command)
        assert isinstance(error, AlreadyExists)
        assert ("product", "sku", "A", 1) == (error.entity_type, error.field, error.value, error.owner)
    await carry_out(store, edit(PRODUCT, 1, sku="A", name="Again"))


async def test_a_sku_goes_with_its_product(store: Store) -> None:
    """The sku of a deleted product is free; a restore is refused while another product has it."""
    await fill(store, PRODUCT, {"sku": "A"})
    await carry_out(store, Delete(entity_type=PRODUCT, id=1))
    await carry_out(store, create(PRODUCT, sku="A"))
    error = await refusal(store, Restore(entity_type=PRODUCT, id=1))
    assert isinstance(error, AlreadyExists)
    assert 2 == error.owner
    await carry_out(store, edit(PRODUCT, 2, sku=None), Restore(entity_type=PRODUCT, id=1))


async def test_skus_can_be_swapped(store: Store) -> None:
    """Two products can swap their skus in one batch."""
    await fill(store, PRODUCT, {"sku": "A"}, {"sku": "B"})
    await carry_out(store, edit(PRODUCT, 1, sku=None), edit(PRODUCT, 2, sku="A"), edit(PRODUCT, 1, sku="B"))
    assert ["B", "A"] == [product.sku for product in await snapshot(store, PRODUCT, range(1, 3))]
    assert isinstance(await refusal(store, create(PRODUCT, sku="A")), AlreadyExists)


async def test_one_batch_cannot_take_a_sku_twice(store: Store) -> None:
    """Two commands of one batch cannot take the same sku."""
    results = (await outcome(store, create(PRODUCT, sku="A"), create(PRODUCT, sku="A"), atomic=False)).results
    assert [Done, AlreadyExists] == [type(result) for result in results]


@pytest.mark.parametrize("restored", [False, True])
async def test_preconditions(store: Store, restored: bool) -> None:
    """Every command checks the version that its caller saw."""
    await fill(store, PRODUCT, {"stock": 5})
    await carry_out(store, edit(PRODUCT, 1, stock=6))
    commands: list[Any] = [
        Edit(entity_type=PRODUCT, id=1, values={"stock": 7}, precondition=at_version(1)),
        AdjustStock(id=1, change=1, precondition=at_version(1, 3)),
        Delete(entity_type=PRODUCT, id=1, precondition=at_version(3)),
    ]
    if restored:
        await carry_out(store, Delete(entity_type=PRODUCT, id=1))
        commands = [Restore(entity_type=PRODUCT, id=1, precondition=at_version(2))]
    for command in commands:
        assert isinstance(await refusal(store, command), PreconditionFailed)
    fitting = Restore if restored else Delete
    await carry_out(store, fitting(entity_type=PRODUCT, id=1, precondition=at_version(3 if restored else 2)))


async def test_a_failed_precondition_tells_what_changed(store: Store) -> None:
    """A failed precondition returns the current entity and the fields changed since the named version."""
    await fill(store, TASK, {})
    await carry_out(
        store, edit(TASK, 1, notes="a", due="2026-12-31"), edit(TASK, 1, notes="b"), edit(TASK, 1, title="B")
    )
    for version, changed in ((1, ("title", "due", "notes")), (2, ("title", "notes")), (3, ("title",)), (9, ())):
        error = await refusal(store, Delete(entity_type=TASK, id=1, precondition=at_version(version)))
        assert isinstance(error, PreconditionFailed)
        assert (await store.get(TASK, 1), version, changed) == (error.current, error.expected, error.changed)


async def test_a_batch_can_fail_its_own_precondition(store: Store) -> None:
    """A failed precondition also names changes of earlier commands in its batch, unless they are rolled back."""
    await fill(store, TASK, {})
    edits = [Edit(entity_type=TASK, id=1, values={"notes": text}, precondition=at_version(1)) for text in "ab"]
    _, error = (await outcome(store, *edits, atomic=False)).results
    assert isinstance(error, PreconditionFailed)
    assert (2, ("notes",)) == (error.current.version, error.changed)


async def test_stock_is_added(store: Store) -> None:
    """Stock adjustments add up; one below zero or on untracked stock is refused."""
    await fill(store, PRODUCT, {"stock": 5}, {})
    assert [3, 0] == [each.stock for each in await carry_out(store, *[AdjustStock(id=1, change=-n) for n in (2, 3)])]
    refusals: list[DomainError] = [await refusal(store, AdjustStock(id=id, change=-1)) for id in (1, 2)]
    assert [InsufficientStock, StockNotTracked] == [type(error) for error in refusals]
    assert 0 == (await snapshot(store, PRODUCT, range(1, 2)))[0].stock


async def test_what_was_undone_is_never_shown(store: Store) -> None:
    """After a rollback a failed precondition shows the stored entity, and names the batch itself as the cause."""
    await fill(store, TASK, {"notes": "stored"})
    stored = await store.get(TASK, 1)
    edits = [Edit(entity_type=TASK, id=1, values={"notes": text}, precondition=at_version(1)) for text in "ab"]
    error = (await outcome(store, *edits)).results[-1]
    assert isinstance(error, PreconditionFailed)
    assert (stored, (), True) == (error.current, error.changed, error.undone)
    assert stored == await store.get(TASK, 1)


async def test_an_etag_that_names_no_version(store: Store) -> None:
    """An etag that names no version fails, without a list of changed fields."""
    await fill(store, TASK, {})
    error = await refusal(store, Delete(entity_type=TASK, id=1, precondition=Precondition(unknown=('"a"',))))
    assert isinstance(error, PreconditionFailed)
    assert (None, ('"a"',), ()) == (error.expected, error.unknown, error.changed)


async def test_a_restore_and_deletion_in_one_batch(store: Store, other: Store) -> None:
    """A restore and a deletion in one batch leave two changes and the entity deleted."""
    await fill(store, TASK, {})
    await carry_out(store, Delete(entity_type=TASK, id=1))
    await carry_out(store, Restore(entity_type=TASK, id=1), Delete(entity_type=TASK, id=1))
    assert [3, 4] == [version for _, _, version in (await trail(other))[2:]]
    assert await got(other, TASK, 1) is None
