"""Opening a store refolds text that was folded differently."""

from collections.abc import AsyncIterator

import pytest

from adapters.postgres import folding
from domain.product import PRODUCT
from domain.queries import Order, Query
from domain.text import FOLD
from tests.contract.steps import fill, walk
from tests.databases import Databases, open_store
from tests.postgres.test_migrating import fetch

pytestmark = pytest.mark.anyio

NAMES = ["Zange", "Brötchen", "Apfel", "Élan", "Brot"]
BY_NAME = (Order(PRODUCT.by_name["name"]),)
AS_BEFORE = (
    "UPDATE products SET name_key = replace(name_key, 'brotchen', 'brötchen'), search = replace(search, 'elan', 'élan')"
)


@pytest.fixture
async def folded_before(postgres: Databases) -> AsyncIterator[str]:
    """Create a store whose text was folded differently."""
    async with postgres.blank() as dsn:
        store = await open_store(dsn)
        await fill(store, PRODUCT, *({"name": name} for name in NAMES))
        await store.close()
        await fetch(dsn, AS_BEFORE)
        yield dsn


async def test_all_is_folded_anew(folded_before: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After refolding, search and sort order are as if text had always been folded so."""
    monkeypatch.setattr(folding, "AT_ONCE", 2)
    await fetch(folded_before, "UPDATE folding SET fold = '1-9.0.0'")

    store = await open_store(folded_before)

    sorted_names = [each.name for each in await walk(store, Query(entity_type=PRODUCT, order=BY_NAME))]
    assert ["Apfel", "Brot", "Brötchen", "Élan", "Zange"] == sorted_names
    for search in ("brotchen", "BRÖTCHEN", "ela"):
        assert 1 == len(await walk(store, Query(entity_type=PRODUCT, search=search)))
    await store.close()
    assert [(FOLD,)] == await fetch(folded_before, "SELECT fold FROM folding")


async def test_nothing_is_looked_at_twice(folded_before: str) -> None:
    """Opening a store with current folding changes nothing."""
    await (await open_store(folded_before)).close()

    assert [("brötchen",)] == await fetch(folded_before, "SELECT name_key FROM products WHERE id = 2")
