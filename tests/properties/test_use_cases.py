"""The use cases, with what a caller sends, on the store in memory and against the plain model."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from attrs import asdict
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from adapters.memory.store import MemoryStore
from domain.commands import ANY_VERSION, Precondition
from domain.decisions import Done, Outcome
from domain.entity_type import EntityType
from domain.errors import DomainError, NotFound
from domain.product import PRODUCT
from domain.task import TASK
from domain.use_cases.read import read_history, read_one
from domain.use_cases.write import Answer, Terms, adjust_stock, create, delete, edit, restore
from tests.builders import LATER, SERIALIZER, Clock, recorded
from tests.contract.commands import ENTITY_TYPES, OF_KINDS, PRODUCTS, TASKS
from tests.contract.model import Model, ValidationError, Values
from tests.contract.test_state_machine import plain
from tests.properties.strategies import written

FEW = st.integers(1, 2)
VERSIONS = st.none() | st.integers(1, 4)
EDITS = st.tuples(st.just(TASK), TASKS) | st.tuples(st.just(PRODUCT), PRODUCTS)


def sent(values: Values) -> dict[str, object]:
    """Return values as a caller sends them."""
    return {name: written(value) for name, value in values.items()}


def expected(version: int | None) -> Precondition:
    """Return what a caller expects who names a version, or none."""
    return ANY_VERSION if version is None else Precondition(frozenset({version}))


class UseCases(RuleBasedStateMachine):
    """Does what callers do to the store and to the model, and compares what comes of it."""

    def __init__(self) -> None:
        super().__init__()
        self.runner, self.clock, self.model = asyncio.Runner(), Clock(), Model()
        self.store = MemoryStore(self.clock, SERIALIZER)
        self.terms = Terms(request_id="r-1")

    @initialize()
    def begin(self) -> None:
        """Make something of each type, so that what is done meets what is there."""
        for stock in (0, 1):
            self.create((PRODUCT, {"name": "a", "price": Decimal("9.99"), "stock": stock}))
            self.create((TASK, {"title": "a"}))

    def teardown(self) -> None:
        """Let the loop go."""
        self.runner.close()

    def compare(self, entity_type: EntityType[Any], use_case: Awaitable[Answer], do: Callable[[int], Values]) -> None:
        """Let the store and the model do the same, the model with the id that the store chose."""

        async def answer() -> Answer:
            return await use_case

        outcome = self.runner.run(answer())
        assert isinstance(outcome, Outcome)
        (result,) = outcome.results
        try:
            said: object = do(result.record.id if isinstance(result, Done) else 0)
        except ValidationError as refused:
            (said,) = refused.args
        if isinstance(result, DomainError):
            assert said == result.code
        else:
            assert said == plain(asdict(recorded(entity_type, result.record)))

    @rule(each=OF_KINDS)
    def create(self, each: Any) -> None:
        """Make an entity."""
        (entity_type, values), at = each, self.clock.now
        use_case = create(self.store, entity_type, sent(values), self.terms)
        self.compare(entity_type, use_case, lambda new: self.model.create(entity_type.name, new, plain(values), at))

    @rule(each=EDITS, id=FEW, version=VERSIONS)
    def edit(self, each: Any, id: int, version: int | None) -> None:
        """Set some fields of one."""
        (entity_type, values), at = each, self.clock.now
        use_case = edit(self.store, entity_type, id, sent(values), self.terms, precondition=expected(version))
        self.compare(entity_type, use_case, lambda _: self.model.edit(entity_type.name, id, plain(values), version, at))

    @rule(entity_type=ENTITY_TYPES, id=FEW, version=VERSIONS)
    def delete(self, entity_type: EntityType[Any], id: int, version: int | None) -> None:
        """Remove one."""
        use_case = delete(self.store, entity_type, id, self.terms, precondition=expected(version))
        at = self.clock.now
        self.compare(entity_type, use_case, lambda _: self.model.delete(entity_type.name, id, version, at))

    @rule(entity_type=ENTITY_TYPES, id=FEW, version=VERSIONS)
    def restore(self, entity_type: EntityType[Any], id: int, version: int | None) -> None:
        """Bring one back."""
        use_case = restore(self.store, entity_type, id, self.terms, precondition=expected(version))
        at = self.clock.now
        self.compare(entity_type, use_case, lambda _: self.model.restore(entity_type.name, id, version, at))

    @rule(id=FEW, change=st.sampled_from([-2, -1, 0, 1]), version=VERSIONS)
    def adjust(self, id: int, change: int, version: int | None) -> None:
        """Add to a stock."""
        use_case = adjust_stock(self.store, id, {"change": change}, self.terms, precondition=expected(version))
        at = self.clock.now
        self.compare(PRODUCT, use_case, lambda _: self.model.adjust(id, change, version, at))

    @rule()
    def wait(self) -> None:
        """Let time pass."""
        self.clock.now += LATER - Clock().now

    @invariant()
    def what_is_read_is_in_the_model(self) -> None:
        """Compare every entity, and the versions that there were of it."""
        for entity_type in (TASK, PRODUCT):
            for id in range(1, self.model.last_id[entity_type.name] + 2):
                key = entity_type.name, id
                assert self.model.living.get(key) == self.runner.run(self.read(entity_type, id))
                versions = [
                    values["version"]
                    for type, values, _, _ in self.model.log
                    if (type.partition(".")[0], values["id"]) == key
                ]
                assert versions == [each.change.version for each in self.runner.run(self.history(entity_type, id))]

    async def read(self, entity_type: EntityType[Any], id: int) -> Values | None:
        """Return what is there."""
        try:
            return plain(asdict(recorded(entity_type, await read_one(self.store, entity_type, id))))
        except NotFound:
            return None

    async def history(self, entity_type: EntityType[Any], id: int) -> tuple[Any, ...]:
        """Return what happened."""
        try:
            return await read_history(self.store, self.store, entity_type, id, after=0, limit=1000)
        except NotFound:
            return ()


def test_use_cases_do_what_the_model_does() -> None:
    """Whatever callers send in whatever order, the use cases and the model agree."""
    run_state_machine_as_test(UseCases, settings=settings(max_examples=60, stateful_step_count=25))
