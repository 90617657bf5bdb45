"""The values that cells stand for."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from adapters.serialization.cells import CellParser
from domain.field_types import Boolean, Date, FieldType, Integer, ListOf, Money, String, Timestamp, ValidationError
from domain.product import PRODUCT
from domain.task import TASK, Status

PRICE = PRODUCT.by_name["price"].field_type


@pytest.mark.parametrize(
    ("field_type", "text", "value"),
    [
        (String(0, 9), " a ", " a "),
        (TASK.by_name["status"].field_type, " done ", Status.DONE),
        (Date(), " 2026-12-31", date(2026, 12, 31)),
        (Timestamp(), "2026-12-31T12:00:00+01:00", datetime(2026, 12, 31, 11, tzinfo=UTC)),
        (Integer(0, 9), " 7 ", 7),
        (Integer(-9, 9), "-7", -7),
        (Boolean(), "true", True),
        (ListOf(("a", "b")), '["b","a"]', ["b", "a"]),
        (PRICE, "1234.5", Decimal("1234.5")),
        (PRICE, "-1", Decimal(-1)),
    ],
)
def test_values(field_type: FieldType, text: str, value: object) -> None:
    """A cell has the form in which tables are written; spaces count in text alone. A second look finds the same."""
    parse = CellParser()
    assert value == parse(field_type, text) == parse(field_type, text)


@pytest.mark.parametrize(
    ("decimal", "text", "value"),
    [(",", "9,99", "9.99"), (",", "9", "9"), (",", "0,5", "0.5"), (".", "9.99", "9.99")],
)
def test_decimal_sign(decimal: str, text: str, value: str) -> None:
    """Amounts have the decimal sign that was named, and at most two decimals."""
    assert Decimal(value) == CellParser(decimal)(PRICE, text)


@pytest.mark.parametrize("decimal", [",", "."])
@pytest.mark.parametrize(
    "text", ["1.234,50", "1,234.50", "1 234", "1'234", "1.234", "1,234", "9,", ".5", "1e3", "NaN", "9 €", "٩", ""]
)
def test_what_could_be_misread(decimal: str, text: str) -> None:
    """A number with signs between thousands, or in any other form, is refused, and an example is told."""
    with pytest.raises(ValidationError, match=f"such as 1234{decimal}50"):
        CellParser(decimal)(PRICE, text)


@pytest.mark.parametrize("decimal", [",", "."])
def test_the_other_sign(decimal: str) -> None:
    """An amount with the other decimal sign is refused."""
    with pytest.raises(ValidationError):
        CellParser(decimal)(PRICE, "9.99" if decimal == "," else "9,99")


@pytest.mark.parametrize(
    ("field_type", "text"),
    [(Integer(0, 9), "7.0"), (Integer(0, 9), "٧"), (Boolean(), "yes"), (ListOf(("a",)), "a,b"), (Date(), "31.12.2026")],
)
def test_what_stands_for_no_value(field_type: FieldType, text: str) -> None:
    """It is refused, by the cell or by the field type."""
    with pytest.raises(ValidationError):
        field_type.check(CellParser()(field_type, text))


def test_a_huge_number() -> None:
    """A number of very many digits is out of range, at once."""
    with pytest.raises(ValidationError, match="must be from 0 to 9"):
        CellParser()(Integer(0, 9), "9" * 5000)


def test_other_values_are_passed_on() -> None:
    """What is no text is left to the field type."""
    values: list[Any] = [None, 7, True]
    assert values == [CellParser()(Money(Decimal(9)), each) for each in values]
