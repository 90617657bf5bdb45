"""Opening files: new ones by many processes, older and newer ones, and files that are no stores."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from adapters.sqlite import connections
from adapters.sqlite.connections import SchemaTooNew
from adapters.sqlite.files import NotAStore
from domain.errors import Unavailable
from domain.queries import Query
from domain.task import TASK
from tests.contract.steps import fill, trail, walk
from tests.faults.conftest import open_store
from tests.faults.past import take_back
from tests.faults.processes import start

pytestmark = pytest.mark.anyio

NOBODY = 65534
PROCESSES = 8
ROUNDS = 30


async def test_many_processes_make_a_file_at_once(tmp_path: Path) -> None:
    """Many processes that open a missing file at once all succeed, and no id is given twice."""
    processes = [start("open", tmp_path) for _ in range(PROCESSES)]
    for number in range(ROUNDS):
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(f"{number}.db\n")
            process.stdin.flush()
        made = [process.stdout.readline() for process in processes if process.stdout is not None]
        assert [f"{id}\n" for id in range(1, PROCESSES + 1)] == sorted(made)
    for process in processes:
        process.communicate()
    assert [0] * PROCESSES == [process.returncode for process in processes]


async def test_a_file_with_two_names(path: Path) -> None:
    """A hard link is not opened, because two processes with a name each would lose writes; a symbolic link is."""
    store = open_store(path)
    made = await fill(store, TASK, {})
    other = path.with_name("other.db")
    other.hardlink_to(path)
    with pytest.raises(NotAStore, match=r"other\.db has 2 names"):
        open_store(other)
    made += await fill(store, TASK, {})
    await store.close()
    other.unlink()
    other.symlink_to(path)
    store = open_store(other)
    assert made == await walk(store, Query(entity_type=TASK))
    await store.close()


async def test_folders_are_made(tmp_path: Path) -> None:
    """Opening creates the missing folders of the file."""
    path = tmp_path / "a" / "b" / "backroom.db"
    store = open_store(path)
    await fill(store, TASK, {})
    await store.close()
    assert path.is_file()


async def test_what_was_written_is_there_after_a_restart(path: Path) -> None:
    """Entities, the log, the secret and the cursors survive a restart."""
    store = open_store(path)
    made = await fill(store, TASK, {}, {})
    before = await store.head(), await store.secret(), await store.read(None), await store.page(Query(entity_type=TASK))
    await store.close()
    store = open_store(path)
    assert before == (
        await store.head(),
        await store.secret(),
        await store.read(None),
        await store.page(Query(entity_type=TASK)),
    )
    assert made == await walk(store, Query(entity_type=TASK))
    assert [3] == [each.id for each in await fill(store, TASK, {})]
    await store.close()


@pytest.mark.parametrize("version", range(1, len(connections._steps())))
async def test_a_schema_from_the_past(path: Path, version: int) -> None:
    """This version keeps all data of any earlier version, and its cursors mean the same."""
    store = open_store(path)
    await fill(store, TASK, {}, {})
    before = await store.head(), await store.secret(), await store.read(None), await store.page(Query(entity_type=TASK))
    await store.close()
    take_back(path, version)
    store = open_store(path)
    page = await store.page(Query(entity_type=TASK))
    assert before == (await store.head(), await store.secret(), await store.read(None), page)
    await fill(store, TASK, {})
    assert [("task.created", 3, 1)] == await trail(store, before[0])
    await store.close()


async def test_a_schema_from_the_future(path: Path) -> None:
    """A file of a newer version is refused with both versions named, and left unchanged."""
    await open_store(path).close()
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA user_version=99")
    with pytest.raises(SchemaTooNew, match=r"backroom\.db.* schema 99.* up to [0-9]+\b"):
        open_store(path)
    assert [(99,)] == connection.execute("PRAGMA user_version").fetchall()
    connection.close()


@pytest.mark.parametrize(
    ("change", "lacking"),
    [
        ("DROP TABLE products", "no such table: products"),
        ("ALTER TABLE products RENAME COLUMN name_key TO name", "no such column: name_key"),
        ("DROP TABLE products_search", "no such table: products_search"),
    ],
)
async def test_an_entity_type_without_its_tables(path: Path, change: str, lacking: str) -> None:
    """Opening the file names a table that a migration forgot, before anybody writes."""
    await open_store(path).close()
    connection = apsw.Connection(str(path))
    connection.execute(change)
    connection.close()
    with pytest.raises(NotAStore, match=rf"backroom\.db lacks what products need, .*: {lacking}$"):
        open_store(path)


async def test_an_index_that_was_forgotten(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A missing index is logged and the store opens, because lists are only slow without it."""
    await open_store(path).close()
    assert [] == caplog.messages
    connection = apsw.Connection(str(path))
    connection.execute("DROP INDEX products_price")
    connection.close()
    await open_store(path).close()
    assert [f"{path} has no index of products by price: lists in that order read the whole table"] == caplog.messages


