"""What is told of a name that is not known."""

from domain.suggestions import MAX_COMPARED, suggestion, unknown_field
from domain.task import TASK

FIELDS = f"there are {', '.join(TASK.writable_names)}"


def test_the_nearest() -> None:
    """The nearest name is what was probably meant, whatever its case; without one, all are named."""
    for name, expected in (
        ("titel", "did you mean title?"),
        ("STATUS", "did you mean status?"),
        ("colour", FIELDS),
        ("title" * MAX_COMPARED, FIELDS),
        ("", FIELDS),
    ):
        assert expected == suggestion(name, TASK.writable_names)
    assert f"is not a field ({FIELDS})" == unknown_field("colour", TASK.writable_names)


def test_a_choice_of_what_is_told() -> None:
    """What is near may be one of more than are told."""
    known, told = ("due", "due[lt]", "due[gt]"), ("due",)
    assert "did you mean due[lt]?" == suggestion("due[ltt]", known, told)
    assert "there are due" == suggestion("colour", known, told)
