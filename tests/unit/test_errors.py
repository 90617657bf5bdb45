"""Errors say what went wrong in words, and carry it as facts."""

import pytest

from domain import errors
from domain.access.errors import LastAdminKey, TooManyKeys
from domain.calendar import TooManyCalendars
from domain.errors import DomainError, ValidationFailed, Violation, Violations
from tests.builders import task

EVERY_ERROR: list[DomainError] = [
    ValidationFailed(violations=(Violation(field="title", code="required", reason="is required"),)),
    errors.NotFound(entity_type="task", id=1),
    errors.NotDeleted(entity_type="task", id=1),
    errors.AlreadyExists(entity_type="product", field="sku", value="A", owner=2),
    errors.PreconditionFailed(current=task(), expected=2),
    errors.PreconditionRequired(name="If-Match"),
    errors.InsufficientStock(id=1, stock=1, change=-2),
    errors.StockNotTracked(id=1),
    LastAdminKey(),
    TooManyKeys(most=1000),
    TooManyCalendars(),
    errors.BadParameter("parameter limit is repeated"),
    errors.ParameterOutOfRange(parameter="limit", reason="must be from 1 to 1000"),
    errors.KeyReused(),
    errors.KeyInFlight(),
    errors.BadCursor(),
    errors.CursorExpired(),
    errors.Unavailable(),
    errors.StorageFull(),
]


def test_every_error_is_listed_here() -> None:
    """No error escapes the tests below."""
    assert set(DomainError.__subclasses__()) == {type(error) for error in EVERY_ERROR}


@pytest.mark.parametrize("error", EVERY_ERROR, ids=lambda error: error.code)
def test_every_error_speaks(error: DomainError) -> None:
    """Each has a message of one line without a full stop, which is also its text."""
    assert error.message == str(error)
    assert error.message
    assert "\n" not in error.message
    assert not error.message.endswith(".")


def test_very_many_violations() -> None:
    """The first hundred are told, those that come first before all others, and how many more there are."""
    found = Violations()
    for number in range(250):
        found.add(f"f{number}", "unknown_field", "is not a field")

    error = found.failure([Violation(field="title", code="required", reason="is required")])

    assert ["title", *(f"f{number}" for number in range(99))] == [each.field for each in error.violations]
    assert 151 == error.omitted
    assert error.message.startswith("title is required; f0 is not a field; ")
    assert error.message.endswith("; f98 is not a field; and 151 more")
    assert (3, 248) == (len(error.shortened(3).violations), error.shortened(3).omitted)
    assert error.violations == error.shortened(100).violations


def test_a_very_long_name() -> None:
    """A name that fills a body is told by its beginning."""
    found = Violations()
    found.add("x" * 1_000_000, "unknown_field", "is not a field")

    assert f"{'x' * 100}… is not a field" == found.failure().message


def test_codes_are_unique() -> None:
    """Programs can tell errors apart by their codes; a parameter out of range is invalid, as a value is."""
    codes = [error.code for error in EVERY_ERROR if not isinstance(error, errors.ParameterOutOfRange)]
    assert len(codes) == len(set(codes))


def test_which_outcomes_the_store_decided() -> None:
    """An idempotency key keeps errors that depend on the state of the store, and no others."""
    expected = {
        "not_found",
        "not_deleted",
        "already_exists",
        "precondition_failed",
        "insufficient_stock",
        "stock_not_tracked",
    }
    assert expected == {error.code for error in EVERY_ERROR if error.decided}


def violation(field: str, code: str = "required", reason: str = "is required") -> Violation:
    """Return a violation, by default a missing field."""
    return Violation(field=field, code=code, reason=reason)


@pytest.mark.parametrize(
    ("violations", "message"),
    [
        ([violation("title")], "title is required"),
        ([violation("name"), violation("price")], "name and price are required"),
        ([violation("a"), violation("b"), violation("c")], "a, b and c are required"),
        (
            [
                violation("due", "not_a_date", "must be a date"),
                violation("title"),
                violation("x", "unknown_field", "is new"),
            ],
            "title is required; due must be a date; x is new",
        ),
    ],
)
def test_breaches_read_as_sentences(violations: list[Violation], message: str) -> None:
    """Missing fields come first and together, then all other violations."""
    assert message == ValidationFailed(violations=tuple(violations)).message


def test_a_breach_reads_as_a_sentence() -> None:
    """One violation is named by its field and its reason."""
    assert "title is required" == violation("title").detail


def test_the_base_says_nothing() -> None:
    """Every error must find its own words."""
    with pytest.raises(NotImplementedError):
        DomainError().message  # noqa: B018 - reading it is what raises


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (errors.NotFound(entity_type="task", id=1), "Task not found"),
        (
            errors.NotFound(entity_type="task", id=1, undone=True),
            "Task not found: an earlier operation of this request had deleted it",
        ),
        (
            errors.AlreadyExists(entity_type="product", field="sku", value="A", owner=2, undone=True),
            "an earlier operation of this request had taken sku A",
        ),
        (errors.PreconditionFailed(current=task(), expected=2), "version is 1, not 2"),
        (
            errors.PreconditionFailed(current=task(), expected=None, unknown=('"a"', '"02"')),
            'version is 1, and "a", "02" names no version',
        ),
        (
            errors.PreconditionFailed(current=task(), expected=1, undone=True),
            "an earlier operation of this request had changed what is version 1 again now",
        ),
    ],
)
def test_messages_tell_what_is_stored(error: DomainError, message: str) -> None:
    """A message names no version and no entity that was undone, and no version that nobody named."""
    assert message == error.message
