"""Adjusting stock by a difference."""

import pytest
from attrs import evolve

from domain.errors import InsufficientStock, StockNotTracked, ValidationFailed
from domain.product import MAX_STOCK
from domain.state import State
from domain.stock import CHANGE, AdjustStock
from tests.builders import LATER, product


@pytest.mark.parametrize(
    ("stock", "change", "left"),
    [(5, -5, 0), (5, -2, 3), (0, MAX_STOCK, MAX_STOCK), (MAX_STOCK, -MAX_STOCK, 0), (MAX_STOCK - 1, 1, MAX_STOCK)],
)
def test_adding(stock: int, change: int, left: int) -> None:
    """The difference is added, to the very limits."""
    before = product(stock=stock)
    after = AdjustStock(id=1, change=change).decide(State.of(before), LATER)
    assert evolve(before, stock=left, version=2, updated_at=LATER) == after


def test_adding_nothing() -> None:
    """A difference of zero changes nothing, so the very same product stands."""
    before = product(stock=5)
    assert before is AdjustStock(id=1, change=0).decide(State.of(before), LATER)


def test_never_below_zero() -> None:
    """More than there is cannot be taken."""
    with pytest.raises(InsufficientStock, match=r"^stock is 5, which is not enough for a change of -6$"):
        AdjustStock(id=1, change=-6).decide(State.of(product(stock=5)), LATER)


def test_never_above_the_limit() -> None:
    """A stock above the limit is a violation of `change`."""
    with pytest.raises(ValidationFailed) as caught:
        AdjustStock(id=1, change=1).decide(State.of(product(stock=MAX_STOCK)), LATER)
    assert [("change", "out_of_range")] == [(violation.field, violation.code) for violation in caught.value.violations]


@pytest.mark.parametrize("change", [-1, 0, 1])
def test_untracked_stock_has_no_sum(change: int) -> None:
    """A product whose stock is not tracked cannot be adjusted, whatever the difference."""
    with pytest.raises(StockNotTracked, match=r"^the stock of product 4 is not tracked$"):
        AdjustStock(id=4, change=change).decide(State.of(product(id=4)), LATER)


@pytest.mark.parametrize("change", [CHANGE.least, 0, CHANGE.most])
def test_documents(change: int) -> None:
    """A document holds the difference, up to the whole range of stock in either direction."""
    assert AdjustStock(id=1, change=change) == AdjustStock.parse(1, {"change": change})


@pytest.mark.parametrize(
    ("raw", "violations"),
    [
        ({}, [("change", "required")]),
        ({"change": None}, [("change", "required")]),
        ({"change": CHANGE.most + 1}, [("change", "out_of_range")]),
        ({"change": CHANGE.least - 1}, [("change", "out_of_range")]),
        ({"change": "1"}, [("change", "wrong_type")]),
        ({"change": True}, [("change", "wrong_type")]),
        ({"change": 1, "stock": 5}, [("stock", "unknown_field")]),
        ({"stock": 5, "id": 1}, [("stock", "unknown_field"), ("id", "unknown_field"), ("change", "required")]),
    ],
)
def test_broken_documents(raw: dict[str, object], violations: list[tuple[str, str]]) -> None:
    """One error names all other fields in the document, and a difference that is no whole number."""
    with pytest.raises(ValidationFailed) as caught:
        AdjustStock.parse(1, raw)
    assert violations == [(violation.field, violation.code) for violation in caught.value.violations]
