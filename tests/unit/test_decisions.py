"""Deciding whole command batches."""

from typing import Any

from domain.changes import Action, Change
from domain.commands import Delete, Edit, Precondition, Restore
from domain.decisions import (
    Decided,
    Decision,
    Done,
    decide,
    explained,
    named,
    recorded,
    unexplained,
    values_to_own,
)
from domain.entity_type import Deleted
from domain.errors import AlreadyExists, NotFound, PreconditionFailed
from domain.product import PRODUCT
from domain.state import Current, Ref, State, UniqueValue
from domain.stock import AdjustStock
from domain.task import TASK, Priority, Status
from tests.builders import LATER, NOON, SERIALIZER, batch, create, product, record, task
from tests.unit.deciding import SHELF, decided, product_of, set_sku


def sku(value: str) -> UniqueValue:
    """Return the claim to a sku."""
    return PRODUCT, "sku", value


def test_each_command_sees_what_those_before_it_did() -> None:
    """Commands on one entity build on each other; what is written is where the last one left it."""
    commands = [AdjustStock(id=1, change=-3), AdjustStock(id=1, change=-3), AdjustStock(id=1, change=5)]
    decision = decided(*commands, current={(PRODUCT, 1): product(stock=6)})
    assert [3, 0, 5] == [product_of(each).stock for each in decision.changes]
    assert [2, 3, 4] == [change.version for change in decision.changes]
    assert {(PRODUCT, 1): decision.changes[-1].entity} == decision.final


def test_changes_tell_what_was_done() -> None:
    """Each change names its action, its time, its request and the writable fields that differ."""
    commands = [
        create(TASK),
        Edit(entity_type=TASK, id=1, values={"status": Status.DONE, "notes": ""}),
        Delete(entity_type=TASK, id=2),
    ]
    decision = decided(*commands, current={(TASK, 1): task(id=1), (TASK, 2): task(id=2)})
    assert [Action.CREATED, Action.UPDATED, Action.DELETED] == [change.action for change in decision.changes]
    assert [TASK.writable_names, ("status",), ()] == [change.changed for change in decision.changes]
    outcome, logged = recorded(decision, batch(*commands), LATER, SERIALIZER)
    assert [Done(record=each.record, action=each.action) for each in logged] == list(outcome.results)
    assert [record(TASK, each.entity) for each in decision.changes] == [change.record for change in logged]
    assert {(LATER, "r-1")} == {(change.at, change.request_id) for change in logged}
    assert ["task.created", "task.updated", "task.deleted"] == [change.type for change in logged]


def test_a_brief_outcome_has_no_documents() -> None:
    """It tells what was done to each entity; only the changes have the documents."""
    commands = [create(TASK), Edit(entity_type=TASK, id=1, values={"notes": ""}), Delete(entity_type=TASK, id=9)]
    decision = decided(*commands, current={(TASK, 1): task(id=1)}, atomic=False)
    outcome, logged = recorded(decision, batch(*commands, atomic=False, brief=True), LATER, SERIALIZER)
    done = [each for each in outcome.results if isinstance(each, Done)]
    assert [(Action.CREATED, ""), (None, "")] == [(each.action, each.record.document) for each in done]
    assert isinstance(outcome.results[2], NotFound)
    assert [record(TASK, each.entity) for each in decision.changes] == [change.record for change in logged]


def test_a_restore_is_no_creation() -> None:
    """A restored entity comes back with all its values, and differs from a new one."""
    gone = Deleted(task(version=2))
    decision = decided(Restore(entity_type=TASK, id=1), current={(TASK, 1): gone})
    assert [(Action.RESTORED, TASK.writable_names, 3)] == [
        (change.action, change.changed, change.version) for change in decision.changes
    ]


def test_a_command_that_changes_nothing_leaves_no_trace() -> None:
    """It is done, but there is neither a change nor anything to write."""
    before = task()
    decision = decided(Edit(entity_type=TASK, id=1, values={"notes": ""}), current={(TASK, 1): before})
    assert Decision(results=(Decided(entity=before, action=None),)) == decision


def test_atomic_batches_fail_whole() -> None:
    """A refusal writes nothing; the outcome has the first one's index, and the results of the commands behind it."""
    gone = Delete(entity_type=TASK, id=5)
    decision = decided(create(TASK), gone, create(TASK), gone)
    assert (1, {}, ()) == (decision.failed, decision.final, decision.changes)
    assert [Decided, NotFound, Decided, NotFound] == [type(result) for result in decision.results]


