"""Schemas for the OpenAPI document, made from the field types that also validate."""

from typing import Any

import orjson

from adapters.http.openapi.declarations import Schema
from adapters.http.openapi.patterns import ONE_LINE, SENT_URL, URL, amount_pattern, text_pattern
from domain.decisions import MAX_COMMANDS
from domain.entity_type import MAX_ID, EntityType, Field
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
)
from domain.parsing import MOST_COMPARED, MOST_COUNTED, TIMESTAMP
from domain.queries import MAX_LISTED_VALUES, Operator
from domain.stock import CHANGE, REASON

POSITION: dict[str, Any] = {
    "type": "string",
    "description": "How far it has been delivered. It moves on without a new version, so that history is without it.",
}
TIME: Schema = {"type": "string", "format": "date-time", "pattern": r"\.[0-9]{6}Z$"}
SECRET: dict[str, Any] = {"type": "string", "pattern": "^whsec_[A-Za-z0-9+/]+=*$", "description": "Shown this once."}
# Not `multipleOf: 0.01`: validators that divide floats would refuse 0.29.
_CENTS = "At most two decimals, by value: 9.990 is 9.99, and 9.999 is refused."


def ref(name: str) -> Schema:
    """Return a reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def field_type_schema(field_type: FieldType, *, sent: bool = False) -> dict[str, Any]:
    """Return the schema of a field type's values: as responses hold them or, with `sent`, as clients may send them."""
    match field_type:
        case Url(most=most):
            return {"type": "string", "pattern": SENT_URL if sent else URL, **_length(0, most, sent=sent)}
        case Boolean():
            return {"type": "boolean"}
        case ListOf(known=known):
            return {"type": "array", "items": {"enum": list(known)}, "uniqueItems": True}
        case String(least=least, most=most):
            return {"type": "string", "pattern": text_pattern(field_type), **_length(least, most, sent=sent)}
        case EnumField(by_value=by_value):
            return {"type": "string", "enum": list(by_value)}
        case Integer(least=least, most=most):
            return {"type": "integer", "minimum": least, "maximum": most}
        case Money(most=most):
            number = {"type": "number", "minimum": 0, "maximum": float(most)}
            text = {"type": "string", "pattern": amount_pattern(most)}
            return {"anyOf": [number, text], "description": _CENTS} if sent else number
        case Date():
            return {"type": "string", "format": "date"}
        case Timestamp():
            return dict(TIME)
        case _:
            raise TypeError(field_type)


def _length(least: int, most: int, *, sent: bool) -> dict[str, Any]:
    """Return the length limits of a text. The maximum of a `sent` text is in words: no keyword counts trimmed text."""
    if sent:
        return {"minLength": least, "description": f"At most {most:,} characters, once it is trimmed."}
    return {"minLength": least, "maxLength": most}


def field_schema(field: Field, *, sent: bool, owner: str = "") -> dict[str, Any]:
    """Return the schema of a field. The choices of an `owner`, the name of an entity, are a component."""
    schema = _choices_of(field, owner) or field_type_schema(field.field_type, sent=sent)
    meaning = {"description": field.meaning} if field.meaning else {}
    if field.nullable or (sent and not field.required and not field.read_only):
        return {"anyOf": [schema, {"type": "null"}], **meaning}
    return {**schema, **meaning}


def _choices_of(field: Field, owner: str) -> dict[str, Any] | None:
    """Return a reference to the choices of a field, because generators make one type of each component."""
    return dict(ref(_choices_name(field, owner))) if owner and isinstance(field.field_type, EnumField) else None


def _choices_name(field: Field, owner: str) -> str:
    return owner + field.name.title().replace("_", "")


STOCK: dict[str, Any] = {
    "change": field_type_schema(CHANGE),
    "reason": {
        "anyOf": [field_type_schema(REASON, sent=True), {"type": "null"}],
        "description": "Why: sold, received, counted, broken, returned, or own text. It is kept in the change.",
    },
}


def entity_schemas(entity_type: EntityType[Any]) -> dict[str, Schema]:
    """Return the components of an entity type: its choices, as it is returned, as it is created, as it is edited."""
    name = entity_type.entity.__name__
    answered = {field.name: field_schema(field, sent=False, owner=name) for field in entity_type.fields}
    required = list(answered)
    if entity_type.subscribes:
        answered |= {"cursor": POSITION}
    writable = {field.name: field_schema(field, sent=True, owner=name) for field in entity_type.writable}
    echoed = {name: {**schema, "readOnly": True} for name, schema in answered.items() if name not in writable}
    choices = [field for field in entity_type.fields if isinstance(field.field_type, EnumField)]
    schemas = {
        **{_choices_name(field, name): field_type_schema(field.field_type) for field in choices},
        name: object_schema(answered, required),
        f"{name}Create": object_schema(
            {field.name: _with_default(writable[field.name], field) for field in entity_type.writable},
            [field.name for field in entity_type.required],
        ),
        f"{name}Edit": object_schema({**writable, **echoed}, []),
        f"{name}Change": change_schema(entity_type),
    }
    if entity_type.subscribes:
        created = object_schema({**answered, "secret": SECRET}, [*answered, "secret"])
        return {**schemas, f"{name}Created": created}
    return {**schemas, f"{name}Bulk": bulk_schema(entity_type)}


def _with_default(schema: dict[str, Any], field: Field) -> dict[str, Any]:
    """Return the schema of a field of a new entity, with the value that the field has when it is not sent."""
    return schema if field.required else {**schema, "default": orjson.loads(orjson.dumps(field.default))}


