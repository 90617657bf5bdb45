"""Deciding commands on a few products and tasks."""

from collections.abc import Mapping
from typing import Any

from domain.commands import Edit
from domain.decisions import Decided, Decision, decide
from domain.product import PRODUCT, Product
from domain.state import Ref, State
from tests.builders import LATER, batch, product

Current = Mapping[Ref, Any]

SHELF: Current = {(PRODUCT, 1): product(id=1, sku="A"), (PRODUCT, 2): product(id=2, sku="B")}


def decided(*commands: Any, current: Current | None = None, atomic: bool = True) -> Decision:
    """Decide commands on some entities; each owns its sku."""
    state = State.of(*(current or {}).values(), next_id=100)
    return decide(batch(*commands, atomic=atomic), state, LATER)


def product_of(each: Decided) -> Product:
    """Return the product that was left."""
    assert isinstance(each.entity, Product)
    return each.entity


def set_sku(id: int, value: str | None) -> Edit[Any]:
    """Return a command that gives a product a sku."""
    return Edit(entity_type=PRODUCT, id=id, values={"sku": value})
