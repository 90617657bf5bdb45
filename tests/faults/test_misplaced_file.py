"""Files of a store that are removed, moved or replaced during use."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.sqlite.files import NotAStore
from adapters.sqlite.store import SqliteStore
from domain.commands import Delete
from domain.decisions import Outcome
from domain.errors import Unavailable
from domain.queries import Query
from domain.task import TASK
from tests.builders import batch, create
from tests.contract.steps import carry_out, fill, walk
from tests.faults.conftest import open_store

pytestmark = pytest.mark.anyio


def remove(path: Path) -> None:
    """Remove the file."""
    path.unlink()


def move(path: Path) -> None:
    """Move the file away."""
    path.rename(path.with_name("elsewhere.db"))


def replace(path: Path) -> None:
    """Put another file in its place."""
    other = path.with_name("other.db")
    other.write_bytes(path.read_bytes())
    other.replace(path)


def remove_log(path: Path) -> None:
    """Remove the write-ahead log."""
    path.with_name("backroom.db-wal").unlink()


def remove_index(path: Path) -> None:
    """Remove the index of the write-ahead log."""
    path.with_name("backroom.db-shm").unlink()


def remove_folder(path: Path) -> None:
    """Remove the folder with its contents."""
    shutil.rmtree(path.parent)


Misplace = Callable[[Path], None]
HOWEVER = pytest.mark.parametrize("misplace", [remove, move, replace, remove_log, remove_index, remove_folder])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of the store, in a folder of its own."""
    return tmp_path / "data" / "backroom.db"


def copies(path: Path) -> list[Path]:
    """Return the rescued copies."""
    return list(path.parent.glob("backroom.db.rescued-*"))


@HOWEVER
async def test_nothing_is_acknowledged_and_all_is_rescued(
    store: SqliteStore, path: Path, last_words: list[str], misplace: Misplace
) -> None:
    """The next write is refused, and the store logs the reason and a rescued copy that has everything."""
    made = await fill(store, TASK, {}, {}, {})
    misplace(path)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await store.submit(batch(create(TASK)))
    (copy,) = copies(path)
    told = f"all that was acknowledged is in {copy}: move that to {path}, or remove it, before the next start"
    assert [told] == [each.partition("; ")[2] for each in last_words]
    assert f"{path}" in last_words[0]
    await store.close()
    for each in path.parent.iterdir():
        if each != copy:
            each.unlink()
    copy.rename(path)
    again = open_store(path)
    assert made == await walk(again, Query(entity_type=TASK))
    (outcome,) = await carry_out(again, create(TASK))
    assert 4 == outcome.id
    await again.close()


@pytest.mark.parametrize("misplace", [remove, move, replace])
async def test_the_copy_only_has_to_be_moved_into_place(
    tmp_path: Path, last_words: list[str], misplace: Misplace
) -> None:
    """No write-ahead log is left that SQLite would replay into the copy, where pages have other places."""
    path = tmp_path / "backroom.db"
    store = open_store(path, last_words)
    await fill(store, TASK, *[{"notes": "x" * 9_000}] * 50)
    await carry_out(store, *(Delete(entity_type=TASK, id=id) for id in range(1, 41)))
    await store.close()
    store = open_store(path, last_words)
    await fill(store, TASK, {})
    misplace(path)
    with pytest.raises(Unavailable):
        await store.submit(batch(create(TASK)))
    await store.close()
    (copy,) = copies(path)
    copy.rename(path)
    again = open_store(path)
    assert [*range(41, 52)] == [each.id for each in await walk(again, Query(entity_type=TASK))]
    await again.close()


@HOWEVER
async def test_a_probe_notices(store: SqliteStore, path: Path, last_words: list[str], misplace: Misplace) -> None:
    """A ping finds a misplaced file without a caller's write."""
    misplace(path)
    with pytest.raises(Unavailable):
        await store.ping()
    assert 1 == len(last_words)


@pytest.mark.parametrize("misplace", [remove, move, replace, remove_folder])
async def test_a_read_makes_no_file_and_reads_no_other(store: SqliteStore, path: Path, misplace: Misplace) -> None:
    """A read that must open the misplaced file is refused, and creates no file."""
    await fill(store, TASK, {})
    misplace(path)
    before = path.exists()
    with pytest.raises(Unavailable):
        await store.page(Query(entity_type=TASK, total=True))
    assert before == path.exists()


async def test_a_rescued_copy_is_not_passed_over(store: SqliteStore, path: Path) -> None:
    """While a rescued copy exists the store does not start, and says what to decide."""
    await fill(store, TASK, {})
    path.unlink()
    with pytest.raises(Unavailable):
        await store.ping()
    (copy,) = copies(path)
    with pytest.raises(NotAStore, match=rf"^{copy} has all that was acknowledged when {path} was removed or replaced"):
        open_store(path)
    assert not path.exists()
    copy.unlink()
    await open_store(path).close()


async def test_a_copy_that_cannot_be_written(store: SqliteStore, path: Path, last_words: list[str]) -> None:
    """A copy that cannot be written is logged with the reason; a file in its place is left alone."""
    await fill(store, TASK, {})
    diary = path.with_name(f"backroom.db.rescued-{os.getpid()}")
    diary.write_text("Dear diary")
    path.unlink()
    with pytest.raises(Unavailable):
        await store.ping()
    failed = f"what was acknowledged could not be saved in {diary} ([Errno 17] File exists: '{diary}')"
    assert [failed] == [each.partition("; ")[2] for each in last_words]
    assert "Dear diary" == diary.read_text()


async def test_a_link_leads_to_the_file(tmp_path: Path, last_words: list[str]) -> None:
    """A store behind a symbolic link works until the link leads elsewhere."""
    real, link = tmp_path / "real.db", tmp_path / "backroom.db"
    link.symlink_to(real)
    store = open_store(link, last_words)
    assert isinstance(await store.submit(batch(create(TASK))), Outcome)
    link.unlink()
    link.symlink_to(tmp_path / "other.db")
    with pytest.raises(Unavailable):
        await store.submit(batch(create(TASK)))
    assert 1 == len(last_words)
    await store.close()
