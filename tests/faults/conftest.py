"""A store in a file, its reports of an unreliable disk, and a disk that fails on demand."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from adapters.sqlite.store import SqliteStore
from domain.registry import ENTITY_TYPES
from tests.builders import SERIALIZER, Clock
from tests.faults.disks import Disk, faulty_disk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of the store."""
    return tmp_path / "backroom.db"


@pytest.fixture
def disk() -> Iterator[Disk]:
    """Return the disk under the store."""
    with faulty_disk() as each:
        yield each
        each.on_write = each.on_sync = None


@pytest.fixture
def last_words() -> list[str]:
    """Return the store's reports of an unreliable disk."""
    return []


@pytest.fixture
async def store(disk: Disk, path: Path, last_words: list[str]) -> AsyncIterator[SqliteStore]:
    """Open a store on the disk."""
    del disk  # it must exist before and after the store
    opened = open_store(path, last_words)
    yield opened
    await opened.close()


def open_store(path: Path, last_words: list[str] | None = None) -> SqliteStore:
    """Open the store as another process would."""
    say = pytest.fail if last_words is None else last_words.append
    return SqliteStore(path, entity_types=ENTITY_TYPES, documents=SERIALIZER, clock=Clock(), on_untrustworthy=say)
