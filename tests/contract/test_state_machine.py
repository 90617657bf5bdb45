"""The whole port against a plain model: any commands, in any order, by two callers, on every store."""

import asyncio
import tempfile
from contextlib import AsyncExitStack
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from attrs import asdict, evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from domain.changes import Cursor
from domain.commands import Create, Delete, Edit, Restore
from domain.decisions import Done, IdempotencyKey, Outcome, Replay
from domain.entity_type import EntityType
from domain.errors import CursorExpired, DomainError, KeyReused
from domain.ports import OUTCOMES_KEPT, Store
from domain.product import PRODUCT
from domain.queries import Condition, Operator, Order, Query
from domain.stock import AdjustStock
from domain.task import TASK, Status
from tests.builders import Clock, batch, recorded
from tests.contract.commands import COMMANDS, ENTITY_TYPES
from tests.contract.model import Model, ValidationError, Values
from tests.contract.steps import walk, whole_log
from tests.contract.stores import STORES, Opener

NAMES = st.lists(st.tuples(st.integers(0, 8), st.booleans()), max_size=2)
SEARCHES = st.sampled_from(["", "a", "s", "SS", "%", " ", "A b", "no"])


def plain(values: Any) -> Values:
    """Return values as in the model: choices by their wire names."""
    return {name: getattr(value, "value", value) for name, value in values.items()}


def follow(model: Model, command: Any, id: int, clock: Clock) -> Values:
    """Carry out a command in the model."""
    entity_type, at = command.entity_type.name, clock.now
    if isinstance(command, Create):
        return model.create(entity_type, id, plain(command.values), at)
    version = next(iter(command.precondition.versions), None)
    if isinstance(command, Edit):
        return model.edit(entity_type, id, plain(command.values), version, at)
    if isinstance(command, AdjustStock):
        return model.adjust(id, command.change, version, at)
    return {Delete: model.delete, Restore: model.restore}[type(command)](entity_type, id, version, at)


