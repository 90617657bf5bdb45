"""What is asked for at the same time is read together, and everybody gets an answer of his own."""

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
"""More than anything takes that is begun here, from the question to the answer."""


Loader = BatchLoader[int, StoredEntity]


@define
class Table:
    """Has the odd ids, notes what is read, and answers as soon as it may."""

    may: asyncio.Event = field(factory=asyncio.Event)
    fails: bool = False
    reads: list[list[int]] = field(factory=list)
    reading: int = 0
    most: int = 0

    async def read(self, ids: Sequence[int]) -> Mapping[int, StoredEntity]:
        """Return those that are there."""
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
    """Return a table that does not answer yet."""
    return Table()


@pytest.fixture
async def loader(table: Table) -> Loader:
    """Return what reads it."""
    return BatchLoader(table.read)


def ask(loader: Loader, *ids: int) -> list["asyncio.Task[StoredEntity | None]"]:
    """Ask for each, at the same time."""
    return [asyncio.create_task(loader.get(id)) for id in ids]


async def turns() -> None:
    """Let everybody act who can: nothing here waits for anything but others on this loop."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def test_one_statement_for_all(table: Table, loader: Loader) -> None:
    """Everybody gets what he asked for, also what somebody else asked for, and None where there is nothing."""
    table.may.set()
    answers = await asyncio.gather(*ask(loader, 1, 2, 3, 1))
    assert [1, None, 3, 1] == [each and each.id for each in answers]
    assert [[1, 2, 3, 1]] == table.reads


async def test_what_is_asked_for_meanwhile_goes_with_the_next(table: Table, loader: Loader) -> None:
    """Only so many statements are on their way; what is asked for after one began is not answered by it."""
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


async def test_all_are_told_what_fails(table: Table, loader: Loader) -> None:
    """And whoever asks later is served again."""
    table.fails = True
    table.may.set()
    assert [Unavailable] * 3 == [
        type(each) for each in await asyncio.gather(*ask(loader, 1, 2, 3), return_exceptions=True)
    ]
    table.fails = False
    assert await loader.get(1) is not None


@pytest.mark.parametrize("fails", [False, True])
async def test_who_goes_away_takes_nobody_along(table: Table, loader: Loader, fails: bool) -> None:
    """The others get their answers, or are told."""
    table.fails = fails
    first, second = ask(loader, 1, 1)
    await until(lambda: bool(table.reads))
    first.cancel()
    table.may.set()
    (answer,) = await asyncio.gather(second, return_exceptions=True)
    assert (Unavailable if fails else StoredEntity) is type(answer)
    assert first.cancelled()


async def test_who_asks_again_at_once_is_read(table: Table, loader: Loader) -> None:
    """Whoever asks as soon as he is answered is read, although every reader has just ended."""

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
