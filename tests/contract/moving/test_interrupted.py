"""An unfinished move moves nothing."""

import asyncio

import pytest

from domain.errors import Unavailable
from domain.ports import Store
from domain.queries import Query
from domain.task import TASK
from domain.use_cases.move import Undecided, move
from entrypoints.stores import exporting, importing
from tests.builders import Clock
from tests.contract.locations import moved, opened
from tests.contract.moving.careless import Careless
from tests.contract.moving.histories import everything, make_history
from tests.contract.steps import fill, positions_of, trail

pytestmark = pytest.mark.anyio


async def test_an_interruption_leaves_nothing(store: Store, source: str, target: str, clock: Clock) -> None:
    """An interrupted import leaves an empty target, into which the store can be moved later."""
    await make_history(store, clock)
    async with exporting(source) as export, importing(target) as importer:
        async for part in export.read():
            await importer.write(part)
        await importer.arrange()
    there = await opened(target, clock)
    assert ([], {}) == (await trail(there), await positions_of(there))
    assert await store.secret() != await there.secret()
    assert () == (await there.page(Query(entity_type=TASK))).records
    await there.close()
    await moved(source, target)
    there = await opened(target, clock)
    assert await everything(store) == await everything(there)
    await there.close()


async def test_cancelling(store: Store, source: str, target: str, clock: Clock) -> None:
    """A cancelled move leaves nothing, and can start again at once."""
    await make_history(store, clock)
    waiting = asyncio.Event()

    def report(what: str, done: int, total: int) -> None:
        if what == "comparing":
            waiting.set()

    async def working() -> None:
        async with exporting(source) as export, importing(target) as importer:
            await move(export, importer, report)

    task = asyncio.ensure_future(working())
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await moved(source, target)
    there = await opened(target, clock)
    assert await everything(store) == await everything(there)
    await there.close()


class Lost(Careless):
    """Loses its connection at the commit."""

    async def commit(self) -> None:
        raise Unavailable


async def test_a_commit_of_unknown_outcome(store: Store, source: str, target: str) -> None:
    """A connection lost at the commit raises `Undecided`, because the outcome is unknown."""
    await fill(store, TASK, {})
    with pytest.raises(Undecided, match="if it is not empty now, everything was moved"):
        async with exporting(source) as export, importing(target) as importer:
            await move(export, Lost(importer, lambda part: part), lambda *_: None)
