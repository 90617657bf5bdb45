"""The contract's table of a product."""

from decimal import Decimal

import pytest

from domain.commands import Create
from domain.errors import ValidationFailed
from domain.field_types import Integer, Money, String
from domain.product import MAX_STOCK, PRODUCT
from domain.state import State
from tests.builders import NOON, create, product


def test_a_new_product_has_the_defaults() -> None:
    """A name and a price are needed; all else has its default."""
    made = Create.parse(PRODUCT, {"name": "Widget A", "price": Decimal("9.990")}).decide(State.of(next_id=7), NOON)
    assert made == product(id=7, price=Decimal("9.99"), category="general", sku=None, stock=None, description="")


def test_every_field_can_be_set() -> None:
    """A product holds what it was given."""
    raw = {"name": "B", "price": "0.5", "category": "odds", "sku": "a.B_1-", "stock": 0, "description": "x\ty"}
    made = Create.parse(PRODUCT, raw).decide(State.of(next_id=1), NOON)
    assert made == product(name="B", price=Decimal("0.50"), category="odds", sku="a.B_1-", stock=0, description="x\ty")


@pytest.mark.parametrize(
    ("name", "least", "most"), [("name", 1, 200), ("category", 1, 100), ("sku", 1, 64), ("description", 0, 10_000)]
)
def test_limits_of_text(name: str, least: int, most: int) -> None:
    """The lengths are those of the contract."""
    field_type = PRODUCT.by_name[name].field_type
    assert isinstance(field_type, String)
    assert (least, most) == (field_type.least, field_type.most)


def test_limits_of_numbers() -> None:
    """The ranges are those of the contract."""
    assert Money(Decimal("999999999.99")) == PRODUCT.by_name["price"].field_type
    assert Integer(0, 2_147_483_647) == Integer(0, MAX_STOCK) == PRODUCT.by_name["stock"].field_type


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ({"name": "a" * 201}, "too_long"),
        ({"name": "a\u2028b"}, "forbidden_character"),
        ({"price": Decimal(1_000_000_000)}, "out_of_range"),
        ({"price": Decimal("-0.01")}, "out_of_range"),
        ({"price": Decimal("0.001")}, "too_many_decimals"),
        ({"price": True}, "wrong_type"),
        ({"category": "a" * 101}, "too_long"),
        ({"category": ""}, "blank"),
        ({"sku": "a" * 65}, "too_long"),
        ({"sku": "a/b"}, "forbidden_character"),
        ({"sku": "ä"}, "forbidden_character"),
        ({"sku": "\u0660"}, "forbidden_character"),
        ({"sku": ""}, "blank"),
        ({"stock": MAX_STOCK + 1}, "out_of_range"),
        ({"stock": -1}, "out_of_range"),
        ({"stock": Decimal("1.5")}, "wrong_type"),
        ({"stock": False}, "wrong_type"),
        ({"description": "a" * 10_001}, "too_long"),
    ],
)
def test_what_a_product_cannot_hold(raw: dict[str, object], code: str) -> None:
    """Each field is held to its rule."""
    with pytest.raises(ValidationFailed) as caught:
        create(PRODUCT, **raw)
    assert [(*raw, code)] == [(violation.field, violation.code) for violation in caught.value.violations]


def test_only_the_sku_is_unique() -> None:
    """Names may repeat; a sku may not."""
    assert ["sku"] == [field.name for field in PRODUCT.unique]