def change_schema(entity_type: EntityType[Any]) -> Schema:
    """Return the schema of a change of an entity type."""
    name = entity_type.entity.__name__
    properties: dict[str, Schema] = {
        "cursor": {"type": "string"},
        "type": {"enum": list(entity_type.change_types)},
        "id": {"type": "integer"},
        "version": {"type": "integer"},
        "at": TIME,
        "request_id": {"type": "string"},
        "actor": {
            "anyOf": [ref("Actor"), {"type": "null"}],
            "description": "The key that made the change, if one was used.",
        },
        "changed": {"type": "array", "items": {"enum": [field.name for field in entity_type.writable]}},
        "data": ref(name),
    }
    optional = {"reason": field_type_schema(REASON)} if entity_type.stocked else {}
    return object_schema({**properties, **optional}, list(properties))


def bulk_schema(entity_type: EntityType[Any]) -> Schema:
    """Return the schema of a bulk request."""
    name = entity_type.entity.__name__
    id: Schema = {"type": "integer", "minimum": 1, "maximum": MAX_ID}
    create = object_schema({"op": {"const": "create"}, "body": ref(f"{name}Create")}, ["op", "body"])
    update = object_schema(
        {"op": {"const": "update"}, "id": id, "if_match": id, "body": ref(f"{name}Edit")}, ["op", "id", "body"]
    )
    delete, restore = (
        object_schema({"op": {"const": op}, "id": id, "if_match": id}, ["op", "id"]) for op in ("delete", "restore")
    )
    upsert = object_schema({"op": {"const": "upsert"}, "body": ref(f"{name}Edit")}, ["op", "body"])
    stock = object_schema({"op": {"const": "stock"}, "id": id, "if_match": id, **STOCK}, ["op", "id", "change"])
    some = [*([upsert] if entity_type.unique else []), *([stock] if entity_type.stocked else [])]
    operations = {
        "type": "array",
        "minItems": 1,
        "maxItems": MAX_COMMANDS,
        "items": {"oneOf": [_titled(each) for each in (create, update, delete, restore, *some)]},
    }
    atomic = {"type": "boolean", "description": "All or nothing, which is the default; or each for itself."}
    return object_schema({"atomic": atomic, "operations": operations}, ["operations"])


def _titled(operation: dict[str, Any]) -> Schema:
    """Return the schema of an operation with a title, because generators name their classes by it."""
    return {"title": operation["properties"]["op"]["const"].capitalize(), **operation}


def filter_schema(field: Field, operator: Operator, owner: str) -> Schema:
    """Return the schema of a filter's value. `owner` is the name of the entity."""
    if operator is Operator.NULL:
        return {"type": "boolean"}
    compared = _choices_of(field, owner) or _compared(field.field_type)
    if operator is Operator.IN:
        return {"type": "array", "items": compared, "minItems": 1, "maxItems": MAX_LISTED_VALUES}
    return compared


def _compared(field_type: FieldType) -> Schema:
    """Return the schema of the values that a filter may compare with. A filter accepts more than the field does."""
    match field_type:
        case String():
            return {"type": "string", "pattern": ONE_LINE}
        case Integer():
            return {"type": "integer", "minimum": -MOST_COUNTED, "maximum": MOST_COUNTED}
        case Money():
            # A string, because tools write floats with any number of digits, or with an exponent.
            return {"type": "string", "pattern": amount_pattern(MOST_COMPARED - 1, signed=True)}
        case Timestamp():
            return {"type": "string", "format": "date-time", "pattern": f"^{TIMESTAMP}$"}
        case _:
            return field_type_schema(field_type)


def listing(items: dict[str, Schema], *, followed: bool) -> Schema:
    """Return the schema of a page with these `items`. `followed` adds the URL of their changes."""
    rest: dict[str, Schema] = {
        "count": {"type": "integer", "minimum": 0},
        "total": {"type": "integer", "minimum": 0},
        "next": {"type": ["string", "null"]},
    }
    changes: dict[str, Schema] = {"changes": {"type": "string"}} if followed else {}
    return object_schema({**items, **rest, **changes}, [*items, "count", "next", *changes])


def object_schema(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    """Return the schema of an object that has no other properties."""
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


_PROBLEM: Schema = {
    "type": "object",
    "description": "A problem (RFC 9457).",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
        "error": {"type": "string", "description": "The same text as `detail`."},
        "errors": {"type": "array", "items": ref("Violation")},
        "errors_omitted": {"type": "integer", "minimum": 1, "description": "How many more errors there are."},
        "current": {"type": "object"},
        "changed": {"type": "array", "items": {"type": "string"}},
        "failed_index": {"type": "integer", "minimum": 0},
        "failures": {
            "type": "array",
            "description": "Every operation of a bulk that failed; the first is the problem itself.",
            "items": ref("Failure"),
        },
    },
    "required": ["type", "title", "status", "detail", "code", "request_id", "error"],
    "additionalProperties": False,
}

SHARED: dict[str, Schema] = {
    "Problem": _PROBLEM,
    "Violation": object_schema(
        {
            "in": {"enum": ["body", "path", "query"]},
            "pointer": {"type": "string"},
            "parameter": {"type": "string"},
            "code": {"type": "string"},
            "detail": {"type": "string"},
        },
        ["in", "code", "detail"],
    ),
    "Failure": object_schema(
        {"index": {"type": "integer"}, "status": {"type": "integer"}, "body": ref("Problem")},
        ["index", "status", "body"],
    ),
    "Actor": object_schema({"key": {"type": "integer", "minimum": 1}, "name": {"type": "string"}}, ["key", "name"]),
}
"""The components that many operations refer to."""
