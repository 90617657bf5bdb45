"""A file locked by another process, and overload."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest

from adapters.sqlite import checkpoints, committer, connections
from adapters.sqlite.store import SqliteStore
from domain.decisions import CommandBatch, Outcome, Replay
from domain.errors import Unavailable
from domain.queries import Query
from domain.task import TASK
from tests.builders import Broken, batch, create
from tests.contract.steps import carry_out, fill, trail, walk
from tests.faults.conftest import open_store
from tests.faults.slow import Slow

pytestmark = pytest.mark.anyio


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the write lock of the file."""
    connection = apsw.Connection(str(path))
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.execute("ROLLBACK")
    connection.close()


class Holding:
    """Locks the file after the first commit, and counts the callers that find it locked."""

    def __init__(self, path: Path) -> None:
        self.connection = apsw.Connection(str(path))
        self.refused = 0

    def __call__(self) -> None:
        """Lock the file."""
        if not self.connection.in_transaction:
            self.connection.execute("BEGIN IMMEDIATE")

    def refuse(self, _: int) -> bool:
        """Count a caller that finds the file locked, and do not let it wait."""
        self.refused += 1
        return False


async def queued(
    store: SqliteStore, *batches: CommandBatch
) -> tuple[list[asyncio.Task[Outcome | Replay]], threading.Event]:
    """Submit a slow batch and others behind it; return all in order, and the event that ends the slow one."""
    begun, let_go = threading.Event(), threading.Event()
    first = asyncio.create_task(store.submit(batch(Slow(begun, let_go))))
    await asyncio.to_thread(begun.wait)
    waiting = [asyncio.create_task(store.submit(each)) for each in batches]
    await asyncio.sleep(0)  # all of them are now queued behind the first
    return [first, *waiting], let_go


@pytest.fixture(autouse=True)
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the store's wait for a lock, and let an idle store take none."""
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_MS", 20)
    monkeypatch.setattr(checkpoints, "IDLE_S", 60.0)  # or it would, in the middle of a test that is slow to go on


async def test_a_held_file_is_not_available(store: SqliteStore, path: Path, last_words: list[str]) -> None:
    """While the file is locked, writes are refused after a time limit and reads go on; afterwards all works."""
    made = await fill(store, TASK, {})
    with held(path):
        with pytest.raises(Unavailable):
            await store.submit(batch(create(TASK)))
        assert made == await walk(store, Query(entity_type=TASK))
    made += await fill(store, TASK, {})
    assert made == await walk(store, Query(entity_type=TASK))
    assert [("task.created", 1, 1), ("task.created", 2, 1)] == await trail(store)
    assert [] == last_words


async def test_a_group_waits_once(store: SqliteStore, path: Path) -> None:
    """Any number of callers wait together for a locked file, not one after the other."""
    (first, *waiting), let_go = await queued(store, *(batch(create(TASK)) for _ in range(50)))
    store._writer.on_commit = holding = Holding(path)
    store._writer.connection.set_busy_handler(holding.refuse)
    let_go.set()
    assert isinstance(await first, Outcome)
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    holding.connection.close()
    assert {Unavailable} == {type(answer) for answer in answers}
    assert 1 == holding.refused


async def test_others_write_while_a_large_batch_is_decided(store: SqliteStore, path: Path) -> None:
    """Then the batch is decided again, behind what they wrote, and only once. Nobody waits for the other."""
    begun, let_go = threading.Event(), threading.Event()
    commands: list[Any] = [Slow(begun, let_go), *(create(TASK) for _ in range(committer.LARGE))]
    large = asyncio.create_task(carry_out(store, *commands))
    await asyncio.to_thread(begun.wait)
    try:
        other = open_store(path)
        try:
            made = await fill(other, TASK, {})
        finally:
            await other.close()  # which may lock the file for longer than anybody waits here
    finally:
        let_go.set()
    made += await large
    assert list(range(1, len(commands) + 2)) == [each.id for each in made]
    assert made == await walk(store, Query(entity_type=TASK))
    assert [("task.created", each.id, 1) for each in made] == await trail(store)


async def test_a_large_batch_waits_for_others(store: SqliteStore, path: Path) -> None:
    """One that finds the file locked is written once that is let go."""
    connection = apsw.Connection(str(path))
    connection.execute("BEGIN IMMEDIATE")

    def let_go(_: int) -> bool:
        connection.execute("ROLLBACK")
        return True

    store._writer.connection.set_busy_handler(let_go)
    made = await carry_out(store, *(create(TASK) for _ in range(committer.LARGE)))
    assert made == await walk(store, Query(entity_type=TASK))
    connection.close()


async def test_too_much_work_is_refused(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit of waiting batches another is refused at once, and the waiting ones are carried out."""
    monkeypatch.setattr(committer, "MAX_WAITING", 3)
    (first, *waiting), let_go = await queued(store, *(batch(create(TASK)) for _ in range(3)))
    with pytest.raises(Unavailable):
        await store.submit(batch(create(TASK)))
    let_go.set()
    await asyncio.gather(first, *waiting)
    assert 4 == len(await walk(store, Query(entity_type=TASK)))
    await carry_out(store, create(TASK))


async def test_a_caller_who_went_away(store: SqliteStore) -> None:
    """A cancelled call may take effect or not, and affects no other."""
    begun, let_go = threading.Event(), threading.Event()
    first = asyncio.create_task(store.submit(batch(Slow(begun, let_go))))
    await asyncio.to_thread(begun.wait)
    first.cancel()
    second = asyncio.create_task(store.submit(batch(create(TASK))))
    let_go.set()
    assert isinstance(await second, Outcome)
    with pytest.raises(asyncio.CancelledError):
        await first
    assert [1, 2] == [each.id for each in await walk(store, Query(entity_type=TASK))]


async def test_a_fault_in_a_group(store: SqliteStore) -> None:
    """The other members of a group with a fault are written once; the fault reaches only its caller."""
    commands: tuple[Any, ...] = (create(TASK), Broken(), create(TASK))
    (first, *waiting), let_go = await queued(store, *map(batch, commands))
    let_go.set()
    answers = await asyncio.gather(first, *waiting, return_exceptions=True)
    assert [Outcome, Outcome, RuntimeError, Outcome] == [type(answer) for answer in answers]
    assert 3 == len(await walk(store, Query(entity_type=TASK)))
    assert 3 == len(await trail(store))


async def test_one_of_a_group_went_away(store: SqliteStore) -> None:
    """Callers in a group with one that has left still get their results."""
    (first, gone, *others), let_go = await queued(store, *(batch(create(TASK)) for _ in range(3)))
    gone.cancel()
    let_go.set()
    assert [Outcome] * 3 == [type(answer) for answer in await asyncio.gather(first, *others)]
    assert 4 == len(await walk(store, Query(entity_type=TASK)))


async def test_a_group_has_an_end(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A group has a size limit, so that the first of many need not wait for the last."""
    monkeypatch.setattr(committer, "MAX_GROUP", 2)
    (first, *waiting), let_go = await queued(store, *(batch(create(TASK)) for _ in range(5)))
    commits: list[None] = []
    store._writer.on_commit = lambda: commits.append(None)
    let_go.set()
    await asyncio.gather(first, *waiting)
    assert [None] * 4 == commits  # groups of one, two, two and one
