"""A full disk: writes are refused and resume by themselves, reads go on, and nothing is lost."""

import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from adapters.sqlite import files
from adapters.sqlite.store import SqliteStore
from domain.commands import Delete
from domain.decisions import IdempotencyKey, Outcome
from domain.errors import NotFound, StorageFull, Unavailable
from domain.queries import Query
from domain.task import TASK
from tests.builders import batch, create
from tests.contract.steps import fill, refusal, trail, walk
from tests.faults.conftest import open_store
from tests.faults.disks import Disk

pytestmark = pytest.mark.anyio


@contextmanager
def limited(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond some bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_reads_go_on_and_writes_resume(store: SqliteStore, disk: Disk, last_words: list[str]) -> None:
    """Writes to a full disk raise `StorageFull`, and succeed again once there is space."""
    made = await fill(store, TASK, {}, {})
    disk.on_write = apsw.FullError
    for _ in range(3):
        with pytest.raises(StorageFull):
            await store.submit(batch(create(TASK)))
        assert made == await walk(store, Query(entity_type=TASK))
        assert 2 == (await store.page(Query(entity_type=TASK, total=True))).total
    disk.on_write = None
    made += await fill(store, TASK, {})
    assert made == await walk(store, Query(entity_type=TASK))
    assert [] == last_words


async def test_a_limit_of_the_user(path: Path, last_words: list[str], caplog: pytest.LogCaptureFixture) -> None:
    """A write beyond the largest size of a file, or a quota, is refused like one to a full disk, and writes resume."""
    store = open_store(path, last_words)
    made = await fill(store, TASK, {})
    with limited(path.with_name("backroom.db-wal").stat().st_size):
        for _ in range(3):
            with pytest.raises(StorageFull):
                await store.submit(batch(create(TASK)))
            assert made == await walk(store, Query(entity_type=TASK))
    assert ([], True) == (last_words, f"{path} may not grow (File too large)" in caplog.text)
    made += await fill(store, TASK, {})
    assert made == await walk(store, Query(entity_type=TASK))
    await store.close()


@pytest.mark.parametrize("size", [0, 10_000, 40_000])
async def test_a_limit_of_the_user_at_the_start(path: Path, last_words: list[str], size: int) -> None:
    """A file that cannot be made for a limit of its owner is refused with a message that names the limit."""
    with limited(size), pytest.raises(Unavailable, match="has reached a quota, or the size that his files may have"):
        open_store(path, last_words)
    await open_store(path, last_words).close()
    assert [] == last_words


async def test_a_probe_writes(store: SqliteStore, disk: Disk, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A ping finds a full disk without a caller's write, and logs the file for the owner."""
    await store.ping()
    disk.on_write = apsw.FullError
    with pytest.raises(StorageFull):
        await store.ping()
    assert [
        f"there is no space left on the disk of {path}: free some, and writing goes on by itself"
    ] == caplog.messages
    disk.on_write = apsw.ReadOnlyError
    with pytest.raises(Unavailable, match="the store's file cannot be written right now"):
        await store.ping()
    assert [f"{path} cannot be used (told to fail)"] == caplog.messages[1:]
    disk.on_write = None
    await store.ping()


async def test_a_probe_looks_for_room(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ping fails if there is less room than a write may need, even if a small write would succeed."""
    monkeypatch.setattr(files, "ROOM", 1 << 62)
    with pytest.raises(StorageFull):
        await store.ping()


async def test_a_refused_write_leaves_nothing(store: SqliteStore, disk: Disk) -> None:
    """A write refused by a full disk keeps no entity, change or key, so the request can be repeated."""
    key = IdempotencyKey(caller="me", name="k", fingerprint=b"f")
    disk.on_write = apsw.FullError
    with pytest.raises(StorageFull):
        await store.submit(batch(create(TASK), key=key))
    assert ([], []) == (await walk(store, Query(entity_type=TASK)), await trail(store))
    disk.on_write = None
    assert isinstance(await store.submit(batch(create(TASK), key=key)), Outcome)
    assert [("task.created", 1, 1)] == await trail(store)


async def test_what_needs_no_space_is_answered(store: SqliteStore, disk: Disk) -> None:
    """Refusals, dry runs and edits without effect need no space, even in a group with writes that do."""
    await fill(store, TASK, {})
    disk.on_write = apsw.FullError
    writes = asyncio.gather(*(store.submit(batch(create(TASK))) for _ in range(5)), return_exceptions=True)
    assert isinstance(await refusal(store, Delete(entity_type=TASK, id=9)), NotFound)
    assert isinstance(await store.submit(batch(create(TASK), dry_run=True)), Outcome)
    assert [StorageFull] * 5 == [type(answer) for answer in await writes]


async def test_nothing_acknowledged_is_lost(store: SqliteStore, disk: Disk, path: Path) -> None:
    """While space comes and goes under many writers, the store keeps exactly the acknowledged writes."""
    full = apsw.FullError
    acknowledged: list[int] = []
    refused = 0

    async def writer(number: int) -> None:
        nonlocal refused
        for turn in range(20):
            if number == 0:
                disk.on_write = full if turn % 3 == 1 else None
            try:
                outcome = await store.submit(batch(create(TASK, title=f"{number}.{turn}", notes="x" * 2000)))
            except StorageFull:
                refused += 1
            else:
                assert isinstance(outcome, Outcome)
                acknowledged.extend(each.record.id for each in outcome.results)  # type: ignore[union-attr]

    await asyncio.gather(*map(writer, range(20)))
    disk.on_write = None
    assert refused
    found = [each.id for each in await walk(store, Query(entity_type=TASK))]
    assert sorted(acknowledged) == found
    assert found == [id for _, id, _ in await trail(store)]
    await store.close()
    again = open_store(path)
    assert found == [each.id for each in await walk(again, Query(entity_type=TASK))]
    await again.close()
