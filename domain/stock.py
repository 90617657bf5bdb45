"""Adjusting the stock of a product by a difference, which needs no knowledge of how much there is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen

from domain.commands import ANY_VERSION, Edit, Precondition
from domain.entity_type import EntityType
from domain.errors import InsufficientStock, NotFound, StockNotTracked, ValidationFailed, Violation
from domain.field_types import FieldType, Integer, String, ValidationError
from domain.product import MAX_STOCK, PRODUCT, Product

CHANGE = Integer(-MAX_STOCK, MAX_STOCK)
REASON = String(0, 100)

_FIELDS: dict[str, FieldType] = {"change": CHANGE, "reason": REASON}


@frozen(kw_only=True)
class AdjustStock:
    """Add `change`, which may be negative, to the stock of a product; `reason` is kept with what was changed."""

    id: int
    change: int
    reason: str | None = None
    precondition: Precondition = ANY_VERSION

    entity_type: EntityType[Product] = field(default=PRODUCT, init=False)
    needs_deleted: bool = field(default=False, init=False)

    @classmethod
    def parse(cls, id: int, raw: Mapping[str, object], precondition: Precondition = ANY_VERSION) -> "AdjustStock":
        """Check a raw document that holds `change`, perhaps a `reason`, and nothing else. Raises `ValidationFailed`."""
        values: dict[str, Any] = {}
        violations = [
            Violation(field=name, code="unknown_field", reason="is not a field (there are change, reason)")
            for name in raw
            if name not in _FIELDS
        ]
        for name, field_type in _FIELDS.items():
            try:
                if raw.get(name) is not None:
                    values[name] = field_type.check(raw[name])
                elif name == "change":
                    raise ValidationError("required", "is required")  # noqa: TRY301 - the one place that collects them
            except ValidationError as refused:
                violations.append(Violation(field=name, code=refused.code, reason=refused.reason))
        if violations:
            raise ValidationFailed(violations=tuple(violations))
        return cls(id=id, change=values["change"], reason=values.get("reason") or None, precondition=precondition)

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
