"""A store in a file, what it says when it loses its trust in the disk, and a disk that can fail under it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from adapters.sqlite.store import SqliteStore
from domain.registry import ENTITY_TYPES
from tests.builders import SERIALIZER, Clock
from tests.faults.disks import Disk, faulty_disk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the store is kept."""
    return tmp_path / "backroom.db"


@pytest.fixture
def disk() -> Iterator[Disk]:
    """Return the disk under the store."""
    with faulty_disk() as each:
        yield each
        each.on_write = each.on_sync = None


@pytest.fixture
def last_words() -> list[str]:
    """Return what the store says when it cannot trust the disk any more."""
    return []


@pytest.fixture
async def store(disk: Disk, path: Path, last_words: list[str]) -> AsyncIterator[SqliteStore]:
    """Open a store on the disk."""
    del disk  # it must be there before the store, and until after it
    opened = open_store(path, last_words)
    yield opened
    await opened.close()


def open_store(path: Path, last_words: list[str] | None = None) -> SqliteStore:
    """Open the store as one more process would."""
    say = pytest.fail if last_words is None else last_words.append
    return SqliteStore(path, entity_types=ENTITY_TYPES, documents=SERIALIZER, clock=Clock(), on_untrustworthy=say)
