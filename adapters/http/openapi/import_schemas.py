"""Schemas of imports: a table as a client sends it, and what became of its rows."""

from collections.abc import Iterable
from typing import Any

from adapters.http.handlers.importing import DELIMITERS
from adapters.http.openapi.declarations import Schema
from adapters.http.openapi.schemas import object_schema, ref
from adapters.serialization.cells import DECIMAL_SIGNS
from domain.decisions import MAX_COMMANDS

_TEXT: Schema = {"type": "string"}
_LINE: Schema = {"type": "integer", "minimum": 1}
_LINE_OR_NULL: Schema = {"anyOf": [_LINE, {"type": "null"}]}


def import_schema(matches: Iterable[str]) -> Schema:
    """Return the schema of a table; `matches` are the fields that can tell which rows are there already."""
    optional: dict[str, Schema] = {
        "delimiter": {"enum": list(DELIMITERS), "default": DELIMITERS[0]},
        "decimal": _told("The sign in amounts.", enum=list(DECIMAL_SIGNS), default=DECIMAL_SIGNS[0]),
        "columns": ref("ImportColumns"),
        "match": _told("The field that tells which rows are there already; null: none are.", enum=[*matches]),
        "update": _told("Edit what is there already, rather than leaving it alone.", type="boolean", default=False),
        "continue": _told("Store good rows, also where others are refused.", type="boolean", default=False),
        "line": _told("The line of the first row, where it does not follow the header.", **_LINE),
        "more": _told("The table goes on behind the text. A row without an end is left.", type="boolean"),
    }
    table = _told("The table. Its first row has the titles. An empty cell is null.", type="string")
    nullable = {name: {"anyOf": [schema, {"type": "null"}]} for name, schema in optional.items()}
    return object_schema({"text": table, **nullable}, ["text"])


def _told(description: str, **schema: Any) -> Schema:
    return {**schema, "description": description}


def _count(description: str) -> Schema:
    return _told(description, type="integer", minimum=0)


def _list(description: str, items: Schema) -> Schema:
    return _told(description, type="array", items=items)


def _all_of(properties: dict[str, Schema]) -> Schema:
    return object_schema(properties, list(properties))


_REPORT = _all_of(
    {
        "rows": _count(f"How many were read, at most {MAX_COMMANDS:,}."),
        "created": _count("How many made an entity, or would."),
        "updated": _count("How many changed one."),
        "unchanged": _count("How many left one as it is."),
        "refused": _count("How many were refused, or would be."),
        "errors": _list(
            "What is wrong, by the lines of the table.",
            ref("ImportViolation"),
        ),
        "omitted": _count("How many more errors there are."),
        "header": _told("The row of titles, which each later part of the table begins with.", **_TEXT),
        "titles": _list("The titles of the columns.", _TEXT),
        "first": _list(
            "The cells of the first rows.", {"type": "array", "items": {"anyOf": [_TEXT, {"type": "null"}]}}
        ),
        "keys": _list(
            "What no two rows of a table may share; two in the same text are refused.",
            ref("ImportKey"),
        ),
        "next_line": _told("The first line that was not read, where the table goes on.", **_LINE_OR_NULL),
    }
)

IMPORT_SCHEMAS: dict[str, Schema] = {
    "ImportColumns": _told(
        "The field of each title that does not name it. An empty one: the column is passed over.",
        type="object",
        additionalProperties=_TEXT,
    ),
    "ImportReport": _REPORT,
    "ImportViolation": _all_of({"line": _LINE, "column": _TEXT, "value": _TEXT, "code": _TEXT, "reason": _TEXT}),
    "ImportKey": _all_of({"line": _LINE, "field": _TEXT, "value": _TEXT}),
}
"""The components that imports of all types share."""
