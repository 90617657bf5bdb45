"""Rules hold for whatever they are given."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.entity_type import EntityType, Field
from domain.field_types import Money, String, ValidationError
from domain.parsing import from_text, json_value
from domain.product import PRODUCT
from domain.registry import ENTITY_TYPES
from tests.properties.strategies import ANY_TEXT, values, written

FIELDS = [(entity_type, field) for entity_type in ENTITY_TYPES for field in entity_type.fields]
EVERY_FIELD = pytest.mark.parametrize(
    ("entity_type", "field"), FIELDS, ids=[f"{entity_type.name}-{each.name}" for entity_type, each in FIELDS]
)
RAW = (
    ANY_TEXT
    | st.integers()
    | st.decimals()
    | st.booleans()
    | st.lists(st.integers(), max_size=2)
    | st.dates().map(str)
    | st.datetimes().map(lambda at: f"{at.isoformat()}Z")
)
TEXTS = [
    pytest.param(field.field_type, id=f"{entity_type.name}-{field.name}")
    for entity_type, field in FIELDS
    if isinstance(field.field_type, String)
]
PRICE = PRODUCT.by_name["price"].field_type


@EVERY_FIELD
@given(data=st.data())
def test_what_a_rule_accepts_it_leaves_alone(entity_type: EntityType[Any], field: Field, data: st.DataObject) -> None:
    """Every value of a field is accepted as it is written, and comes out as it was."""
    value = data.draw(values(field.field_type))
    assert value == json_value(field.field_type, written(value))


@EVERY_FIELD
@given(raw=RAW)
def test_checking_twice_changes_nothing_more(entity_type: EntityType[Any], field: Field, raw: object) -> None:
    """Whatever is given, it is refused with a code and a reason, or becomes a value that is accepted as it is."""
    try:
        value = json_value(field.field_type, raw)
    except ValidationError as refused:
        code, reason = refused.code, refused.reason
        assert code
        assert reason
    else:
        assert value == json_value(field.field_type, written(value))


@pytest.mark.parametrize("field_type", TEXTS)
@given(raw=ANY_TEXT)
def test_accepted_text_satisfies_its_rule(field_type: String, raw: str) -> None:
    """Accepted text is trimmed, within its limits, and can be written as UTF-8."""
    try:
        text = json_value(field_type, raw)
    except ValidationError:
        return
    assert text == text.strip()
    assert field_type.least <= len(text) <= field_type.most
    assert text == text.encode().decode()
    assert "\x00" not in text
    assert "\r" not in text
    assert field_type.lines or len(text.splitlines()) <= 1


@given(
    st.decimals(allow_nan=False, allow_infinity=False) | st.decimals(0, 10**10, places=2) | st.decimals(0, 10, places=4)
)
def test_money_is_exact_or_refused(raw: Decimal) -> None:
    """An amount that is accepted is the very amount that was given, in cents."""
    assert isinstance(PRICE, Money)
    cents = Fraction(raw) * 100
    fits = 0 <= cents <= PRICE.most * 100 and cents.denominator == 1
    try:
        amount = json_value(PRICE, raw)
    except ValidationError:
        assert not fits
    else:
        assert fits
        assert Fraction(amount) == Fraction(raw)
        assert -2 == amount.as_tuple().exponent


@EVERY_FIELD
@given(text=ANY_TEXT)
def test_plain_text_is_read_or_is_not_of_the_type(entity_type: EntityType[Any], field: Field, text: str) -> None:
    """Reading a filter fails as it should or not at all, and what is read can be ordered."""
    try:
        value = from_text(field.field_type, text)
    except (ValueError, ValidationError):
        return
    assert field.field_type.key(value) == field.field_type.key(value)
