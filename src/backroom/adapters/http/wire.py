"""How entities and changes look on the wire. This is the one place that says so."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from cattrs import Converter
from cattrs.gen import make_dict_unstructure_fn

from backroom.domain.catalogue import KINDS
from backroom.domain.changes import Entry
from backroom.domain.kinds import Kind


def timestamp(at: datetime) -> str:
    """Write a time in UTC as RFC 3339 says, always with its microseconds."""
    return at.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _converter() -> Converter:
    converter = Converter()
    converter.register_unstructure_hook(datetime, timestamp)
    converter.register_unstructure_hook(date, date.isoformat)
    converter.register_unstructure_hook(Decimal, float)  # up to 11 digits survive a double unharmed
    converter.register_unstructure_hook_func(lambda each: isinstance(each, type) and issubclass(each, Enum), _value)
    return converter


def _value(member: Enum) -> Any:
    return member.value


_CONVERTER = _converter()
_WRITERS: dict[type, Callable[[Any], dict[str, Any]]] = {
    kind.entity: make_dict_unstructure_fn(kind.entity, _CONVERTER) for kind in KINDS
}


def document(kind: Kind[Any], entity: Any) -> dict[str, Any]:
    """Return an entity as a document."""
    return _WRITERS[kind.entity](entity)


def change_document(entry: Entry) -> dict[str, Any]:
    """Return a change as a document."""
    change = entry.change
    return {
        "cursor": entry.cursor,
        "type": change.type,
        "id": change.entity.id,
        "version": change.entity.version,
        "at": timestamp(change.at),
        "request_id": change.request_id,
        "changed": list(change.changed),
        "data": document(change.kind, change.entity),
    }
