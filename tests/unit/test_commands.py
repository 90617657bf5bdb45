"""Commands decided one by one: pure functions of the state and the time."""

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from domain.commands import Create, Delete, Edit, Precondition, Restore
from domain.entity_type import Deleted, EntityType
from domain.errors import NotDeleted, NotFound, PreconditionFailed, ValidationFailed
from domain.product import PRODUCT
from domain.registry import ENTITY_TYPES
from domain.state import State
from domain.stock import AdjustStock
from domain.task import TASK, Task
from tests.builders import LATER, NOON, REQUIRED, create, product, task

V2 = Precondition(frozenset({2}))
SEEN = {"id": 1, "version": 2, "created_at": "2026-01-31T12:00:00Z", "updated_at": "2026-01-31T12:00:00.000000Z"}


def edit(entity: Task, **raw: object) -> Task:
    """Return a task after an edit an hour later."""
    return Edit.parse(TASK, entity.id, raw).decide(State.of(entity), LATER)


def refused(entity: Task, **raw: object) -> list[tuple[str, str]]:
    """Return the field and code of each violation of an edit."""
    with pytest.raises(ValidationFailed) as caught:
        edit(entity, **raw)
    return [(violation.field, violation.code) for violation in caught.value.violations]


@pytest.mark.parametrize("entity_type", ENTITY_TYPES, ids=repr)
def test_create_makes_a_first_version(entity_type: EntityType[Any]) -> None:
    """A new entity has the id that it is given, version 1 and the time as both of its times."""
    made = create(entity_type).decide(State.of(next_id=9), NOON)
    assert (9, 1, NOON, NOON) == (made.id, made.version, made.created_at, made.updated_at)


@pytest.mark.parametrize("entity_type", ENTITY_TYPES, ids=repr)
def test_create_takes_no_read_only_values(entity_type: EntityType[Any]) -> None:
    """A new entity has no read-only values to send back, so each of them is a violation."""
    names = [field.name for field in entity_type.fields if field.read_only]
    with pytest.raises(ValidationFailed) as caught:
        Create.parse(entity_type, REQUIRED[entity_type] | dict.fromkeys(names))
    assert [(name, "read_only") for name in names] == [(each.field, each.code) for each in caught.value.violations]


def test_edit_sets_what_was_sent() -> None:
    """The fields that were not sent stay; the version and the time of update move on, the time of creation does not."""
    before = task(version=4, notes="old", due=None)
    assert evolve(before, version=5, updated_at=LATER, title="New") == edit(before, title=" New ")


def test_an_edit_that_changes_nothing() -> None:
    """An edit to the values that stand already returns the very same entity."""
    before = product(price=Decimal("9.99"), sku="W")
    same = Edit.parse(PRODUCT, 1, {"name": " Widget A", "price": Decimal("9.990"), "stock": None, "sku": "W"})
    assert before is same.decide(State.of(before), LATER)
    assert before is Edit.parse(PRODUCT, 1, {}).decide(State.of(before), LATER)


def test_time_never_runs_backwards() -> None:
    """With a clock behind that of the last writer, an entity keeps the later time."""
    before = task(updated_at=LATER)
    assert LATER == Edit.parse(TASK, 1, {"title": "B"}).decide(State.of(before), NOON).updated_at
    assert LATER == Delete(entity_type=TASK, id=1).decide(State.of(before), NOON).entity.updated_at


def test_what_was_read_can_be_sent_back() -> None:
    """Read-only values that are as they stand are taken without a word, however their times are written."""
    before = task(version=2)
    assert "B" == edit(before, title="B", completed_at=None, **SEEN).title
    assert before is edit(before, completed_at=None, **SEEN)
    assert before is edit(before, **{**SEEN, "id": Decimal("1.0"), "created_at": "2026-01-31T13:00:00+01:00"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": 2},
        {"id": True},
        {"id": "1"},
        {"id": None},
        {"created_at": None},
        {"created_at": "2026-01-31T12:00:00.000001Z"},
        {"updated_at": "yesterday"},
        {"completed_at": "2026-01-31T12:00:00Z"},
    ],
)
def test_read_only_values_cannot_be_changed(wrong: dict[str, object]) -> None:
    """A changed read-only value is a violation, even when nothing else would change."""
    assert [(*wrong, "read_only")] == refused(task(version=2), **wrong)


def test_a_precondition_is_checked_before_what_was_sent_along() -> None:
    """A body for another version need not fit this one."""
    late = Edit.parse(TASK, 1, {"title": "B", "created_at": None}, V2)
    with pytest.raises(PreconditionFailed):
        late.decide(State.of(task(version=3)), LATER)


def test_every_read_only_breach_is_told_at_once() -> None:
    """One error names all changed read-only values."""
    assert [("id", "read_only"), ("created_at", "read_only")] == refused(task(), id=2, created_at=None)


