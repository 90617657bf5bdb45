"""Reading at one moment: entities by their ids, filtered or not, and the changes, as exports need them."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from domain.commands import Delete
from domain.entity_type import EntityType
from domain.filters import Filters
from domain.ports import Store
from domain.product import PRODUCT
from domain.public_types import PUBLIC_TYPES
from domain.queries import Query, matches
from domain.registry import ENTITY_TYPES
from domain.snapshot import BATCH, SnapshotReader
from domain.task import TASK
from tests.builders import Clock, recorded
from tests.contract.shelves import stock_up
from tests.contract.steps import carry_out, edit, fill
from tests.contract.stores import SNAPSHOTS

pytestmark = pytest.mark.anyio

Look = Callable[[], AbstractAsyncContextManager[SnapshotReader]]

FILTERS: dict[EntityType[Any], list[str]] = {
    TASK: ["", "status[in]=done,pending&priority[gt]=low", "due[null]=true", "title[gte]=b&title[lt]=z", "title=SS"],
    PRODUCT: ["", "price[lte]=10&stock[null]=false", "sku[null]=false", "category=General", "id[in]=3,5,99"],
}


@pytest.fixture
def look(request: pytest.FixtureRequest, store: Store, tmp_path: Path) -> Look:
    """Return a function that opens a snapshot of the store, as it is then."""
    return lambda: SNAPSHOTS[request.node.callspec.params["stores"]](store, tmp_path)


async def ids(reader: SnapshotReader, entity_type: EntityType[Any], filters: str = "") -> list[int]:
    """Return the ids of what a snapshot has."""
    where = Filters(entity_type).parse(filters)
    return [each.id async for records in reader.entities(entity_type, where) for each in records]


async def test_filtered(store: Store, look: Look, clock: Clock) -> None:
    """Entities come by ascending id, and only those that satisfy all conditions; they are counted in the same way."""
    for entity_type, texts in FILTERS.items():
        shelf = await stock_up(store, entity_type, clock)
        async with look() as reader:
            for text in texts:
                where = Filters(entity_type).parse(text)
                query = Query(entity_type=entity_type, where=where)
                expected = [each.id for each in shelf if matches(query, each)]
                assert (text, expected) == (text, await ids(reader, entity_type, text))
                assert len(expected) == await reader.count(entity_type, where)


async def test_whole_entities(store: Store, look: Look) -> None:
    """Each entity comes as it is stored."""
    (made,) = await fill(store, TASK, {"notes": "ä\n\t😀", "due": "9999-12-31"})
    async with look() as reader:
        assert [made] == [recorded(TASK, each) async for records in reader.entities(TASK) for each in records]


async def test_one_moment(store: Store, look: Look) -> None:
    """What is written later is not seen, neither among the entities nor in the log."""
    first, second = await fill(store, TASK, {}, {})
    async with look() as reader:
        await carry_out(store, Delete(entity_type=TASK, id=first.id), edit(TASK, second.id, title="Later"))
        await fill(store, TASK, {})
        assert ([1, 2], 2) == (await ids(reader, TASK), await reader.count(TASK))
        assert 2 == await reader.count_changes(PUBLIC_TYPES)
        assert [1, 2] == [each.change.id async for entries in reader.entries(PUBLIC_TYPES) for each in entries]
    async with look() as reader:
        assert [2, 3] == await ids(reader, TASK)


async def test_changes_of_some_types(store: Store, look: Look) -> None:
    """The changes come as the log has them, with its cursors, and only of the types that were asked for."""
    (task,) = await fill(store, TASK, {})
    await fill(store, PRODUCT, {})
    await carry_out(store, Delete(entity_type=TASK, id=task.id))
    logged = (await store.read(None)).entries
    async with look() as reader:
        for entity_types in ((TASK,), (PRODUCT,), PUBLIC_TYPES, ENTITY_TYPES):
            expected = [each for each in logged if each.change.entity_type in entity_types]
            assert expected == [each async for entries in reader.entries(entity_types) for each in entries]
            assert len(expected) == await reader.count_changes(entity_types)


async def test_in_batches(store: Store, look: Look) -> None:
    """A large collection comes in full batches, so a reader never holds more."""
    for _ in range(2):
        await fill(store, TASK, *({} for _ in range(BATCH - 1)))
    async with look() as reader:
        assert [BATCH, BATCH - 2] == [len(records) async for records in reader.entities(TASK)]
        assert [BATCH, BATCH - 2] == [len(entries) async for entries in reader.entries((TASK,))]
