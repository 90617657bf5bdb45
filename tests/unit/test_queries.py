"""Queries, as the domain defines them."""

from datetime import date
from typing import Any

import pytest

from domain.entity_type import SEPARATOR
from domain.product import PRODUCT
from domain.queries import Condition, Operator, Order, Query, Segment, Side, compare, matches, segments
from domain.task import TASK, Priority, Status
from tests.builders import product, task

TITLE, STATUS, DUE = (TASK.by_name[name] for name in ("title", "status", "due"))
SIX_ORDERED = [Operator.EQ, Operator.GTE, Operator.GT, Operator.LTE, Operator.LT, Operator.IN]


@pytest.mark.parametrize(
    ("operator", "held"),
    [
        (Operator.EQ, [False, True, False, False]),
        (Operator.GTE, [False, True, True, True]),
        (Operator.GT, [False, False, True, True]),
        (Operator.LTE, [True, True, False, False]),
        (Operator.LT, [True, False, False, False]),
    ],
)
def test_comparisons(operator: Operator, held: list[bool]) -> None:
    """Values compare in the order in which they sort."""
    assert held == [Condition(STATUS, operator, Status.IN_PROGRESS).holds(status) for status in Status]


def test_membership() -> None:
    """A value is one of those that are listed, or not."""
    condition = Condition(STATUS, Operator.IN, (Status.DONE, Status.PENDING))
    assert [True, False, True, False] == [condition.holds(status) for status in Status]


def test_emptiness() -> None:
    """A field can be asked to be empty, or not to be."""
    today = date(2026, 1, 31)
    assert [True, False] == [Condition(DUE, Operator.NULL, True).holds(value) for value in (None, today)]
    assert [False, True] == [Condition(DUE, Operator.NULL, False).holds(value) for value in (None, today)]


@pytest.mark.parametrize("operator", SIX_ORDERED)
def test_an_empty_field_compares_with_nothing(operator: Operator) -> None:
    """No comparison holds for an empty field."""
    operand: Any = (date.min, date.max) if operator is Operator.IN else date.max
    assert not Condition(DUE, operator, operand).holds(None)


def test_text_equals_exactly_and_orders_by_its_fold() -> None:
    """Equality minds the case; order does not."""
    assert not Condition(TITLE, Operator.EQ, "abc").holds("ABC")
    assert not Condition(TITLE, Operator.IN, ("abc",)).holds("ABC")
    assert Condition(TITLE, Operator.GTE, "abc").holds("ABC")
    assert not Condition(TITLE, Operator.GT, "abc").holds("ABC")
    assert Condition(TITLE, Operator.LT, "strasse2").holds("STRAẞE1")


def test_a_place_is_made_of_keys() -> None:
    """A position holds the sort keys of the entity, empty fields as they are, and its id."""
    query = Query(entity_type=TASK, order=(Order(TITLE), Order(DUE, descending=True), Order(STATUS)))
    assert ("strasse", None, 2, 7) == query.position(task(id=7, title="STRASSE", status=Status.DONE))


ORDER = (Order(STATUS, descending=True), Order(DUE))


@pytest.mark.parametrize("descending", [True, False])
def test_empty_fields_come_last_in_either_direction(descending: bool) -> None:
    """The direction reverses the values, but neither the empty fields nor the ids."""
    places = [("a", 2), ("a", 9), ("b", 1), (None, 3), (None, 4)]
    expected = [("b", 1), ("a", 2), ("a", 9), (None, 3), (None, 4)] if descending else places
    order = (Order(DUE, descending=descending),)
    for index, one in enumerate(expected):
        for other in expected[index + 1 :]:
            assert compare(order, one, other) < 0 < compare(order, other, one)
        assert 0 == compare(order, one, one)


def test_segments_of_a_first_page() -> None:
    """Without a position there is nothing to cut."""
    assert [] == list(segments(Query(entity_type=TASK, order=ORDER)))


def test_segments_by_id() -> None:
    """Without an order only the ids matter."""
    assert [Segment(same=(), side=Side.SAME, key=7)] == list(segments(Query(entity_type=TASK, after=(7,))))


def test_segments_of_an_order() -> None:
    """Equal keys come first, then the range of each field, from the last to the first, with empty fields behind."""
    day = date(2026, 1, 31)
    assert [
        Segment(same=(2, day), side=Side.SAME, key=7),
        Segment(same=(2,), side=Side.BEYOND, key=day),
        Segment(same=(2,), side=Side.NULL, key=None),
        Segment(same=(), side=Side.BEYOND, key=2),
    ] == list(segments(Query(entity_type=TASK, order=ORDER, after=(2, day, 7))))


def test_segments_behind_an_empty_field() -> None:
    """Nothing sorts behind an empty field but greater ids and what differs before it."""
    assert [
        Segment(same=(2, None), side=Side.SAME, key=7),
        Segment(same=(), side=Side.BEYOND, key=2),
    ] == list(segments(Query(entity_type=TASK, order=ORDER, after=(2, None, 7))))


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", True),
        ("Straße", True),
        ("STRASSE", True),
        ("ＳＴＲ", True),
        ("rasse 5", True),
        ("%", False),
        ("_", False),
        ("strase", False),
        ("5 wide", False),
        (f"5{SEPARATOR}wide", False),
        (SEPARATOR, False),
        ("\x00", False),
        ("\ud800", False),
    ],
)
def test_searching(search: str, found: bool) -> None:
    """A search finds substrings of the folded text within one field, and takes no character for a pattern."""
    assert found is matches(Query(entity_type=TASK, search=search), task(title="Hauptstraße 5", notes="wide"))


def test_every_condition_must_hold() -> None:
    """Conditions and search narrow each other down."""
    done = Condition(STATUS, Operator.EQ, Status.DONE)
    high = Condition(TASK.by_name["priority"], Operator.EQ, Priority.HIGH)
    query = Query(entity_type=TASK, where=(done, high), search="floor")
    assert matches(query, task(status=Status.DONE, priority=Priority.HIGH))
    assert not matches(query, task(status=Status.DONE))
    assert not matches(query, task(status=Status.DONE, priority=Priority.HIGH, title="Door"))


def test_products_are_searched_by_sku_too() -> None:
    """The name, the sku and the description of a product are looked through."""
    assert matches(Query(entity_type=PRODUCT, search="w-1"), product(sku="W-1"))
    assert not matches(Query(entity_type=PRODUCT, search="general"), product())
