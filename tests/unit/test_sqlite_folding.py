"""Text that was folded in another way is folded anew when its store is opened."""

from pathlib import Path

import apsw
import pytest

from adapters.sqlite import folding
from adapters.sqlite.store import SqliteStore
from domain.product import PRODUCT
from domain.queries import Order, Query
from domain.registry import ENTITY_TYPES
from domain.text import FOLD
from tests.builders import SERIALIZER, Clock
from tests.contract.steps import fill, walk

pytestmark = pytest.mark.anyio

NAMES = ["Zange", "Brötchen", "Apfel", "Élan", "Brot"]
BY_NAME = (Order(PRODUCT.by_name["name"]),)
AS_BEFORE = (
    "UPDATE products SET name_key = replace(name_key, 'brotchen', 'brötchen')",
    "UPDATE products SET search = replace(search, 'elan', 'élan')",
    "INSERT INTO products_search (products_search) VALUES ('rebuild')",
)


def opened(path: Path) -> SqliteStore:
    """Open the store in a file."""
    return SqliteStore(
        path, entity_types=ENTITY_TYPES, documents=SERIALIZER, clock=Clock(), on_untrustworthy=pytest.fail
    )


async def made(path: Path, *statements: str) -> None:
    """Make a store, and do something to its file behind its back."""
    store = opened(path)
    await fill(store, PRODUCT, *({"name": name} for name in NAMES))
    await store.close()
    connection = apsw.Connection(str(path))
    for statement in statements:
        connection.execute(statement)
    connection.close()


def fetched(path: Path, sql: str) -> list[tuple[object, ...]]:
    """Return the rows of a query."""
    connection = apsw.Connection(str(path))
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


async def test_all_is_folded_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text that folds differently now is found and sorted as if it had always been so; the index agrees."""
    monkeypatch.setattr(folding, "AT_ONCE", 2)
    path = tmp_path / "backroom.db"
    await made(path, *AS_BEFORE, "UPDATE folding SET fold = '1-9.0.0'")

    store = opened(path)

    sorted_names = [each.name for each in await walk(store, Query(entity_type=PRODUCT, order=BY_NAME))]
    assert ["Apfel", "Brot", "Brötchen", "Élan", "Zange"] == sorted_names
    for search in ("brotchen", "BRÖTCHEN", "ela"):
        assert 1 == len(await walk(store, Query(entity_type=PRODUCT, search=search)))
    await store.close()
    connection = apsw.Connection(str(path))
    connection.execute("INSERT INTO products_search (products_search, rank) VALUES ('integrity-check', 1)")
    connection.close()
    assert [(FOLD,)] == fetched(path, "SELECT fold FROM folding")


async def test_nothing_is_looked_at_twice(tmp_path: Path) -> None:
    """If the folding is current, opening a store changes no text."""
    path = tmp_path / "backroom.db"
    await made(path, *AS_BEFORE)

    await opened(path).close()

    assert [("brötchen",)] == fetched(path, "SELECT name_key FROM products WHERE id = 2")