def test_another_version_is_another_writers_edit() -> None:
    """A body with another version fails the precondition, whatever else differs."""
    before = task(version=3)
    with pytest.raises(PreconditionFailed, match=r"^version is 3, not 2$") as caught:
        edit(before, id=77, created_at="never", version=2, title="B")
    assert (before, 2) == (caught.value.current, caught.value.expected)


def test_another_version_matters_even_when_nothing_changes() -> None:
    """A body that would change nothing is refused all the same when its version is another."""
    with pytest.raises(PreconditionFailed):
        edit(task(version=3), version=4)


@pytest.mark.parametrize(("version", "code"), [(0, "out_of_range"), ("3", "wrong_type"), (None, "wrong_type")])
def test_a_version_that_none_can_be(version: object, code: str) -> None:
    """A value that is no version is a violation, reported with the others."""
    assert [("version", code)] == refused(task(version=3), version=version)
    assert [("version", code), ("id", "read_only")] == refused(task(version=3), version=version, id=2)


@pytest.mark.parametrize(
    "command",
    [
        Edit(entity_type=TASK, id=1, values={"title": "B"}, precondition=V2),
        Delete(entity_type=TASK, id=1, precondition=V2),
        Restore(entity_type=TASK, id=1, precondition=V2),
        AdjustStock(id=1, change=1, precondition=V2),
    ],
)
def test_preconditions(command: Any) -> None:
    """Each command on what stands checks the versions that its caller accepts."""
    build = product if command.entity_type is PRODUCT else task
    stock = {"stock": 1} if command.entity_type is PRODUCT else {}

    def current(version: int) -> Any:
        entity = build(version=version, **stock)
        return State.of(Deleted(entity) if command.needs_deleted else entity)

    after = command.decide(current(2), LATER)
    assert 3 == (after.entity if isinstance(after, Deleted) else after).version
    with pytest.raises(PreconditionFailed) as caught:
        command.decide(current(7), LATER)
    assert (2, 7) == (caught.value.expected, caught.value.current.version)


def test_several_versions_may_be_accepted() -> None:
    """One of the versions is enough; no version at all asks only that the entity is there."""
    Precondition(frozenset({2, 5})).check(task(version=5))
    Precondition().check(task(version=9))
    with pytest.raises(PreconditionFailed, match=r"^version is 3, not 5$"):
        Precondition(frozenset({2, 5})).check(task(version=3))


def test_a_precondition_is_checked_before_a_change_is_looked_for() -> None:
    """An edit that would change nothing is refused at another version."""
    with pytest.raises(PreconditionFailed):
        Edit(entity_type=TASK, id=1, values={}, precondition=V2).decide(State.of(task(version=3)), LATER)


def test_delete_takes_a_version() -> None:
    """A deletion is a change: the entity goes with the next version and the time of its deletion."""
    before = task(version=4)
    assert Deleted(evolve(before, version=5, updated_at=LATER)) == Delete(entity_type=TASK, id=1).decide(
        State.of(before), LATER
    )


def test_restore_takes_a_version() -> None:
    """A restored entity is as it was deleted, with the next version and the time of its return."""
    gone = task(version=5)
    assert evolve(gone, version=6, updated_at=LATER) == Restore(entity_type=TASK, id=1).decide(
        State.of(Deleted(gone)), LATER
    )


@pytest.mark.parametrize("current", [State.of(), State.of(Deleted(product(id=3, stock=1)))])
@pytest.mark.parametrize(
    "command",
    [Edit(entity_type=PRODUCT, id=3, values={}), Delete(entity_type=PRODUCT, id=3), AdjustStock(id=3, change=1)],
)
def test_what_is_not_there(command: Any, current: Any) -> None:
    """Nothing can be done to an entity that never was or is gone."""
    with pytest.raises(NotFound, match=r"^Product not found$") as caught:
        command.decide(current, LATER)
    assert ("product", 3) == (caught.value.entity_type, caught.value.id)


def test_only_the_deleted_can_be_restored() -> None:
    """An unknown entity is not found, and a living entity is not deleted."""
    with pytest.raises(NotFound):
        Restore(entity_type=TASK, id=3).decide(State.of(), LATER)
    with pytest.raises(NotDeleted, match=r"^task 3 is not deleted$"):
        Restore(entity_type=TASK, id=3).decide(State.of(task(id=3)), LATER)


def test_which_commands_look_for_the_deleted() -> None:
    """Only a restore needs what is gone; only a creation names no entity."""
    commands: list[Any] = [create(TASK), Edit(entity_type=TASK, id=1, values={}), Delete(entity_type=TASK, id=1)]
    assert [None, 1, 1] == [command.id for command in commands]
    assert [False, False, False, True] == [each.needs_deleted for each in [*commands, Restore(entity_type=TASK, id=1)]]
