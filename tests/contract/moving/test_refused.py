"""Targets that refuse a move, and concurrent moves."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from adapters.sqlite import connections
from domain.commands import Delete
from domain.errors import Unavailable
from domain.ports import Store
from domain.snapshot import InUse, NotEmpty, SameLog
from domain.task import TASK
from domain.use_cases.move import move
from entrypoints.stores import exporting, importing
from tests.builders import LATER, Clock, batch, create
from tests.contract.locations import emptied, moved, opened
from tests.contract.moving.histories import everything, make_history
from tests.contract.steps import fill, trail
from tests.contract.test_access_keys import new
from tests.contract.test_calendars import new as new_calendar
from tests.contract.test_keys import key

pytestmark = pytest.mark.anyio


async def test_a_target_with_something_in_it(
    store: Store, source: str, target: str, tmp_path: Path, clock: Clock
) -> None:
    """A target with a present or past entity, a stored outcome, a key or a calendar is refused and unchanged."""
    await make_history(store, clock)
    task, outcome = batch(create(TASK)), batch(Delete(entity_type=TASK, id=9), key=key())
    begin: Callable[[Store], Any]
    for begin in (
        lambda there: there.submit(task),
        lambda there: there.submit(outcome),
        lambda there: there.access_keys.change(new()),
        lambda there: there.calendars.change(new_calendar()),
    ):
        there = await opened(await emptied(target, tmp_path), clock)
        await begin(there)
        before = await everything(there)
        await there.close()
        with pytest.raises(NotEmpty):
            await moved(source, target)
        there = await opened(target, clock)
        assert before == await everything(there)
        await there.close()


async def test_a_moved_store_without_changes_is_not_empty(
    store: Store, source: str, target: str, clock: Clock, arrived: Callable[[], Any]
) -> None:
    """A store that was moved to a target is not overwritten, even if all its changes are purged or it had none."""
    await fill(store, TASK, {})
    await store.purge(LATER, changes_before=LATER)
    there = await arrived()
    with pytest.raises(NotEmpty):
        await moved(source, target)
    assert await everything(store) == await everything(there)


async def test_a_moved_empty_store_is_not_empty(
    store: Store, source: str, target: str, arrived: Callable[[], Any]
) -> None:
    """A moved empty store has the secret and the cursors of its source, so it is not overwritten."""
    there = await arrived()
    await fill(store, TASK, {})
    with pytest.raises(NotEmpty):
        await moved(source, target)
    assert await store.secret() == await there.secret()


def spelt_differently(url: str) -> str:
    """Return another URL of the same store."""
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        return f"sqlite:///{path.parent}/./../{path.parent.name}/{path.name}"
    return f"{url}{'&' if '?' in url else '?'}application_name=other"


async def test_a_store_is_not_moved_to_itself(store: Store, source: str) -> None:
    """A move of a store to itself is refused, even if it is empty: its own cursors would become former ones."""
    with pytest.raises(SameLog):
        await moved(source, spelt_differently(source))
    start = await store.head()
    await fill(store, TASK, {})
    assert [("task.created", 1, 1)] == await trail(store, start)


async def test_a_target_in_use(
    store: Store, source: str, target: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty target that somebody has open is refused, however its URL is spelt. It goes on with its own secret."""
    monkeypatch.setattr(connections, "ALONE_WITHIN_S", 0)
    await fill(store, TASK, {})
    there = await opened(target, clock)
    for url in (target, spelt_differently(target)):
        with pytest.raises(InUse, match="stop it first"):
            await moved(source, url)
    await fill(there, TASK, {})
    assert [("task.created", 1, 1)] == await trail(there)
    await there.close()


async def test_a_target_that_was_in_use(store: Store, source: str, target: str, clock: Clock) -> None:
    """A target that a service has opened, found empty and closed takes a move."""
    await make_history(store, clock)
    await (await opened(target, clock)).close()
    await moved(source, target)
    there = await opened(target, clock)
    assert await everything(store) == await everything(there)
    await there.close()


async def test_a_start_in_the_middle(
    store: Store, source: str, target: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that starts on a target during a move fails, or waits: it never goes on with the secret from before."""
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_MS", 0)
    await make_history(store, clock)
    await (await opened(target, clock)).close()
    async with exporting(source) as telling, importing(target) as taking:
        starting = asyncio.ensure_future(opened(target, clock))
        await move(telling, taking, lambda *_: None)
    with suppress(Unavailable):
        there = await starting
        assert await store.secret() == await there.secret()
        await there.close()
    there = await opened(target, clock)
    assert await everything(store) == await everything(there)
    await there.close()


async def test_a_second_move_waits(store: Store, source: str, target: str, clock: Clock) -> None:
    """A second move to a target waits for the first, and is then refused."""
    await fill(store, TASK, {})
    async with exporting(source) as export, importing(target) as importer:
        second = asyncio.ensure_future(moved(source, target))
        await move(export, importer, lambda *_: None)
    with pytest.raises(NotEmpty):
        await second
    there = await opened(target, clock)
    assert [("task.created", 1, 1)] == await trail(there)
    await there.close()


async def test_two_that_begin_together(store: Store, source: str, target: str, clock: Clock) -> None:
    """Of two moves that both find the target empty, one moves everything and the other is refused."""
    await make_history(store, clock)
    done = await asyncio.gather(moved(source, target), moved(source, target), return_exceptions=True)
    assert {int, NotEmpty} == {type(each) for each in done}
    there = await opened(target, clock)
    assert await everything(store) == await everything(there)
    await there.close()
