"""The parts that only the SQLite store has: events for its own waiters, and threads."""

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import apsw
import pytest

from adapters.sqlite import checkpoints, log, retention
from adapters.sqlite import store as module
from adapters.sqlite.committer import GroupCommitter
from adapters.sqlite.store import SqliteStore
from domain.commands import Edit
from domain.errors import Unavailable
from domain.product import PRODUCT
from domain.queries import Query
from domain.registry import ENTITY_TYPES
from domain.task import TASK
from tests.builders import LATER, NOON, SERIALIZER, Clock, batch, create
from tests.contract.steps import trail, walk

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """Open a store."""
    path = tmp_path / "backroom.db"
    opened = SqliteStore(
        path, entity_types=ENTITY_TYPES, documents=SERIALIZER, clock=Clock(), on_untrustworthy=pytest.fail
    )
    yield opened
    await opened.close()


async def test_its_own_watchers_hear_a_bell(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write in the same process wakes those who watch, without their looking at the file."""
    monkeypatch.setattr(module, "LOOK_AGAIN_S", 3600)
    head = await store.head()
    watching = [asyncio.create_task(store.wait_for_changes(head)) for _ in range(2)]
    await asyncio.sleep(0)  # they wait
    await store.submit(batch(create(TASK)))
    await asyncio.gather(*watching)
    assert [("task.created", 1, 1)] == await trail(store, head)


async def test_a_watcher_who_leaves_takes_no_bell_along(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next write wakes a waiter, even if others have gone meanwhile."""
    monkeypatch.setattr(module, "LOOK_AGAIN_S", 3600)
    head = await store.head()
    gone, watching = [asyncio.create_task(store.wait_for_changes(head)) for _ in range(2)]
    await asyncio.sleep(0)  # they wait
    gone.cancel()
    await asyncio.wait([gone])
    await store.submit(batch(create(TASK)))
    await watching
    assert [("task.created", 1, 1)] == await trail(store, head)


async def test_writes_wake_nobody_where_nobody_watches(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the last watcher has gone, a write costs what it did before the first one came."""
    watching = asyncio.create_task(store.wait_for_changes(await store.head()))
    await asyncio.sleep(0)  # it waits
    await store.submit(batch(create(TASK)))
    await watching
    woken: list[SqliteStore] = []
    monkeypatch.setattr(SqliteStore, "_wake", woken.append)
    await store.submit(batch(create(TASK)))
    assert not woken


async def test_nothing_is_taken_once_closing_has_begun(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that comes while the writer finishes is refused, and does not wait forever."""
    let_go, finish = threading.Event(), store._writer.close

    def slowly(_: GroupCommitter) -> None:
        let_go.wait()
        finish()

    monkeypatch.setattr(GroupCommitter, "close", slowly)
    closing = asyncio.create_task(store.close())
    await asyncio.sleep(0)  # it has begun
    for write in (store.submit(batch(create(TASK))), store.deliveries.claim(1, "p", timedelta(seconds=1))):
        with pytest.raises(Unavailable):
            await write
    let_go.set()
    await closing


async def test_closing_does_not_wait_for_long_reads(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read that would go on for long is cut off, so that the process can end in time."""
    monkeypatch.setattr(module, "MAX_READ_S", 3600)
    begun = threading.Event()

    def count_for_ever(connection: apsw.Connection) -> None:
        begun.set()
        connection.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")

    reading = asyncio.create_task(store._in_thread(count_for_ever))
    await asyncio.to_thread(begun.wait)
    await store.close()
    with pytest.raises(Unavailable):
        await reading


async def test_no_thread_is_left(store: SqliteStore) -> None:
    """Closing ends the writer, the readers and whoever copies the log."""
    store._writer.checkpoints._due = 0
    await store.submit(batch(create(TASK)))
    await store.submit(batch(create(TASK)))  # so that the work after the first commit is done
    await store.page(Query(entity_type=TASK, total=True))
    names = ("backroom-writer", "backroom-reader", "backroom-checkpoint")  # other tests may have left other threads
    mine = {each for each in threading.enumerate() if each.name.startswith(names)}
    assert {"backroom-writer", "backroom-reader_0", "backroom-checkpoint_0"} == {each.name for each in mine}
    await store.close()
    assert not any(each.is_alive() for each in mine)


async def test_no_file_is_left_open(store: SqliteStore, tmp_path: Path) -> None:
    """Closing moves everything to its place in the file, which needs every reader to have let go of it."""
    await store.submit(batch(create(TASK)))
    await store.page(Query(entity_type=TASK, total=True))  # in a thread, which has a connection of its own
    await store.close()
    assert ["backroom.db"] == [each.name for each in tmp_path.iterdir()]


async def test_the_search_index_forgets_what_was(store: SqliteStore, tmp_path: Path) -> None:
    """It agrees with the rows also where one transaction made one entity and edited another."""
    await store.submit(batch(create(TASK)))
    await store.submit(batch(Edit.parse(TASK, 1, {"title": "Mop the floor"}), create(TASK)))
    found = {text: await walk(store, Query(entity_type=TASK, search=text)) for text in ("sweep", "mop")}
    assert {"sweep": [2], "mop": [1]} == {text: [each.id for each in tasks] for text, tasks in found.items()}
    await store.close()
    connection = apsw.Connection(str(tmp_path / "backroom.db"))
    connection.execute("INSERT INTO tasks_search (tasks_search, rank) VALUES ('integrity-check', 1)")
    connection.close()


async def test_a_sweep_is_short(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """It forgets a few changes at a time, so that writes need not wait for long, and tells that there are more."""
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    await store.submit(batch(*(create(TASK) for _ in range(5))))
    left: list[tuple[bool, int]] = []
    for _ in range(3):
        more = await store.purge(NOON, changes_before=LATER)
        left.append((more, len((await store.read(None)).entries)))
    assert [(True, 3), (True, 1), (False, 0)] == left


async def test_a_look_for_rare_changes_is_short(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read skips a bounded number of other changes, and returns the position for the next read."""
    monkeypatch.setattr(log, "LOOKED_AT", 2)
    await store.submit(batch(*(create(PRODUCT) for _ in range(3)), create(TASK)))
    first = await store.read(None, types={"task.created"})
    assert ((), (await store.read(None, limit=2)).cursor) == (first.entries, first.cursor)
    second = await store.read(first.cursor, types={"task.created"})
    assert (["task.created"], await store.head()) == ([each.change.type for each in second.entries], second.cursor)


async def test_a_read_that_takes_too_long(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read that would keep a thread busy is cut off, and the next one is served."""
    await store.submit(batch(*(create(TASK, title=f"Task {number}") for number in range(1000))))
    monkeypatch.setattr(module, "MAX_READ_S", -1)
    monkeypatch.setattr(module, "BETWEEN_LOOKS", 100)
    with pytest.raises(Unavailable):
        await store.page(Query(entity_type=TASK, search="no", limit=1))
    monkeypatch.undo()
    assert () == (await store.page(Query(entity_type=TASK, search="no", limit=1))).records


async def test_every_name_is_that_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the one that SQLite takes for a database in memory, of which nothing would be left."""
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        opened = SqliteStore(
            Path(":memory:"), entity_types=ENTITY_TYPES, documents=SERIALIZER, clock=Clock(), on_untrustworthy=print
        )
        await opened.submit(batch(create(TASK)))
        await opened.close()
    assert [":memory:"] == [each.name for each in tmp_path.iterdir()]


async def test_its_files_are_measured(store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sizes are those of its files, also behind a symbolic link; the disk has room."""
    monkeypatch.setattr(checkpoints, "IDLE_S", 3600)  # nothing is copied from file to file while they are compared
    await store.submit(batch(create(TASK)))
    link = tmp_path / "elsewhere" / "linked.db"
    link.parent.mkdir()
    link.symlink_to(tmp_path / "backroom.db")
    linked = SqliteStore(
        link, entity_types=ENTITY_TYPES, documents=SERIALIZER, clock=Clock(), on_untrustworthy=pytest.fail
    )
    sizes = tuple((tmp_path / name).stat().st_size for name in ("backroom.db", "backroom.db-wal"))
    for each in (store, linked):
        found = await each.measure()
        assert sizes == (found.size, found.wal)
        assert found.free is not None
        assert found.free > 0
    await linked.close()
    assert store.connections is None


async def test_groups_are_observed(tmp_path: Path) -> None:
    """All batches of a turn are one group, and are told before their callers go on."""
    groups: list[int] = []
    store = SqliteStore(
        tmp_path / "backroom.db",
        entity_types=ENTITY_TYPES,
        documents=SERIALIZER,
        clock=Clock(),
        on_untrustworthy=pytest.fail,
        on_group=lambda batches, seconds: groups.append(batches) if seconds > 0 else pytest.fail("took no time"),
    )
    await asyncio.gather(*(store.submit(batch(create(TASK))) for _ in range(20)))
    assert 20 == sum(groups)
    await store.close()
