"""Parsing: values of field types from JSON and from plain text.

JSON holds text, numbers (as `int`, or as `Decimal` with every digit), booleans, lists and null. It writes dates, times
and choices as text. A value that needs no parsing is passed on, and the field type checks it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from domain.entity_type import E, EntityType, Field, Values
from domain.errors import ValidationFailed, Violation
from domain.field_types import (
    Boolean,
    Date,
    EnumField,
    FieldType,
    Integer,
    ListOf,
    Money,
    String,
    Timestamp,
    Url,
    ValidationError,
)
from domain.text import forbidden_character

DECIMALS = r"(\.[0-9]{1,2})?"
AMOUNT = f"[0-9]+{DECIMALS}"
"""An amount of money as text."""

TIMESTAMP = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
"""A point in time as text (RFC 3339, date-time)."""

# The range of operands in comparisons, far beyond the values of any field.
MOST_COUNTED = 2**63 - 1
MOST_COMPARED = 10**15


def parse(entity_type: EntityType[E], raw: Mapping[str, object], *, whole: bool) -> Values:
    """Return the values of the writable fields in a JSON object.

    With `whole`, every required field must be there. Raises `ValidationFailed` with every violation at once.
    """
    return entity_type.check(raw, whole=whole, parse=from_json)


def parse_fields(raw: Mapping[str, object], fields: Iterable[Field]) -> dict[str, Any]:
    """Return the values of a JSON object that holds some fields and nothing else; a missing field has its default.

    Raises `ValidationFailed` with every violation at once.
    """
    by_name = {field.name: field for field in fields}
    values: dict[str, Any] = {}
    violations = [
        Violation(field=name, code="unknown_field", reason=f"is not a field (there are {', '.join(by_name)})")
        for name in raw
        if name not in by_name
    ]
    for name, field in by_name.items():
        try:
            values[name] = field.check(raw.get(name), from_json)
        except ValidationError as refused:
            violations.append(field.violation(refused))
    if violations:
        raise ValidationFailed(violations=tuple(violations))
    return values


def from_json(field_type: FieldType, raw: object) -> object:
    """Return the value that a JSON value stands for, or the JSON value itself if it stands for none.

    Raises `ValidationError` for a text that has the form of the type, but is no value of it.
    """
    parser = _FROM_JSON.get(type(field_type))
    return raw if parser is None else parser(field_type, raw)


def json_value(field_type: FieldType, raw: object) -> Any:
    """Return the value that a JSON value stands for, in its stored form. Raises `ValidationError`."""
    return field_type.check(from_json(field_type, raw))


def from_text(field_type: FieldType, text: str) -> Any:
    """Return the value that plain text stands for, as the operand of a comparison.

    Raises `ValueError` for a text that is not of the type, `ValidationError` for a value out of range.
    """
    return _FROM_TEXT[type(field_type)](field_type, text)


def _member(field_type: EnumField, raw: object) -> object:
    return field_type.by_value.get(raw, raw) if isinstance(raw, str) else raw


def _integer(field_type: Integer, raw: object) -> object:
    if not isinstance(raw, Decimal) or not raw.is_finite():
        return raw
    field_type.check_range(raw)  # first, because an int of a billion digits takes all memory
    return int(raw) if raw == raw.to_integral_value() else raw


def _amount(_: Money, raw: object) -> object:
    return Decimal(raw) if isinstance(raw, str) and re.fullmatch(AMOUNT, raw) else raw


def _date(_: Date, raw: object) -> object:
    try:
        return _date_of(raw) if isinstance(raw, str) else raw
    except ValueError:
        raise ValidationError("not_a_date", Date.EXAMPLE) from None


def _timestamp(_: Timestamp, raw: object) -> object:
    try:
        return _timestamp_of(raw) if isinstance(raw, str) else raw
    except ValueError:
        raise ValidationError("not_a_time", Timestamp.EXAMPLE) from None


_FROM_JSON: Mapping[type[FieldType], Callable[[Any, object], object]] = {
    EnumField: _member,
    Integer: _integer,
    Money: _amount,
    Date: _date,
    Timestamp: _timestamp,
}


def _text(_: FieldType, text: str) -> str:
    if forbidden_character(text, lines=True) is not None:
        raise ValueError(text)
    return text


def _boolean(_: FieldType, text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


def _list(field_type: ListOf, text: str) -> tuple[str, ...]:
    try:
        return field_type.check(text.split(",") if text else ())
    except ValidationError:
        raise ValueError(text) from None


def _whole_number(_: FieldType, text: str) -> int:
    if not re.fullmatch(r"-?[0-9]+", text):
        raise ValueError(text)
    return int(_within(Decimal(text), MOST_COUNTED))


def _signed_amount(_: FieldType, text: str) -> Decimal:
    if not re.fullmatch(f"-?{AMOUNT}", text):
        raise ValueError(text)
    return _within(Decimal(text), MOST_COMPARED)


def _date_of(text: str) -> date:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError(text)
    return date.fromisoformat(text)


def _timestamp_of(text: str) -> datetime:
    if not re.fullmatch(TIMESTAMP, text):
        raise ValueError(text)
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError:
        raise ValueError(text) from None


_FROM_TEXT: Mapping[type[FieldType], Callable[[Any, str], Any]] = {
    String: _text,
    Url: _text,
    Boolean: _boolean,
    ListOf: _list,
    EnumField: lambda field_type, text: field_type.members(text),
    Integer: _whole_number,
    Money: _signed_amount,
    Date: lambda _, text: _date_of(text),
    Timestamp: lambda _, text: _timestamp_of(text),
}


def _within(number: Decimal, most: int) -> Decimal:
    if abs(number) > most:
        raise ValidationError("out_of_range", f"must be from -{most} to {most}")
    return number
