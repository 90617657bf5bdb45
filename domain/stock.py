"""Adjusting the stock of a product by a difference, without knowing how much there is."""

from collections.abc import Mapping
from datetime import datetime

from attrs import field

from domain.commands import ANY_VERSION, Precondition
from domain.entity_type import EntityType, Field
from domain.field_types import Integer, String
from domain.parsing import parse_fields
from domain.product import MAX_STOCK, PRODUCT, Product
from domain.state import State
from domain.value_object import value_object

CHANGE = Integer(-MAX_STOCK, MAX_STOCK)
REASON = String(0, 100)
_FIELDS = (Field(name="change", field_type=CHANGE, required=True), Field(name="reason", field_type=REASON))


@value_object(kw_only=True)
class AdjustStock:
    """Add `change`, which may be negative, to the stock of a product; the change keeps `reason`."""

    id: int
    change: int
    reason: str | None = None
    precondition: Precondition = ANY_VERSION

    entity_type: EntityType[Product] = field(default=PRODUCT, init=False)
    needs_deleted: bool = field(default=False, init=False)

    @classmethod
    def parse(cls, id: int, raw: Mapping[str, object], precondition: Precondition = ANY_VERSION) -> "AdjustStock":
        """Read a JSON object that holds `change`, perhaps a `reason`, and nothing else. Raises `ValidationFailed`."""
        values = parse_fields(raw, _FIELDS)
        return cls(id=id, change=values["change"], reason=values["reason"] or None, precondition=precondition)

    def decide(self, current: State, at: datetime) -> Product:
        product = current.living(PRODUCT, self.id)
        self.precondition.check(product)
        return product.adjust_stock(self.change, at=at)
