"""The contract's table of a product."""

from decimal import Decimal

import pytest
from attrs import evolve

from domain.commands import Create, Delete, Edit, Restore
from domain.decisions import Decided
from domain.entity_type import Deleted
from domain.errors import AlreadyExists, ValidationFailed
from domain.field_types import Integer, Money, String
from domain.product import MAX_STOCK, PRODUCT
from domain.state import State
from tests.builders import LATER, NOON, create, product
from tests.unit.deciding import SHELF, decided, product_of, set_sku


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


def test_repricing() -> None:
    """A price is a whole number or a decimal; it makes the next version, unless it is the same."""
    before = product(price=Decimal("9.99"))
    assert evolve(before, price=Decimal("12.00"), version=2, updated_at=LATER) == before.reprice(12, at=LATER)
    assert before is before.reprice(Decimal("9.990"), at=LATER)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("price", 9.99, "wrong_type"),
        ("price", "9.99", "wrong_type"),
        ("price", Decimal("9.999"), "too_many_decimals"),
        ("price", None, "required"),
        ("stock", -1, "out_of_range"),
        ("stock", True, "wrong_type"),
        ("sku", "a b", "forbidden_character"),
        ("name", " ", "required"),
        ("version", 0, "out_of_range"),
        ("id", None, "required"),
    ],
)
def test_no_invalid_product_can_be_made(field: str, value: object, code: str) -> None:
    """Neither making one nor changing one gets past a rule; a float is no exact price, and text is for the edge."""
    with pytest.raises(ValidationFailed) as made:
        product(**{field: value})
    assert [(field, code)] == [(each.field, each.code) for each in made.value.violations]
    if field in PRODUCT.writable_names:
        with pytest.raises(ValidationFailed) as edited:
            product().edit(at=LATER, **{field: value})
        assert [(field, code)] == [(each.field, each.code) for each in edited.value.violations]


def test_every_violation_is_told_when_one_is_made() -> None:
    """All fields are looked at, in their order."""
    with pytest.raises(ValidationFailed) as caught:
        product(name="", price="free", stock=-1)
    assert ["name", "price", "stock"] == [each.field for each in caught.value.violations]


def test_values_are_kept_in_one_form() -> None:
    """Text is trimmed, and a price has two decimals, for every way to make a product."""
    assert product(name="Widget A", price=Decimal("9.00")) == product(name=" Widget A\n", price=9)


def test_a_sku_belongs_to_one() -> None:
    """Neither a creation nor an edit can take what another holds."""
    for command in (create(PRODUCT, sku="B"), set_sku(1, "B")):
        (error,) = decided(command, current=SHELF).results
        assert isinstance(error, AlreadyExists)
        assert ("sku B already belongs to product 2", 2) == (error.message, error.owner)


def test_a_sku_cannot_be_taken_twice_in_one_batch() -> None:
    """The first of two takers holds it."""
    first, second = decided(create(PRODUCT, sku="C"), create(PRODUCT, sku="C"), atomic=False).results
    assert isinstance(first, Decided)
    assert isinstance(second, AlreadyExists)
    assert 100 == second.owner


def test_a_sku_that_was_given_up_is_free() -> None:
    """Later commands can take a sku that an edit or a deletion gave up."""
    assert decided(set_sku(1, None), create(PRODUCT, sku="A"), current=SHELF).failed is None
    assert decided(Delete(entity_type=PRODUCT, id=1), set_sku(2, "A"), current=SHELF).failed is None


def test_skus_can_be_swapped() -> None:
    """Two products swap their skus in one batch, by way of none."""
    decision = decided(set_sku(1, None), set_sku(2, "A"), set_sku(1, "B"), current=SHELF)
    assert {1: "B", 2: "A"} == {each.id: product_of(each).sku for each in decision.changes}


def test_keeping_ones_own_sku() -> None:
    """An edit that sends the sku that the product has already is no clash."""
    assert decided(Edit(entity_type=PRODUCT, id=1, values={"sku": "A", "name": "New"}), current=SHELF).failed is None


def test_an_edit_of_something_else_keeps_the_sku() -> None:
    """A product that was edited in the same batch still owns its sku."""
    edit = Edit(entity_type=PRODUCT, id=1, values={"name": "New"})
    _, error = decided(edit, create(PRODUCT, sku="A"), current=SHELF, atomic=False).results
    assert isinstance(error, AlreadyExists)
    assert 1 == error.owner


def test_a_restored_sku_may_be_taken() -> None:
    """A restored product claims its sku again, and conflicts with a product that took it meanwhile."""
    gone = {**SHELF, (PRODUCT, 3): Deleted(product(id=3, sku="B", version=2))}
    (error,) = decided(Restore(entity_type=PRODUCT, id=3), current=gone).results
    assert isinstance(error, AlreadyExists)
    assert decided(set_sku(2, None), Restore(entity_type=PRODUCT, id=3), current=gone).failed is None
