"""Deciding many commands at once is deciding them one by one."""

from collections.abc import Callable
from itertools import count
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.commands import Create, Delete, Edit, Precondition, Restore
from domain.decisions import Decided, Decision, decide, named, values_to_own
from domain.entity_type import Deleted, EntityType
from domain.errors import DomainError
from domain.product import MAX_STOCK, PRODUCT
from domain.state import Ref, State, unique_values
from domain.stock import AdjustStock
from domain.task import TASK, Status
from tests.builders import LATER, REQUIRED, batch, product, task

IDS = st.integers(1, 4)
SKUS = st.sampled_from([None, "A", "B"])
PRECONDITIONS = st.builds(Precondition, st.sets(st.integers(1, 3), max_size=2).map(frozenset))
ENTITY_TYPES = st.sampled_from([TASK, PRODUCT])
COMMANDS = st.one_of(
    SKUS.map(lambda sku: Create.parse(PRODUCT, {**REQUIRED[PRODUCT], "sku": sku})),
    st.just(Create.parse(TASK, REQUIRED[TASK])),
    st.builds(
        Edit,
        entity_type=st.just(PRODUCT),
        id=IDS,
        values=st.fixed_dictionaries({"sku": SKUS}),
        precondition=PRECONDITIONS,
    ),
    st.builds(
        Edit, entity_type=st.just(TASK), id=IDS, values=st.fixed_dictionaries({"status": st.sampled_from(Status)})
    ),
    st.builds(AdjustStock, id=IDS, change=st.sampled_from([-2, 0, 1, MAX_STOCK])),
    st.builds(Delete, entity_type=ENTITY_TYPES, id=IDS, precondition=PRECONDITIONS),
    st.builds(Restore, entity_type=ENTITY_TYPES, id=IDS),
)
World = dict[Ref, Any]
START: World = {
    (PRODUCT, 1): product(id=1, sku="A", stock=2),
    (PRODUCT, 2): product(id=2, sku="B"),
    (PRODUCT, 3): Deleted(product(id=3, sku="A", version=2)),
    (TASK, 1): task(id=1),
    (TASK, 2): Deleted(task(id=2, version=2)),
}


def decided(commands: list[Any], world: World, new_id: Callable[[EntityType[Any]], int], *, atomic: bool) -> Decision:
    """Decide commands as a store does: with what they name, and nothing else."""
    current = {
        ref: world.get(ref) if needs_deleted or not isinstance(world.get(ref), Deleted) else None
        for ref, needs_deleted in named(commands).items()
    }
    wanted = values_to_own(commands, current)
    owners = {value: each.id for each in world.values() for value in unique_values(each) if value in wanted}
    state = State(current=current, owners=owners, new_id=new_id)
    return decide(batch(*commands, atomic=atomic), state, LATER)


def ids() -> Callable[[EntityType[Any]], int]:
    """Return a source of ids behind those that are there; some commands guess the first of them."""
    sources = {TASK: count(3), PRODUCT: count(4)}
    return lambda entity_type: next(sources[entity_type])


def told(decision: Decision) -> list[Any]:
    """Return the results in a form in which refusals compare by what they say."""
    results = decision.results
    return [(type(each), each.message) if isinstance(each, DomainError) else each for each in results]


@given(st.lists(COMMANDS, max_size=12))
def test_a_bulk_is_its_commands_one_by_one(commands: list[Any]) -> None:
    """Without atomicity, results, changes and what is left are those of the commands decided one after the other."""
    bulk = decided(commands, START, ids(), atomic=False)
    world, new_id = dict(START), ids()
    singles = []
    for command in commands:
        singles.append(decided([command], world, new_id, atomic=True))
        world |= singles[-1].final
    assert told(bulk) == [each for single in singles for each in told(single)]
    assert bulk.changes == tuple(change for each in singles for change in each.changes)
    assert {**START, **bulk.final} == world


@given(st.lists(COMMANDS, max_size=12))
def test_an_atomic_bulk_is_all_or_nothing(commands: list[Any]) -> None:
    """Atomic, it is the same where all succeed; else it leaves nothing, and refuses what is refused otherwise too."""
    loose, strict = (decided(commands, START, ids(), atomic=atomic) for atomic in (False, True))
    refused = [index for index, each in enumerate(loose.results) if isinstance(each, DomainError)]
    if not refused:
        assert loose == strict
        return
    assert (refused[0], {}, ()) == (strict.failed, strict.final, strict.changes)
    done, still_done = ([each for each in one.results if isinstance(each, Decided)] for one in (loose, strict))
    assert refused == [index for index, each in enumerate(strict.results) if isinstance(each, DomainError)]
    assert done == still_done


@given(st.lists(COMMANDS, max_size=12))
def test_what_holds_for_every_decision(commands: list[Any]) -> None:
    """No two living products share a sku, no stock is below zero, and the versions of an entity follow one another."""
    decision = decided(commands, START, ids(), atomic=False)
    world = {**START, **decision.final}
    living = [
        each for (entity_type, _), each in world.items() if entity_type is PRODUCT and not isinstance(each, Deleted)
    ]
    skus = [each.sku for each in living if each.sku is not None]
    assert len(skus) == len(set(skus))
    assert all(0 <= (each.stock or 0) <= MAX_STOCK for each in living)
    versions = {ref: (each.entity if isinstance(each, Deleted) else each).version for ref, each in START.items()}
    for change in decision.changes:
        ref = change.entity_type, change.id
        versions[ref] = versions.get(ref, 0) + 1
        assert versions[ref] == change.version
