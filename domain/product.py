"""A product: something to be sold."""

from datetime import datetime
from decimal import Decimal
from typing import Self

from attrs import frozen

from domain.entity_type import Entity, EntityType, writable
from domain.errors import InsufficientStock, StockNotTracked, ValidationFailed, Violation
from domain.field_types import Integer, Money, String

MAX_STOCK = 2**31 - 1


@frozen(kw_only=True, slots=False)
class Product(Entity):
    """Something to be sold. A `stock` of None is not tracked; a `sku` is unique among the living."""

    name: str = writable(String(1, 200), searched=True)
    price: Decimal = writable(Money(Decimal("999999999.99")))
    category: str = writable(String(1, 100), default="general")
    sku: str | None = writable(
        String(1, 64, alphabet="A-Za-z0-9._-"),
        default=None,
        searched=True,
        unique=True,
        meaning="Unique among products that are not deleted; case matters.",
    )
    stock: int | None = writable(
        Integer(0, MAX_STOCK), default=None, meaning="Null: it is not tracked, and cannot be adjusted."
    )
    description: str = writable(String(0, 10_000, lines=True), default="", listed=False, searched=True)

    def reprice(self, price: Decimal | int, *, at: datetime) -> Self:
        """Return the product at another price. Raises `ValidationFailed`."""
        return self.edit(at=at, price=price)

    def adjust_stock(self, change: int, *, at: datetime) -> Self:
        """Return the product with `change`, which may be negative, added to its stock.

        Raises `StockNotTracked`, `InsufficientStock` for a result below zero, and `ValidationFailed` for one above
        `MAX_STOCK`.
        """
        if self.stock is None:
            raise StockNotTracked(id=self.id)
        stock = self.stock + change
        if stock < 0:
            raise InsufficientStock(id=self.id, stock=self.stock, change=change)
        if stock > MAX_STOCK:
            reason = f"would raise the stock above {MAX_STOCK}"
            raise ValidationFailed(violations=(Violation(field="change", code="out_of_range", reason=reason),))
        return self.edit(at=at, stock=stock)


PRODUCT = EntityType(
    Product,
    name="product",
    collection="products",
    keyed=True,
    stocked=True,
    meaning="Things to be sold. Their stock is adjusted by differences, so that no sale is lost.",
    example={"name": "Widget", "price": 9.99, "sku": "W-1", "stock": 5},
    example_edit={"price": 8.99},
)
