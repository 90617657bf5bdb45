"""A disk that fails under SQLite: nothing is acknowledged after that, and earlier writes stay."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from adapters.sqlite.store import SqliteStore
from domain.decisions import Outcome
from domain.errors import Unavailable
from domain.queries import Query
from domain.task import TASK
from tests.builders import NOON, batch, create
from tests.contract.steps import fill, walk
from tests.faults.conftest import open_store
from tests.faults.disks import Disk

pytestmark = pytest.mark.anyio


def break_sync(disk: Disk) -> None:
    """Let every sync fail."""
    disk.on_sync = apsw.IOError


def break_write(disk: Disk) -> None:
    """Let every write fail."""
    disk.on_write = apsw.IOError


BOTH = pytest.mark.parametrize("break_it", [break_sync, break_write])


@BOTH
async def test_every_waiting_caller_is_told(store: SqliteStore, disk: Disk, break_it: Callable[[Disk], None]) -> None:
    """Every caller that waits when the disk fails gets an error; none gets a success or waits for ever."""
    break_it(disk)
    submitted = (store.submit(batch(create(TASK))) for _ in range(600))
    answers = await asyncio.gather(*submitted, return_exceptions=True)
    assert {Unavailable} == {type(answer) for answer in answers}


@BOTH
async def test_the_store_says_so_once(
    store: SqliteStore, disk: Disk, path: Path, last_words: list[str], break_it: Callable[[Disk], None]
) -> None:
    """Any number of failures log one line, with the file and the reason."""
    break_it(disk)
    await asyncio.gather(*(store.submit(batch(create(TASK))) for _ in range(600)), return_exceptions=True)
    with pytest.raises(Unavailable):
        await store.submit(batch(create(TASK)))
    assert [f"the disk failed under {path} (told to fail)"] == [each.partition(",")[0] for each in last_words]
    assert 1 == disk.failures


@BOTH
async def test_nothing_is_trusted_from_then_on(
    store: SqliteStore, disk: Disk, break_it: Callable[[Disk], None]
) -> None:
    """The store refuses everything even after the disk works again, because SQLite's view of the file may be wrong."""
    await fill(store, TASK, {})
    head = await store.head()
    watching = asyncio.create_task(store.wait_for_changes(head))
    await asyncio.sleep(0)  # it waits
    break_it(disk)
    with pytest.raises(Unavailable):
        await store.submit(batch(create(TASK)))
    disk.on_sync = disk.on_write = None
    for call in (
        watching,
        store.submit(batch(create(TASK))),
        store.purge(NOON, changes_before=NOON),
        store.get(TASK, 1),
        store.page(Query(entity_type=TASK)),
        store.page(Query(entity_type=TASK, total=True)),
        store.read(None),
        store.history(TASK, 1),
        store.head(),
        store.oldest(),
        store.ping(),
        store.secret(),
    ):
        with pytest.raises(Unavailable):
            await call


@BOTH
async def test_what_was_acknowledged_stays(
    store: SqliteStore, disk: Disk, path: Path, break_it: Callable[[Disk], None]
) -> None:
    """Another process that opens the file finds all acknowledged writes and no failed ones."""
    acknowledged = await fill(store, TASK, *({"title": f"Task {number}"} for number in range(50)))
    break_it(disk)
    with pytest.raises(Unavailable):
        await store.submit(batch(create(TASK, title="lost")))
    disk.on_sync = disk.on_write = None
    await store.close()
    again = open_store(path)
    assert acknowledged == await walk(again, Query(entity_type=TASK))
    assert isinstance(await again.submit(batch(create(TASK))), Outcome)
    await again.close()


async def test_a_damaged_file_is_not_trusted(path: Path, last_words: list[str]) -> None:
    """A damaged file ends the store's trust, as a failed disk does."""
    first = open_store(path)
    await fill(first, TASK, *({"title": f"Task {number}"} for number in range(500)))
    await first.close()
    with apsw.Connection(str(path)) as reader:
        pages = [page for (page,) in reader.execute("SELECT pageno FROM dbstat WHERE name = 'tasks' AND path != '/'")]
    reader.close()
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * 4096)
            file.write(b"\xff" * 4096)
    store = open_store(path, last_words)
    with pytest.raises(Unavailable):
        await walk(store, Query(entity_type=TASK))
    way_out = f"put a backup in its place, or save what can still be read with sqlite3 {path} .recover | sqlite3"
    assert [f"{path} is damaged (database disk image is malformed): {way_out}"] == [
        each.rpartition(" ")[0] for each in last_words
    ]
    with pytest.raises(Unavailable):
        await store.submit(batch(create(TASK)))
    await store.close()
