"""Value objects are equal by their fields, and stay as they are."""

from domain.value_object import value_object


@value_object
class Point:
    """Two numbers."""

    x: int
    y: int = 0


def test_equal_by_its_fields() -> None:
    """It equals another with the same fields, which a set then holds once."""
    assert Point(1) == Point(1, 0) != Point(1, 2)
    assert {Point(1), Point(1, 2)} == {Point(1), Point(1, 0), Point(1, 2)}


def test_the_type_checker_refuses_to_set_a_field() -> None:
    """Strict mypy complains of a comment that hides no error, so the one here proves the error."""
    point = Point(1)
    point.x = 2  # type: ignore[misc]
    assert Point(2) == point
