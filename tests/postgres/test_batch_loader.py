"""Concurrent requests are read together, and each gets its own result."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from operator import contains

import pytest
from attrs import define, field

from adapters.postgres.batch_loader import AT_ONCE, MAX_TOGETHER, BatchLoader
from domain.errors import Unavailable
from domain.stored_entity import StoredEntity
from tests.feed.steps import until

pytestmark = pytest.mark.anyio

TURNS = 10
"""More turns of the loop than any request here needs."""


Loader = BatchLoader[int, StoredEntity]


@define
class Table:
    """Holds the odd ids, records reads, and answers once allowed."""

    may: asyncio.Event = field(factory=asyncio.Event)
    fails: bool = False
    reads: list[list[int]] = field(factory=list)
    reading: int = 0
    most: int = 0

    async def read(self, ids: Sequence[int]) -> Mapping[int, StoredEntity]:
        """Return the existing ones."""
        self.reads.append(list(ids))
        self.reading += 1
        self.most = max(self.most, self.reading)
        await self.may.wait()
        self.reading -= 1
        if self.fails:
            raise Unavailable
        return {id: StoredEntity(id, 1, "{}") for id in ids if id % 2}


@pytest.fixture
async def table() -> Table:
    """Return a table that does not yet answer."""
    return Table()


@pytest.fixture
async def loader(table: Table) -> Loader:
    """Return the loader of the table."""
    return BatchLoader(table.read)


def ask(loader: Loader, *ids: int) -> list["asyncio.Future[StoredEntity | None]"]:
    """Request all ids at the same time."""
    return [loader.get(id) for id in ids]


async def turns() -> None:
    """Let all tasks run: nothing here waits for anything outside this loop."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def test_one_statement_for_all(table: Table, loader: Loader) -> None:
    """Each caller gets its own value, also if several ask for the same, or None if there is none."""
    table.may.set()
    answers = await asyncio.gather(*ask(loader, 1, 2, 3, 1))
    assert [1, None, 3, 1] == [each and each.id for each in answers]
    assert [[1, 2, 3, 1]] == table.reads


async def test_what_is_asked_for_meanwhile_goes_with_the_next(table: Table, loader: Loader) -> None:
    """The number of concurrent statements is limited, and a running one never answers a later request."""
    asked = []
    for number in range(AT_ONCE):
        asked += ask(loader, number)
        await until(partial(contains, table.reads, [number]))
    asked += ask(loader, *range(10, 10 + MAX_TOGETHER + 1))
    await until(lambda: len(loader._waiting) > MAX_TOGETHER)
    table.may.set()
    await asyncio.gather(*asked)
    assert AT_ONCE == table.most
    assert [[10 + number for number in range(MAX_TOGETHER)], [10 + MAX_TOGETHER]] == table.reads[AT_ONCE:]


async def test_all_callers_get_the_error(table: Table, loader: Loader) -> None:
    """Every caller of a failed read gets the error, and later requests succeed."""
    table.fails = True
    table.may.set()
    assert [Unavailable] * 3 == [
        type(each) for each in await asyncio.gather(*ask(loader, 1, 2, 3), return_exceptions=True)
    ]
    table.fails = False
    assert await loader.get(1) is not None


@pytest.mark.parametrize("fails", [False, True])
async def test_a_caller_that_leaves_affects_no_other(table: Table, loader: Loader, fails: bool) -> None:
    """A caller that leaves does not affect the results or errors of the others."""
    table.fails = fails
    first, second = ask(loader, 1, 1)
    await until(lambda: bool(table.reads))
    first.cancel()
    table.may.set()
    (answer,) = await asyncio.gather(second, return_exceptions=True)
    assert (Unavailable if fails else StoredEntity) is type(answer)
    assert first.cancelled()


async def test_who_asks_again_at_once_is_read(table: Table, loader: Loader) -> None:
    """A request made directly after a response is read, although every reader has just ended."""

    async def ask_again() -> StoredEntity | None:
        await loader.get(1)
        return await loader.get(3)

    again = asyncio.create_task(ask_again())
    await until(lambda: [[1]] == table.reads)
    (once,) = ask(loader, 5)
    await until(lambda: [[1], [5]] == table.reads)
    table.may.set()
    await once
    await turns()
    assert [[1], [5], [3]] == table.reads
    assert again.done()
