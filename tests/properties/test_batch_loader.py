"""A batch loader answers every caller, whatever happens to the reads and to other callers."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define, field, frozen
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from adapters.postgres.batch_loader import AT_ONCE, BatchLoader
from domain.errors import Unavailable
from domain.stored_entity import StoredEntity

TURNS = 10
"""More than anything takes that is begun here: from a question to its read, and from a read to the answer."""

ENDS = st.sampled_from([None, Unavailable(), ZeroDivisionError(), asyncio.CancelledError()])
"""How a read ends: well, or by an error."""


@define(eq=False)
class Caller:
    """Asks so many questions, each as soon as the one before is answered. No two questions have the same id."""

    task: "asyncio.Task[None]" = field(init=False)
    question: int = 0


@frozen(eq=False)
class Read:
    """A read that is under way."""

    ids: Sequence[int]
    end: "asyncio.Future[None]"


@define(eq=False)
class Table:
    """Has the odd ids, and answers when it is told to."""

    reads: list[Read] = field(factory=list)

    async def read(self, ids: Sequence[int]) -> Mapping[int, StoredEntity]:
        """Return those that are there."""
        this = Read(ids, asyncio.get_running_loop().create_future())
        self.reads.append(this)
        try:
            await this.end
        finally:
            self.reads.remove(this)
        return {id: StoredEntity(id, 1, "{}") for id in ids if id % 2}


def end(read: Read, error: BaseException | None) -> None:
    """End a read."""
    if error is None:
        read.end.set_result(None)
    else:
        read.end.set_exception(error)


class LoaderMachine(RuleBasedStateMachine):
    """Asks, answers and goes away, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.table = Table()
        self.loader = BatchLoader(self.table.read)
        self.callers: list[Caller] = []
        self.asked = 0

    @property
    def waiting(self) -> list[Caller]:
        """Return those who have no answer yet."""
        return [each for each in self.callers if not each.task.done()]

    def settle(self) -> None:
        """Let everybody act who can."""

        async def turns() -> None:
            for _ in range(TURNS):
                await asyncio.sleep(0)

        self.runner.run(turns())

    async def ask(self, caller: Caller, questions: int) -> None:
        """Ask one question after the other, and check each answer."""
        for _ in range(questions):
            self.asked += 1
            caller.question = self.asked
            try:
                answer = await self.loader.get(caller.question)
            except (Unavailable, ZeroDivisionError):
                continue
            assert (caller.question if caller.question % 2 else None) == (answer and answer.id)

    @rule(questions=st.lists(st.integers(1, 3), min_size=1, max_size=4))
    def come(self, questions: list[int]) -> None:
        """Ask, several at the same time."""

        async def start() -> None:
            for each in questions:
                caller = Caller()
                caller.task = asyncio.create_task(self.ask(caller, each))
                self.callers.append(caller)

        self.runner.run(start())
        self.settle()

    @precondition(lambda self: self.table.reads)
    @rule(data=st.data())
    def answer(self, data: Any) -> None:
        """End some of the reads that are under way, in the same turn."""
        for read in data.draw(st.lists(st.sampled_from(self.table.reads), min_size=1, unique=True)):
            end(read, data.draw(ENDS))
        self.settle()

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def leave(self, data: Any) -> None:
        """Go away without an answer."""
        data.draw(st.sampled_from(self.waiting)).task.cancel()
        self.settle()

    @invariant()
    def everybody_is_read(self) -> None:
        """A caller without a read waits only for the end of the allowed number of reads."""
        being_read = {id for each in self.table.reads for id in each.ids}
        unread = {each.question for each in self.waiting} - being_read
        assert AT_ONCE >= len(self.table.reads)
        assert not unread or len(self.table.reads) == AT_ONCE

    def teardown(self) -> None:
        """Answer all reads; then nobody waits, and nobody was told anything wrong."""
        with self.runner:
            while self.table.reads:
                end(self.table.reads[0], None)
                self.settle()
            assert [] == self.waiting
            assert {None} >= {each.task.exception() for each in self.callers if not each.task.cancelled()}


TestBatchLoader = LoaderMachine.TestCase