class StoreMachine(RuleBasedStateMachine):
    """Carries out the same steps in a store and in the model, and compares the results."""

    def __init__(self, open_store: Opener) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.clock = Clock()
        self.model = Model()
        self.cursors: list[Cursor] = []
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        opening = self.stack.enter_async_context(open_store(Path(folder), self.clock))
        self.stores = self.run(opening)

    def run(self, awaitable: Any) -> Any:
        """Await something."""

        async def wait() -> Any:
            return await awaitable

        return self.runner.run(wait())

    def teardown(self) -> None:
        """Close the store."""
        self.run(self.stack.aclose())
        self.runner.close()

    @initialize()
    def start(self) -> None:
        """Note the start of the log."""
        self.cursors = [self.run(self.stores[0].head())]

    @rule(door=st.integers(0, 1), command=COMMANDS)
    def submit_one(self, door: int, command: Any) -> None:
        """Carry out a single command."""
        self.submit(self.stores[door], [command], atomic=True)

    @rule(door=st.integers(0, 1), commands=st.lists(COMMANDS, max_size=6), atomic=st.booleans())
    def submit_many(self, door: int, commands: list[Any], atomic: bool) -> None:
        """Carry out several commands at once."""
        self.submit(self.stores[door], commands, atomic=atomic)

    @rule(door=st.integers(0, 1), commands=st.lists(COMMANDS, max_size=4), atomic=st.booleans())
    def dry_run(self, door: int, commands: list[Any], atomic: bool) -> None:
        """Carry out a dry run, which leaves the model unchanged."""
        answer = self.run(self.stores[door].submit(batch(*commands, atomic=atomic, dry_run=True)))
        self.expect(self.model.copy(), commands, answer, atomic=atomic)

    @rule(door=st.integers(0, 1), command=COMMANDS, name=st.sampled_from("kl"), request=st.sampled_from([b"1", b"2"]))
    def submit_with_a_key(self, door: int, command: Any, name: str, request: bytes) -> None:
        """Carry out a command with a key that may have been used before."""
        key = IdempotencyKey(caller="me", name=name, fingerprint=request)
        sent = self.stores[door].submit(batch(command, key=key))
        fingerprint, kept, expires_at = self.model.outcomes.get(name, (b"", None, self.clock.now))
        if expires_at <= self.clock.now:
            outcome = self.run(sent)
            self.model = self.expect(self.model, [command], outcome, atomic=True)
            if outcome.is_decided:
                self.model.outcomes[name] = (request, outcome, self.clock.now + OUTCOMES_KEPT)
        elif fingerprint == request:
            assert repr(Replay(outcome=kept)) == repr(self.run(sent))
        else:
            with pytest.raises(KeyReused):
                self.run(sent)

    @rule(hours=st.integers(-1, 20))
    def let_time_pass(self, hours: int) -> None:
        """Set the clock, sometimes back."""
        self.clock.now += timedelta(hours=hours)

    @rule(hours=st.integers(0, 30))
    def purge(self, hours: int) -> None:
        """Purge old data."""
        before = self.clock.now - timedelta(hours=hours)
        while self.run(self.stores[0].purge(self.clock.now, changes_before=before)):
            pass
        forgotten = self.model.forget(before)
        for cursor in self.cursors[:forgotten]:
            with pytest.raises(CursorExpired):
                self.run(self.stores[1].read(cursor))
        self.cursors = self.cursors[forgotten:]

    @rule(entity_type=ENTITY_TYPES, names=NAMES, search=SEARCHES, data=st.data())
    def list_some(
        self, entity_type: EntityType[Any], names: list[tuple[int, bool]], search: str, data: st.DataObject
    ) -> None:
        """Walk a filtered, sorted collection."""
        door, limit = data.draw(st.integers(0, 1)), data.draw(st.integers(1, 4))
        listed = [field for field in entity_type.fields if field.listed]
        order = tuple(Order(listed[index], descending=descending) for index, descending in names)
        conditions = {
            TASK: [("status", Status.PENDING), ("due", date(2026, 1, 31)), ("version", 1), ("title", "SS")],
            PRODUCT: [("price", Decimal("9.99")), ("sku", "A"), ("stock", 2), ("category", "SS")],
        }[entity_type]
        name, operand = data.draw(st.sampled_from(conditions))
        operator = data.draw(st.sampled_from([None, Operator.EQ, Operator.NULL]))
        where: tuple[Condition, ...] = ()
        if operator is not None:
            where = (Condition(entity_type.by_name[name], operator, operand if operator is Operator.EQ else True),)
        expected = getattr(operand, "value", operand) if operator is Operator.EQ else None
        model = self.model.found(
            entity_type.name,
            lambda entity: operator is None or entity[name] == expected,
            search.casefold(),
            [(each.field.name, each.descending) for each in order],
        )
        query: Query[Any] = Query(entity_type=entity_type, where=where, search=search, order=order, limit=limit)
        found = self.run(walk(self.stores[door], query))
        assert model == [plain(asdict(entity)) for entity in found]
        assert len(model) == self.run(self.stores[door].page(evolve(query, total=True))).total

    @invariant()
    def what_stands_is_as_in_the_model(self) -> None:
        """Compare each entity, as either caller reads it."""
        for door in self.stores:
            for entity_type in (TASK, PRODUCT):
                for id in range(1, self.model.last_id[entity_type.name] + 2):
                    record = self.run(door.get(entity_type, id))
                    entity = None if record is None else plain(asdict(recorded(entity_type, record)))
                    assert self.model.living.get((entity_type.name, id)) == entity

    @invariant()
    def the_log_is_as_in_the_model(self) -> None:
        """Compare the log, in order, after every cursor ever read."""
        if not self.cursors:
            return
        entries = self.run(whole_log(self.stores[1]))
        told = [
            (
                each.change.type,
                plain(asdict(recorded(each.change.entity_type, each.change.record))),
                each.change.changed,
                each.change.at,
            )
            for each in entries
        ]
        assert self.model.log == told
        self.cursors = [*self.cursors[:1], *(entry.cursor for entry in entries)]
        for index, cursor in enumerate(self.cursors):
            assert tuple(entries[index:]) == self.run(self.stores[0].read(cursor)).entries

    def submit(self, store: Store, commands: list[Any], *, atomic: bool) -> None:
        """Carry out commands in the store and in the model."""
        answer = self.run(store.submit(batch(*commands, atomic=atomic)))
        self.model = self.expect(self.model, commands, answer, atomic=atomic)

    def expect(self, model: Model, commands: list[Any], answer: object, *, atomic: bool) -> Model:
        """Compare a result with the model's, and return the new model."""
        assert isinstance(answer, Outcome)
        after = model.copy()
        failures: list[int] = []
        start = len(after.log)
        for index, (command, result) in enumerate(zip(commands, answer.results, strict=False)):
            id = result.record.id if isinstance(result, Done) and command.id is None else command.id
            if isinstance(result, Done) and command.id is None:
                assert id > after.last_id[command.entity_type.name]
            before = len(after.log)
            try:
                values = follow(after, command, id or 0, self.clock)
            except ValidationError as refused:
                (reason,) = refused.args
                key = command.entity_type.name, command.id
                is_touched = any((type.split(".")[0], entity["id"]) == key for type, entity, _, _ in after.log[start:])
                if atomic and is_touched and key not in model.living:  # nobody else saw that version
                    reason = reason.replace("precondition_failed", "not_found")
                assert isinstance(result, DomainError)
                assert reason == result.code
                failures.append(index)
                continue
            assert isinstance(result, Done)
            assert values == plain(asdict(recorded(command.entity_type, result.record)))
            assert (len(after.log) > before) is (result.action is not None)
        failed = failures[0] if atomic and failures else None
        assert (len(commands), failed) == (len(answer.results), answer.failed)
        return after if failed is None else model


@pytest.mark.parametrize("name", STORES)
def test_the_store_does_what_the_model_does(name: str) -> None:
    """The store and the model agree after any steps in any order."""
    machine: Any = partial(StoreMachine, STORES[name])
    run_state_machine_as_test(machine, settings=settings(max_examples=60, stateful_step_count=30))
