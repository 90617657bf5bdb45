"""A file in which fields are missing gets them when it is opened."""

from pathlib import Path
from typing import Any

import apsw
import pytest

from adapters.sqlite import declared_fields
from adapters.sqlite.connections import SchemaTooNew
from adapters.sqlite.exporting import exporting
from adapters.sqlite.store import SqliteStore
from domain.commands import Delete, Restore
from domain.decisions import Done
from domain.queries import Order, Query
from domain.registry import ENTITY_TYPES
from domain.snapshot import SchemaTooOld
from domain.task import TASK
from tests.builders import SERIALIZER, Clock
from tests.contract.later import LATER_SERIALIZER, LATER_TASK, LATER_TYPES, read_later
from tests.contract.steps import carry_out, edit, fill, outcome

pytestmark = pytest.mark.anyio

ADDED = "ALTER TABLE tasks ADD COLUMN place_key TEXT"


def opened(path: Path, *, later: bool = False) -> SqliteStore:
    """Open the store in a file, as this version or as a later one."""
    entity_types: Any = LATER_TYPES if later else ENTITY_TYPES
    documents = LATER_SERIALIZER if later else SERIALIZER
    return SqliteStore(
        path, entity_types=entity_types, documents=documents, clock=Clock(), on_untrustworthy=pytest.fail
    )


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """Make a file with five tasks, one of which was edited and one deleted, as its migration leaves it."""
    path = tmp_path / "backroom.db"
    store = opened(path)
    await fill(store, TASK, *({"title": f"Task {number}"} for number in range(1, 6)))
    await carry_out(store, edit(TASK, 2, notes="x"), Delete(entity_type=TASK, id=3))
    await store.close()
    connection = apsw.Connection(str(path))
    connection.execute(ADDED)
    connection.close()
    return path


async def test_what_was_stored_gets_new_fields(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every document has them, in the table and in the log, and is sorted and found by them; versions stay."""
    monkeypatch.setattr(declared_fields, "AT_ONCE", 2)

    store = opened(path, later=True)

    by_place = Query(entity_type=LATER_TASK, order=(Order(LATER_TASK.by_name["place"]),), search="buro")
    page = await store.page(by_place)
    assert [(1, 1), (2, 2), (4, 1), (5, 1)] == [(each.id, each.version) for each in page.records]
    assert all(each.document.endswith('"place":"Büro","hours":null}') for each in page.records)
    history = [entry.change.record.document for id in (2, 3) for entry in await store.history(LATER_TASK, id)]
    assert 4 == len(history)
    assert all(each.endswith('"place":"Büro","hours":null}') for each in history)
    (back,) = (await outcome(store, Restore(entity_type=LATER_TASK, id=3))).results
    assert isinstance(back, Done)
    assert (3, 3, "Büro") == (back.record.id, back.record.version, read_later(back.record.document).place)
    await store.close()
    connection = apsw.Connection(str(path))
    connection.execute("INSERT INTO tasks_search (tasks_search, rank) VALUES ('integrity-check', 1)")
    connection.close()


async def test_it_is_done_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If no field is missing, opening a file reads no document."""
    await opened(path, later=True).close()
    read: list[object] = []
    monkeypatch.setattr(LATER_SERIALIZER, "read", lambda *each: read.append(each))
    await opened(path, later=True).close()
    assert [] == read


async def test_a_field_that_is_not_known(path: Path) -> None:
    """A version that would lose a field opens no file that has it, and says which."""
    await opened(path, later=True).close()
    with pytest.raises(SchemaTooNew, match=r"backroom\.db has what .* does not know: hours, place$"):
        opened(path)
    await opened(path, later=True).close()


async def test_what_cannot_be_told_whole(path: Path) -> None:
    """A file is only exported with all its fields."""
    with pytest.raises(SchemaTooOld, match=r"let it be served once$"):
        async with exporting(path, entity_types=LATER_TYPES):
            pass
