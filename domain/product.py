"""A product: something to be sold."""

from decimal import Decimal

from attrs import frozen

from domain.kinds import Entity, Kind, writable
from domain.rules import Money, Text, Whole

MAX_STOCK = 2**31 - 1


@frozen(kw_only=True)
class Product(Entity):
    """Something to be sold. A `stock` of None is not tracked; a `sku` is unique among the living."""

    name: str = writable(Text(1, 200), searched=True)
    price: Decimal = writable(Money(Decimal("999999999.99")))
    category: str = writable(Text(1, 100), default="general")
    sku: str | None = writable(Text(1, 64, alphabet="A-Za-z0-9._-"), default=None, searched=True, unique=True)
    stock: int | None = writable(Whole(0, MAX_STOCK), default=None)
    description: str = writable(Text(0, 10_000, lines=True), default="", listed=False, searched=True)


PRODUCT = Kind(Product, name="product", collection="products")
