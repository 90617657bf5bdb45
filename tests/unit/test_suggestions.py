"""Suggestions for an unknown name."""

from domain.suggestions import MAX_COMPARED, suggestion, unknown_field
from domain.task import TASK

FIELDS = f"there are {', '.join(TASK.writable_names)}"


def test_the_nearest() -> None:
    """The nearest name is what was probably meant, whatever its case; all are named, too."""
    for name, expected in (
        ("titel", f"did you mean title? {FIELDS}"),
        ("STATUS", f"did you mean status? {FIELDS}"),
        ("colour", FIELDS),
        ("title" * MAX_COMPARED, FIELDS),
        ("", FIELDS),
    ):
        assert expected == suggestion(name, TASK.writable_names)
    assert f"is not a field ({FIELDS})" == unknown_field("colour", TASK.writable_names)


def test_a_choice_of_what_is_told() -> None:
    """The nearest name may be one that the list does not show."""
    known, told = ("due", "due[lt]", "due[gt]"), ("due",)
    assert "did you mean due[lt]? there are due" == suggestion("due[ltt]", known, told)
    assert "there are due" == suggestion("colour", known, told)
