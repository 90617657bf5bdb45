"""Opening a database adds missing fields."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.postgres import declared_fields
from adapters.postgres.exporting import exporting
from adapters.postgres.migrating import SchemaTooNew
from adapters.postgres.store import PostgresStore
from domain.commands import Delete
from domain.queries import Order, Query
from domain.snapshot import SchemaTooOld
from domain.task import TASK
from tests.builders import Clock
from tests.contract.later import LATER_SERIALIZER, LATER_TASK, LATER_TYPES
from tests.contract.steps import carry_out, edit, fill
from tests.databases import Databases, open_store
from tests.postgres.test_migrating import fetch

pytestmark = pytest.mark.anyio


async def opened(dsn: str) -> PostgresStore:
    """Open the store as a later version."""
    facts: dict[str, Any] = {"entity_types": LATER_TYPES, "documents": LATER_SERIALIZER}
    return await PostgresStore.open(dsn, clock=Clock(), on_untrustworthy=pytest.fail, **facts)


@pytest.fixture
async def dsn(postgres: Databases) -> AsyncIterator[str]:
    """Create a store with five tasks, one edited and one deleted, as its migration leaves it."""
    async with postgres.blank() as dsn:
        store = await open_store(dsn)
        await fill(store, TASK, *({"title": f"Task {number}"} for number in range(1, 6)))
        await carry_out(store, edit(TASK, 2, notes="x"), Delete(entity_type=TASK, id=3))
        await store.close()
        await fetch(dsn, 'ALTER TABLE tasks ADD COLUMN place_key text COLLATE "C"')
        yield dsn


async def test_what_was_stored_gets_new_fields(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every document, in the table and the log, has the new fields, with sorting and search; versions stay."""
    monkeypatch.setattr(declared_fields, "AT_ONCE", 2)
    store = await opened(dsn)
    by_place = Query(entity_type=LATER_TASK, order=(Order(LATER_TASK.by_name["place"]),), search="buro")
    page = await store.page(by_place)
    assert [(1, 1), (2, 2), (4, 1), (5, 1)] == [(each.id, each.version) for each in page.records]
    assert all(each.document.endswith('"place":"Büro","hours":null}') for each in page.records)
    history = [entry.change.record.document for id in (2, 3) for entry in await store.history(LATER_TASK, id)]
    assert 4 == len(history)
    assert all(each.endswith('"place":"Büro","hours":null}') for each in history)
    await store.close()


async def test_it_is_done_once(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening a store without missing fields reads no document."""
    await (await opened(dsn)).close()
    read: list[object] = []
    monkeypatch.setattr(LATER_SERIALIZER, "read", lambda *each: read.append(each))
    await (await opened(dsn)).close()
    assert [] == read


async def test_a_field_that_is_not_known(dsn: str) -> None:
    """A version that lacks a stored field refuses to open the store, and names the field."""
    with pytest.raises(SchemaTooOld, match=r"let it be served once$"):
        async with exporting(dsn, entity_types=LATER_TYPES):
            pass
    await (await opened(dsn)).close()
    with pytest.raises(SchemaTooNew, match=r"the store has what .* does not know: hours, place$"):
        await open_store(dsn)