async def test_a_file_that_is_no_database(path: Path) -> None:
    """A file that is no database is refused by name, and left unchanged."""
    path.write_text("Dear diary,\n" * 1000)
    with pytest.raises(NotAStore, match=r"backroom\.db is not a SQLite database"):
        open_store(path)
    assert path.read_text().startswith("Dear diary,\n")


async def test_the_database_of_another_program(path: Path) -> None:
    """A database with other tables is refused by name, and left unchanged."""
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE diary (entry)")
    with pytest.raises(NotAStore, match=r"backroom\.db is the database of another program"):
        open_store(path)
    assert [("diary",)] == connection.execute("SELECT name FROM sqlite_schema").fetchall()
    connection.close()


async def test_a_folder_is_no_file(path: Path) -> None:
    """A folder as the path is refused, with an example of a file."""
    path.mkdir()
    said = f"{path} is a folder: name a file in it, such as sqlite:///{path}/backroom.db"
    with pytest.raises(Unavailable, match=f"^{said}$"):
        open_store(path)


async def test_a_file_is_no_folder(path: Path) -> None:
    """A file in the place of a folder is refused by name."""
    path.write_text("Dear diary")
    said = f"{path} is a file, so there cannot be a {path}/a/b.db: name another place"
    with pytest.raises(Unavailable, match=f"^{said}$"):
        open_store(path / "a" / "b.db")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder that every user can reach."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder


@contextmanager
def without_rights() -> Iterator[str]:
    """Switch to a user without root's rights, and yield the user's name."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    try:
        yield f"the user {os.geteuid()}, who runs backroom,"
    finally:
        os.seteuid(was)


@pytest.mark.parametrize("place", ["backroom.db", "data/backroom.db"])
async def test_a_folder_without_permission(folder: Path, place: str) -> None:
    """The error names the user and the folder without permission."""
    folder.chmod(0o555)
    with without_rights() as user:
        said = f"{user} cannot write to the folder {folder}, where SQLite keeps three files: let him own it"
        with pytest.raises(Unavailable, match=f"^{said}"):
            open_store(folder / place)


@pytest.mark.parametrize("end", ["", "-wal", "-shm"])
async def test_a_file_without_permission(folder: Path, end: str) -> None:
    """The error names the user and the one of the three files without permission."""
    path = folder / "backroom.db"
    await open_store(path).close()
    path.chmod(0o666)
    file = folder / f"backroom.db{end}"
    file.touch()
    file.chmod(0o400)
    with without_rights() as user, pytest.raises(Unavailable, match=f"^{user} cannot read and write {file}: let him"):
        open_store(path)


async def test_a_file_that_another_process_is_making(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening waits for a process that holds the file, and gives up after a time limit."""
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_MS", 20)
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match=rf"^another program holds {path} \(database is locked\): end it, or wait"):
        open_store(path)
    connection.execute("ROLLBACK")
    connection.close()
    await open_store(path).close()
