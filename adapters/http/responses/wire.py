"""How entities and changes look on the wire. This is the one place that says so."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any

import orjson
from cattrs import Converter
from cattrs.fns import identity
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn

from domain.changes import Entry
from domain.deliveries import Delivery
from domain.entity_type import EntityType
from domain.registry import ENTITY_TYPES
from domain.stored_entity import Serializer

_CENT = Decimal("0.01")


@lru_cache(256)  # one write has the same time in several places
def timestamp(at: datetime) -> str:
    """Write a time in UTC as RFC 3339 says, always with its microseconds."""
    return at.isoformat(timespec="microseconds")[:-6] + "Z"


def _converter() -> Converter:
    converter = Converter()
    converter.register_unstructure_hook(datetime, timestamp)
    converter.register_unstructure_hook(date, date.isoformat)
    converter.register_unstructure_hook(Decimal, float)  # up to 11 digits survive a double unharmed
    converter.register_unstructure_hook_func(_is_enum, identity)  # orjson writes their values
    converter.register_structure_hook(datetime, lambda text, _: datetime.fromisoformat(text))
    converter.register_structure_hook(date, lambda text, _: date.fromisoformat(text))
    converter.register_structure_hook(Decimal, lambda number, _: Decimal(str(number)).quantize(_CENT))
    return converter


def _is_enum(each: Any) -> bool:
    return isinstance(each, type) and issubclass(each, Enum)


_CONVERTER = _converter()
_WRITE: dict[type, Callable[[Any], dict[str, Any]]] = {
    entity_type.entity: make_dict_unstructure_fn(entity_type.entity, _CONVERTER) for entity_type in ENTITY_TYPES
}
_READ = {entity_type.entity: make_dict_structure_fn(entity_type.entity, _CONVERTER) for entity_type in ENTITY_TYPES}


def document(entity_type: EntityType[Any], entity: Any) -> dict[str, Any]:
    """Return an entity as a document that is not written yet."""
    return _WRITE[entity_type.entity](entity)


def extended(document: str, name: str, value: str) -> str:
    """Return the document of an entity with one more field, which no version of the entity holds."""
    return f"{document[:-1]},{orjson.dumps(name).decode()}:{orjson.dumps(value).decode()}}}"


class JsonSerializer(Serializer):
    """Documents as JSON, just as they are answered."""

    def write(self, entity_type: EntityType[Any], entity: Any) -> str:
        return orjson.dumps(_WRITE[entity_type.entity](entity)).decode()

    def read(self, entity_type: EntityType[Any], document: str) -> Any:
        return _READ[entity_type.entity](orjson.loads(document), entity_type.entity)


def delivery_document(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery as a document that is not written yet."""
    due = delivery.next_attempt_at
    return {
        "id": delivery.id,
        "message_id": delivery.message_id,
        "type": delivery.type,
        "status": delivery.status.value,
        "attempts": [
            {"at": timestamp(each.at), "status": each.status, "error": each.error, "duration_ms": each.duration_ms}
            for each in delivery.attempts
        ],
        "next_attempt_at": None if due is None else timestamp(due),
    }


def payload(delivery: Delivery, entry: Entry | None) -> bytes:
    """Return the body of a message to a webhook; without an entry, of one that only tells that it can be reached."""
    at = delivery.at if entry is None else entry.change.at
    data = f'{{"webhook":{delivery.webhook}}}' if entry is None else change_document(entry)
    return f'{{"type":"{delivery.type}","timestamp":"{timestamp(at)}","data":{data}}}'.encode()


def change_document(entry: Entry) -> str:
    """Return the document of a change."""
    change, actor = entry.change, entry.change.actor
    head = orjson.dumps(
        {
            "cursor": entry.cursor,
            "type": change.type,
            "id": change.record.id,
            "version": change.record.version,
            "at": timestamp(change.at),
            "request_id": change.request_id,
            "actor": actor and {"key": actor.key, "name": actor.name},
            "changed": list(change.changed),
            **({} if change.reason is None else {"reason": change.reason}),
        }
    ).decode()
    return f'{head[:-1]},"data":{change.record.document}}}'