def test_others_go_on() -> None:
    """If each command stands alone, a refusal is the result of its own command only."""
    decision = decided(create(TASK), Delete(entity_type=TASK, id=5), create(TASK), atomic=False)
    assert [Decided, NotFound, Decided] == [type(result) for result in decision.results]
    assert (None, 2) == (decision.failed, len(decision.changes))


def test_what_was_deleted_is_gone_for_those_that_follow() -> None:
    """After a deletion in the same batch an edit finds nothing, and a restore finds the entity."""
    alive: dict[Ref, Current] = {(TASK, 1): task()}
    edit = Edit(entity_type=TASK, id=1, values={"title": "B"})
    assert 1 == decided(Delete(entity_type=TASK, id=1), edit, current=alive).failed
    back = decided(Delete(entity_type=TASK, id=1), Restore(entity_type=TASK, id=1), edit, current=alive)
    assert [2, 3, 4] == [change.version for change in back.changes]


def test_what_is_found_after_a_decision() -> None:
    """Batches that are decided in turn end like one batch with all their commands: skus swapped, gone, and taken."""
    steps: list[list[Any]] = [
        [set_sku(1, None), set_sku(2, "A"), set_sku(1, "B")],
        [Delete(entity_type=PRODUCT, id=2)],
        [create(PRODUCT, sku="A"), Delete(entity_type=PRODUCT, id=9)],
        [set_sku(1, "A")],
    ]
    state = State.of(*SHELF.values(), next_id=100)
    results = list[Any]()
    for commands in steps:
        decision = decide(batch(*commands, atomic=False), state, LATER)
        state = state.after(decision.final)
        results += decision.results
    whole = decided(*(command for commands in steps for command in commands), current=SHELF, atomic=False)
    assert list(map(repr, whole.results)) == list(map(repr, results))
    assert {**SHELF, **whole.final} == state.current
    assert {sku("B"): 1, sku("A"): 100} == state.owners


def test_a_refused_command_takes_nothing() -> None:
    """A command that fails leaves neither its entity nor its claims behind."""
    doomed = Edit(entity_type=PRODUCT, id=1, values={"sku": "C"}, precondition=Precondition(frozenset({9})))
    results = decided(doomed, set_sku(2, "C"), current=SHELF, atomic=False).results
    assert [PreconditionFailed, Decided] == [type(result) for result in results]


def test_what_a_store_must_look_up() -> None:
    """Every entity that is named, and whether a deleted one will do; nothing for a creation."""
    commands: list[Any] = [
        create(TASK),
        Delete(entity_type=TASK, id=1),
        Restore(entity_type=TASK, id=1),
        AdjustStock(id=1, change=1),
    ]
    assert {(TASK, 1): True, (PRODUCT, 1): False} == named(commands)


def test_which_claims_a_store_must_look_up() -> None:
    """Every sku that is set, and that of each product to restore; none where it is emptied or left alone."""
    gone: dict[Ref, Current] = {(PRODUCT, 3): Deleted(product(id=3, sku="D")), (PRODUCT, 4): Deleted(product(id=4))}
    commands: list[Any] = [
        create(PRODUCT, sku="C"),
        set_sku(1, "A"),
        set_sku(2, None),
        Restore(entity_type=PRODUCT, id=3),
        Restore(entity_type=PRODUCT, id=4),
        AdjustStock(id=5, change=1),
        create(TASK),
    ]
    assert {sku("C"), sku("A"), sku("D")} == values_to_own(commands, gone)


KEPT = Change(
    entity_type=TASK,
    action=Action.UPDATED,
    record=record(TASK, task(version=2)),
    changed=("due",),
    at=NOON,
    request_id="r",
)


FIRST = Precondition(frozenset({1}))
TWO_EDITS = [Edit(entity_type=TASK, id=1, values={"notes": text}, precondition=FIRST) for text in ("a", "b")]


def test_failed_preconditions_get_explained() -> None:
    """A store is asked about each failed precondition, and what it kept tells what changed."""
    stale = Delete(entity_type=TASK, id=1, precondition=Precondition(frozenset({1})))
    decision = decided(create(TASK), stale, current={(TASK, 1): task(version=2)})
    assert {((TASK, 1), 1)} == unexplained(decision)
    told = explained(decision, {((TASK, 1), 1): [KEPT]})
    assert (decision.results[0], 1) == (told.results[0], told.failed)
    assert isinstance(told.results[1], PreconditionFailed)
    assert ("due",) == told.results[1].changed


