"""The write-ahead log stays small, and an idle store has all data in the file itself."""

import asyncio
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from adapters.sqlite import checkpoints
from adapters.sqlite.checkpoints import MOST_IDLE_S, Checkpoints
from adapters.sqlite.store import SqliteStore
from domain.queries import Query
from domain.task import TASK
from tests.builders import create
from tests.contract.steps import carry_out, fill, walk
from tests.faults.conftest import open_store

pytestmark = pytest.mark.anyio

FRAME = 4096 + 24


def log_size(path: Path) -> int:
    """Return the size of the write-ahead log."""
    return path.with_name(f"{path.name}-wal").stat().st_size


async def tasks_of_copy(path: Path) -> list[Any]:
    """Copy the database file alone; return all tasks of the copy."""
    copy = path.with_name("copy.db")
    shutil.copy(path, copy)
    store = open_store(copy)
    tasks = await walk(store, Query(entity_type=TASK))
    await store.close()
    return tasks


@pytest.fixture
def rested(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Return an event that is set from a checkpoint of the idle writer to the next write."""
    rested, leave, noted = threading.Event(), Checkpoints.when_idle, Checkpoints._note

    def when_idle(log: Checkpoints) -> None:
        leave(log)
        if log.rest is None:
            rested.set()

    def note(log: Checkpoints, connection: apsw.Connection, name: str, pages: int) -> int:
        rested.clear()
        return noted(log, connection, name, pages)

    monkeypatch.setattr(checkpoints, "IDLE_S", 0.01)
    monkeypatch.setattr(Checkpoints, "when_idle", when_idle)
    monkeypatch.setattr(Checkpoints, "_note", note)
    return rested


async def test_a_copy_at_rest_is_whole(rested: threading.Event, path: Path) -> None:
    """Soon after the last write the log is empty, and a copy of the file alone has everything."""
    store = open_store(path)
    made = await fill(store, TASK, {}, {}, {})
    await asyncio.to_thread(rested.wait)
    assert 0 == log_size(path)
    assert made == await tasks_of_copy(path)
    await store.close()


async def test_what_a_killed_process_left_is_put_away(rested: threading.Event, path: Path, tmp_path: Path) -> None:
    """A process that opens the file after a killed one empties the log, without a write of its own."""
    store = open_store(path)
    made = await fill(store, TASK, {}, {})
    killed = tmp_path / "killed.db"
    with apsw.Connection(str(path)) as reader:  # keeps the log from being emptied before the copy
        reader.execute("SELECT count(*) FROM tasks").fetchall()
        await fill(store, TASK, {})
        for end in ("", "-wal"):
            shutil.copy(f"{path}{end}", f"{killed}{end}")
    reader.close()
    await store.close()
    assert 0 < log_size(killed)
    rested.clear()
    again = open_store(killed)
    await asyncio.to_thread(rested.wait)
    assert 0 == log_size(killed)
    assert made == (await walk(again, Query(entity_type=TASK)))[:2]
    await again.close()


async def test_an_end_leaves_nothing_in_the_log(store: SqliteStore, path: Path) -> None:
    """Closing empties the log even if another process has the file open, in which case SQLite itself does not."""
    made = await fill(store, TASK, {}, {})
    other = apsw.Connection(str(path))
    assert [(2,)] == other.execute("SELECT count(*) FROM tasks").fetchall()
    await store.close()
    assert 0 == log_size(path)
    assert made == await tasks_of_copy(path)
    other.close()


async def test_readers_do_not_let_it_grow(store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under constant reads, on the loop and in threads, the log starts again and again."""
    monkeypatch.setattr(checkpoints, "PAGES", 60)
    monkeypatch.setattr(store._writer.checkpoints, "_due", 60)
    largest, done = 0, asyncio.Event()

    async def read(query: Query[Any]) -> None:
        while not done.is_set():
            await store.page(query)
            await asyncio.sleep(0)

    queries = (Query(entity_type=TASK, limit=5), Query(entity_type=TASK, limit=5, total=True))
    readers = [asyncio.create_task(read(query)) for query in queries * 2]
    for _ in range(300):
        await carry_out(store, create(TASK, notes="x" * 2000))
        largest = max(largest, log_size(path))
    done.set()
    await asyncio.gather(*readers)
    assert 60 * FRAME < largest < 6 * 60 * FRAME


class Copier(apsw.Connection):
    """A connection that copies the log only while it may."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.execute("SELECT count(*) FROM sqlite_schema").fetchall()  # a connection that never read copies nothing
        self.begun, self.may = threading.Event(), threading.Event()
        self.may.set()

    def wal_checkpoint(self, *args: Any, **options: Any) -> tuple[int, int]:
        self.begun.set()
        self.may.wait()
        return super().wal_checkpoint(*args, **options)


class Log:
    """A log with a reader that reads on demand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writer = apsw.Connection(str(path))
        self.writer.execute("PRAGMA journal_mode=WAL; CREATE TABLE things (thing)").fetchall()
        self.copier = Copier(path)
        self.checkpoints = Checkpoints(self.writer, self.copier)
        self.reader = apsw.Connection(str(path))

    def write(self, pages: int) -> None:
        """Write at least `pages` pages. What is copied beside is copied when this returns, unless it may not be."""
        for _ in range(pages):
            self.writer.execute("INSERT INTO things VALUES (zeroblob(4000))")
        self.checkpoints.after_commit()
        if self.copier.may.is_set() and self.checkpoints._copying is not None:
            self.checkpoints._copying.exception()
            self.checkpoints.after_commit()

    def close(self) -> None:
        """End all threads and connections."""
        self.copier.may.set()
        self.checkpoints.close()
        self.reader.close()
        self.writer.close()

    def read(self) -> None:
        """Begin to read."""
        self.reader.execute("BEGIN; SELECT count(*) FROM things").fetchall()

    def leave(self) -> None:
        """End reading."""
        self.reader.execute("COMMIT")


@pytest.fixture
def log(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """Give a log that is copied from 100 pages on."""
    monkeypatch.setattr(checkpoints, "PAGES", 100)
    monkeypatch.setattr(checkpoints, "WAIT_MS", 1)
    log = Log(path)
    yield log
    log.close()


def test_the_writer_goes_on_while_it_is_copied(log: Log) -> None:
    """Whoever writes while the log is copied does not wait; the log starts again after the copying."""
    log.copier.may.clear()
    log.write(35)  # of about three pages each
    log.copier.begun.wait()
    log.write(15)
    assert 100 < log.checkpoints._pages < 200
    copying = log.checkpoints._copying
    assert copying is not None
    log.copier.may.set()
    in_log, copied = copying.result()  # before the log grows again
    assert in_log == copied > 100
    log.write(1)
    log.write(1)
    assert 100 > log.checkpoints._pages


def test_the_writer_waits_for_a_slow_copy(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 100 more pages the writer waits for the copying, or a slow disk would let the log grow without end."""
    log.copier.may.clear()
    log.write(35)  # of about three pages each
    copying = log.checkpoints._copying
    assert copying is not None
    wait = copying.exception

    def waited() -> BaseException | None:
        log.copier.may.set()  # only now
        return wait()

    monkeypatch.setattr(copying, "exception", waited)
    log.write(35)
    assert log.copier.may.is_set()
    log.write(1)
    assert 100 > log.checkpoints._pages


def test_a_copy_that_fails_beside_the_writer_is_tried_by_the_writer(log: Log) -> None:
    """Then the writer meets the same error, and can tell what it was; here there is none."""
    log.copier.close()
    log.write(100)
    log.write(1)
    assert 100 > log.checkpoints._pages


def test_one_who_reads_for_long_delays_the_next_copy(log: Log) -> None:
    """The next one begins after as many pages again; once the reader leaves, the log is short again."""
    log.write(1)
    log.read()
    log.write(100)
    tried = log.checkpoints._due
    log.write(1)
    assert tried == log.checkpoints._due > 200
    log.write(200)
    assert tried < log.checkpoints._due
    long = log_size(log.path)
    log.leave()
    log.write(400)
    assert 100 == log.checkpoints._due
    log.write(1)
    assert log_size(log.path) < 110 * FRAME < long


def test_one_who_reads_for_long_is_not_waited_for(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody could write meanwhile. Once the reader leaves, the log starts again."""
    modes: list[int] = []
    copy = Checkpoints._copy

    def noted(checkpoints: Checkpoints, mode: int) -> bool:
        modes.append(mode)
        return copy(checkpoints, mode)

    monkeypatch.setattr(Checkpoints, "_copy", noted)
    log.write(1)
    log.read()
    for _ in range(4):
        log.write(100)
    assert [] == modes
    log.leave()
    log.write(100)
    assert [apsw.SQLITE_CHECKPOINT_RESTART] == modes


def test_it_rests_longer_and_longer_while_somebody_reads(log: Log) -> None:
    """A disturbed idle checkpoint is tried again, ever less often, until the reader leaves or somebody writes."""
    log.write(1)
    log.read()
    log.write(1)
    rests = []
    for _ in range(8):
        rests.append(log.checkpoints.rest)
        log.checkpoints.when_idle()
    assert [1, 2, 4, 8, 16, 32, MOST_IDLE_S, MOST_IDLE_S] == rests
    log.leave()
    log.write(1)
    assert 1 == log.checkpoints.rest
    log.checkpoints.when_idle()
    assert 0 == log_size(log.path)
    assert not log.checkpoints.rest
