"""Filters as clients write them, such as `status=done` and `due[lte]=2026-12-31`."""

from collections.abc import Iterator, Mapping

from domain.entity_type import Entity, EntityType, Field
from domain.errors import BadParameter, ParameterOutOfRange
from domain.field_types import Date, EnumField, FieldType, Integer, Money, Timestamp, ValidationError
from domain.parameters import parameters
from domain.parsing import from_text
from domain.queries import MAX_LISTED_VALUES, Condition, Operator

_BOOLEANS = {"true": True, "false": False}


def filters(entity_type: EntityType[Entity]) -> Iterator[tuple[str, Field, Operator]]:
    """Return every filter of an entity type: its name, its field and its operator."""
    for field in entity_type.fields:
        if field.listed:
            yield field.name, field, Operator.EQ
            yield from ((f"{field.name}[{each.value}]", field, each) for each in Operator if each is not Operator.EQ)


class Filters:
    """The filters of one entity type."""

    def __init__(self, entity_type: EntityType[Entity]) -> None:
        self._filters = {name: (field, operator) for name, field, operator in filters(entity_type)}
        self.names = tuple(self._filters)

    def parse(self, text: str) -> tuple[Condition, ...]:
        """Return the conditions of filters that are joined by `&`. Raises `BadParameter`, `ParameterOutOfRange`."""
        return self.conditions(parameters(text, self.names))

    def conditions(self, parameters: Mapping[str, str]) -> tuple[Condition, ...]:
        """Return the conditions of those parameters that are filters. Raises the same."""
        return tuple(self._condition(name, text) for name, text in parameters.items() if name in self._filters)

    def _condition(self, name: str, text: str) -> Condition:
        field, operator = self._filters[name]
        if operator is Operator.NULL:
            return Condition(field, operator, boolean(name, text))
        if operator is not Operator.IN:
            return Condition(field, operator, _value(name, field, text))
        texts = text.split(",")
        if len(texts) > MAX_LISTED_VALUES:
            raise ParameterOutOfRange(parameter=name, reason=f"must have at most {MAX_LISTED_VALUES} values")
        return Condition(field, operator, tuple(_value(name, field, each) for each in texts))


def boolean(name: str, text: str) -> bool:
    """Return the boolean of a parameter. Raises `BadParameter` for any other text."""
    if text not in _BOOLEANS:
        raise BadParameter(f"{name} must be true or false")
    return _BOOLEANS[text]


def _value(name: str, field: Field, text: str) -> object:
    try:
        return from_text(field.field_type, text)
    except ValueError:
        raise BadParameter(f"{name} must be {_needed(field.field_type)}, not {text[:100]!r}") from None
    except ValidationError as refused:
        raise ParameterOutOfRange(parameter=name, reason=refused.reason) from None


def _needed(field_type: FieldType) -> str:
    match field_type:
        case EnumField(by_value=by_value):
            return f"one of {', '.join(by_value)}"
        case Integer():
            return "a whole number"
        case Money():
            return "a number with at most two decimals"
        case Date():
            return "a date such as 2026-12-31"
        case Timestamp():
            return "a time such as 2026-12-31T23:59:59Z"
        case _:
            return "true or false"
