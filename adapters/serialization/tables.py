"""Serialization of entities as CSV (RFC 4180), for spreadsheets and programs."""

from collections.abc import Iterable
from typing import Any

import orjson

from adapters.serialization.entities import JsonSerializer
from domain.entity_type import EntityType
from domain.stored_entity import StoredEntity

LINE_END = "\r\n"


class CsvTable:
    """The table of one entity type: a column for each field, a row for each entity.

    A cell is exactly its value, even if a spreadsheet takes it for a formula. Null is an empty cell; an empty text is
    two quotes. A field that is newer than an entity has its default.
    """

    def __init__(self, entity_type: EntityType[Any]) -> None:
        self._entity_type = entity_type
        self._serializer = JsonSerializer((entity_type,))
        self._names = tuple(entity_type.by_name)

    @property
    def header(self) -> str:
        """Return the row of field names."""
        return _row(self._names)

    def rows(self, records: Iterable[StoredEntity]) -> str:
        """Return the rows of stored entities, each with its end of line."""
        return "".join([_row(self._values(record.document)) for record in records])

    def _values(self, document: str) -> list[Any]:
        values = orjson.loads(document)
        if len(values) != len(self._names):
            entity = self._serializer.read(self._entity_type, document)
            values = orjson.loads(self._serializer.write(entity))
        return [values[name] for name in self._names]


def _row(values: Iterable[Any]) -> str:
    return ",".join([_cell(value) for value in values]) + LINE_END


def _cell(value: Any) -> str:
    """Write a JSON value as plain text; a value without a plain form, such as a list, as JSON."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    if text and not ('"' in text or "," in text or "\n" in text or "\r" in text):
        return text
    return '"' + text.replace('"', '""') + '"'
