"""A product: something to be sold."""

from decimal import Decimal

from attrs import frozen

from domain.entity_type import Entity, EntityType, writable
from domain.field_types import Integer, Money, String

MAX_STOCK = 2**31 - 1


@frozen(kw_only=True)
class Product(Entity):
    """Something to be sold. A `stock` of None is not tracked; a `sku` is unique among the living."""

    name: str = writable(String(1, 200), searched=True)
    price: Decimal = writable(Money(Decimal("999999999.99")))
    category: str = writable(String(1, 100), default="general")
    sku: str | None = writable(String(1, 64, alphabet="A-Za-z0-9._-"), default=None, searched=True, unique=True)
    stock: int | None = writable(Integer(0, MAX_STOCK), default=None)
    description: str = writable(String(0, 10_000, lines=True), default="", listed=False, searched=True)


PRODUCT = EntityType(Product, name="product", collection="products")
