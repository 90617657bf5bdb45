"""Adjusting the stock of a product by a difference, which needs no knowledge of how much there is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen

from domain.commands import ANY_VERSION, Edit, Precondition
from domain.errors import Breach, InsufficientStock, Invalid, NotFound, StockNotTracked
from domain.kinds import Kind
from domain.product import MAX_STOCK, PRODUCT, Product
from domain.rules import Refused, Whole

CHANGE = Whole(-MAX_STOCK, MAX_STOCK)


@frozen(kw_only=True)
class AdjustStock:
    """Add `change`, which may be negative, to the stock of a product."""

    id: int
    change: int
    precondition: Precondition = ANY_VERSION

    kind: Kind[Product] = field(default=PRODUCT, init=False)
    revives: bool = field(default=False, init=False)

    @classmethod
    def parse(cls, id: int, raw: Mapping[str, object], precondition: Precondition = ANY_VERSION) -> "AdjustStock":
        """Check a raw document that holds `change` and nothing else. Raises `Invalid`."""
        breaches = [
            Breach(field=name, code="unknown_field", reason="is not a field") for name in raw if name != "change"
        ]
        change = 0
        try:
            if raw.get("change") is None:
                raise Refused("required", "is required")  # noqa: TRY301 - the one place that collects breaches
            change = CHANGE.check(raw["change"])
        except Refused as refused:
            breaches.append(Breach(field="change", code=refused.code, reason=refused.reason))
        if breaches:
            raise Invalid(breaches=tuple(breaches))
        return cls(id=id, change=change, precondition=precondition)

    def decide(self, standing: Any, id: int, at: datetime) -> Product:
        if not isinstance(standing, Product):
            raise NotFound(kind=self.kind.name, id=id)
        self.precondition.check(self.kind, standing)
        if standing.stock is None:
            raise StockNotTracked(id=id)
        stock = standing.stock + self.change
        if stock < 0:
            raise InsufficientStock(id=id, stock=standing.stock, change=self.change)
        if stock > MAX_STOCK:
            reason = f"would raise the stock above {MAX_STOCK}"
            raise Invalid(breaches=(Breach(field="change", code="out_of_range", reason=reason),))
        return Edit(kind=PRODUCT, id=id, values={"stock": stock}).decide(standing, id, at)
