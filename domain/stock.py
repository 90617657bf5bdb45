"""Adjusting the stock of a product by a difference, which needs no knowledge of how much there is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen

from domain.commands import ANY_VERSION, Edit, Precondition
from domain.entity_type import EntityType
from domain.errors import InsufficientStock, NotFound, StockNotTracked, ValidationFailed, Violation
from domain.field_types import Integer, ValidationError
from domain.product import MAX_STOCK, PRODUCT, Product

CHANGE = Integer(-MAX_STOCK, MAX_STOCK)


@frozen(kw_only=True)
class AdjustStock:
    """Add `change`, which may be negative, to the stock of a product."""

    id: int
    change: int
    precondition: Precondition = ANY_VERSION

    entity_type: EntityType[Product] = field(default=PRODUCT, init=False)
    needs_deleted: bool = field(default=False, init=False)

    @classmethod
    def parse(cls, id: int, raw: Mapping[str, object], precondition: Precondition = ANY_VERSION) -> "AdjustStock":
        """Check a raw document that holds `change` and nothing else. Raises `Invalid`."""
        violations = [
            Violation(field=name, code="unknown_field", reason="is not a field") for name in raw if name != "change"
        ]
        change = 0
        try:
            if raw.get("change") is None:
                raise ValidationError("required", "is required")  # noqa: TRY301 - the one place that collects breaches
            change = CHANGE.check(raw["change"])
        except ValidationError as refused:
            violations.append(Violation(field="change", code=refused.code, reason=refused.reason))
        if violations:
            raise ValidationFailed(violations=tuple(violations))
        return cls(id=id, change=change, precondition=precondition)

    def decide(self, current: Any, id: int, at: datetime) -> Product:
        if not isinstance(current, Product):
            raise NotFound(entity_type=self.entity_type.name, id=id)
        self.precondition.check(self.entity_type, current)
        if current.stock is None:
            raise StockNotTracked(id=id)
        stock = current.stock + self.change
        if stock < 0:
            raise InsufficientStock(id=id, stock=current.stock, change=self.change)
        if stock > MAX_STOCK:
            reason = f"would raise the stock above {MAX_STOCK}"
            raise ValidationFailed(violations=(Violation(field="change", code="out_of_range", reason=reason),))
        return Edit(entity_type=PRODUCT, id=id, values={"stock": stock}).decide(current, id, at)
