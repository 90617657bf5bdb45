"""Serialization of entities, and reading them back."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

import orjson

from adapters.serialization.times import timestamp
from domain.entity_type import E, Entity, EntityType
from domain.field_types import Date, EnumField, FieldType, ListOf, Money, Timestamp
from domain.stored_entity import Serializer

_CENT = Decimal("0.01")


def extended(document: str, name: str, value: str) -> str:
    """Return the document of an entity with one more field, which is not part of the entity."""
    return f"{document[:-1]},{orjson.dumps(name).decode()}:{orjson.dumps(value).decode()}}}"


class JsonSerializer(Serializer):
    """Documents as JSON, exactly as HTTP answers them."""

    def __init__(self, entity_types: Iterable[EntityType[Any]]) -> None:
        self._forms = {entity_type: _Form(entity_type) for entity_type in entity_types}

    def write(self, entity: Entity) -> str:
        return orjson.dumps(self._forms[entity.entity_type].plain(entity)).decode()

    def read(self, entity_type: EntityType[E], document: str) -> E:
        entity: E = entity_type.entity.trusted(self._forms[entity_type].values(orjson.loads(document)))
        return entity


class _Form:
    """The conversion of one entity type. Dates, choices and lists need none: orjson writes them."""

    def __init__(self, entity_type: EntityType[Any]) -> None:
        self._blank = dict.fromkeys(entity_type.by_name)  # in the order of the fields
        self._defaults = entity_type.defaults
        writers = ((field.name, _writer(field.field_type)) for field in entity_type.fields)
        self._writers = [(name, write) for name, write in writers if write is not None]
        readers = ((field.name, _reader(field.field_type)) for field in entity_type.fields)
        self._readers = [(name, read) for name, read in readers if read is not None]

    def plain(self, entity: Entity) -> dict[str, Any]:
        """Return the values of an entity in a form that JSON can hold."""
        values = {**self._blank, **vars(entity)}
        for name, write in self._writers:
            if (value := values[name]) is not None:
                values[name] = write(value)
        return values

    def values(self, raw: dict[str, Any]) -> dict[str, Any]:
        """Return the values of a document; a missing field gets its default. Raises `ValueError` and `KeyError`."""
        try:
            for name, read in self._readers:
                if (value := raw.get(name)) is not None:
                    raw[name] = read(value)
        except (ValueError, LookupError, TypeError, ArithmeticError) as error:
            raise ValueError(f"{name} is {raw[name]!r}") from error
        values = {**self._defaults, **raw}
        return values if values.keys() == self._blank.keys() else {name: values[name] for name in self._blank}


def _writer(field_type: FieldType) -> Callable[[Any], Any] | None:
    match field_type:
        case Money():
            return float  # a double keeps 11 digits exactly
        case Timestamp():
            return timestamp
        case EnumField():
            return attrgetter("_value_")  # orjson asks for `value`, which Python computes
        case _:
            return None


def _reader(field_type: FieldType) -> Callable[[Any], Any] | None:
    match field_type:
        case Money():
            return lambda number: Decimal(str(number)).quantize(_CENT)
        case Timestamp():
            return datetime.fromisoformat
        case Date():
            return date.fromisoformat
        case EnumField(by_value=by_value):
            return by_value.__getitem__
        case ListOf():
            return tuple
        case _:
            return None