def test_a_failed_precondition_is_not_explained_by_something_else() -> None:
    """Changes of the same batch to an entity of another type, with the same id, are not named."""
    commands = [
        Edit(entity_type=TASK, id=1, values={"notes": "a"}),
        Edit(entity_type=PRODUCT, id=1, values={"category": "a"}),
        Delete(entity_type=TASK, id=1, precondition=Precondition(frozenset({1}))),
    ]
    decision = decided(*commands, current={**SHELF, (TASK, 1): task()}, atomic=False)
    error = explained(decision, {((TASK, 1), 1): []}).results[2]
    assert isinstance(error, PreconditionFailed)
    assert ("notes",) == error.changed


def test_a_failed_precondition_is_not_explained_by_what_came_later() -> None:
    """Changes of a later command of the same batch are not named."""
    first = Precondition(frozenset({1}))
    commands = [Edit(entity_type=TASK, id=1, values={"notes": "a"}, precondition=first)]
    commands.append(Edit(entity_type=TASK, id=1, values={"priority": Priority.HIGH}))
    decision = decided(*commands, current={(TASK, 1): task(version=2)}, atomic=False)
    error = explained(decision, {((TASK, 1), 1): [KEPT]}).results[0]
    assert isinstance(error, PreconditionFailed)
    assert ("due",) == error.changed


def test_a_batch_can_fail_its_own_preconditions() -> None:
    """Earlier changes of the same batch are named, if they take effect."""
    error = explained(decided(*TWO_EDITS, current={(TASK, 1): task()}, atomic=False), {((TASK, 1), 1): []}).results[1]
    assert isinstance(error, PreconditionFailed)
    assert (2, ("notes",), False) == (error.current.version, error.changed, error.undone)


def test_what_was_undone_is_never_shown() -> None:
    """If a failure undoes all, the error describes the stored state, and says that the batch itself was the cause."""
    stored = task(notes="stored")
    error = explained(decided(*TWO_EDITS, current={(TASK, 1): stored}), {((TASK, 1), 1): []}).results[1]
    assert isinstance(error, PreconditionFailed)
    assert (stored, (), True) == (error.current, error.changed, error.undone)


def test_a_version_that_never_was_is_no_fault_of_the_batch() -> None:
    """A version that is not the stored one fails anyway, and the error describes the stored state."""
    edit = Edit(entity_type=TASK, id=1, values={"notes": "a"})
    stale = Delete(entity_type=TASK, id=1, precondition=Precondition(frozenset({1})))
    decision = decided(edit, stale, current={(TASK, 1): task(version=2)})
    error = explained(decision, {((TASK, 1), 1): [KEPT]}).results[1]
    assert isinstance(error, PreconditionFailed)
    assert (2, ("due",), False) == (error.current.version, error.changed, error.undone)


def test_other_refusals_by_what_was_undone() -> None:
    """The error says that an earlier command deleted, made or took something, and that this was undone."""
    guessed = Edit(entity_type=TASK, id=100, values={}, precondition=Precondition(frozenset({2})))
    same = create(PRODUCT, sku="Z")
    for commands, atomic, expected in (
        ([Delete(entity_type=TASK, id=1)] * 2, True, (NotFound, True)),
        ([Delete(entity_type=TASK, id=1)] * 2, False, (NotFound, False)),
        ([create(TASK), guessed], True, (NotFound, False)),
        ([same, same], True, (AlreadyExists, True)),
        ([same, same], False, (AlreadyExists, False)),
    ):
        error: Any = decided(*commands, current={(TASK, 1): task()}, atomic=atomic).results[-1]
        assert expected == (type(error), error.undone)


def test_tags_that_name_no_version_are_not_explained() -> None:
    """Nothing can have changed since a version that there is not."""
    unknown = Delete(entity_type=TASK, id=1, precondition=Precondition(unknown=('"a"',)))
    decision = decided(unknown, current={(TASK, 1): task()})
    assert set() == unexplained(decision)
    error = explained(decision, {((TASK, 1), 1): []}).results[0]
    assert isinstance(error, PreconditionFailed)
    assert ((), None, ('"a"',)) == (error.changed, error.expected, error.unknown)
