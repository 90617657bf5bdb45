"""Demonstrate: fill an empty store with the tutorial's products."""

from contextlib import suppress
from decimal import Decimal

from domain.commands import Create
from domain.decisions import IdempotencyKey
from domain.errors import KeyInFlight
from domain.ports import Store
from domain.product import PRODUCT
from domain.queries import Query
from domain.registry import ENTITY_TYPES
from domain.use_cases.write import Terms, carry_out

PRODUCTS = (
    {"name": "Widget A", "price": Decimal("9.99"), "category": "widgets"},
    {"name": "Gadget B", "price": Decimal("24.99"), "category": "gadgets"},
    {"name": "Widget C", "price": Decimal("14.99"), "category": "widgets"},
)


async def demonstrate(store: Store) -> None:
    """Put the products into an empty store, once, however many processes start with it."""
    pages = [await store.page(Query(entity_type=entity_type, limit=1)) for entity_type in ENTITY_TYPES]
    if any(page.records for page in pages) or (await store.read(None, limit=1)).entries:
        return
    commands = tuple(Create(entity_type=PRODUCT, values=each) for each in PRODUCTS)
    key = IdempotencyKey(caller="demo", name="products", fingerprint=b"")
    with suppress(KeyInFlight):  # another process is just doing it
        await carry_out(store, commands, Terms(request_id="demo", key=key))
