"""How entities are written as tables: CSV (RFC 4180), for spreadsheets and for programs."""

from collections.abc import Iterable
from typing import Any

import orjson

from adapters.serialization.entities import JsonSerializer
from domain.entity_type import EntityType
from domain.stored_entity import StoredEntity

LINE_END = "\r\n"
_NEEDS_QUOTES = frozenset('",\r\n')


class CsvTable:
    """The table of one kind of entity: a column for each field, a row for each entity.

    A cell is exactly its value, so one that a spreadsheet takes for a formula stays as it is. Null is an empty cell;
    an empty text is one of two quotes. A field that did not exist when an entity was written has its default.
    """

    def __init__(self, entity_type: EntityType[Any]) -> None:
        self._entity_type = entity_type
        self._serializer = JsonSerializer((entity_type,))
        self._names = tuple(entity_type.by_name)

    @property
    def header(self) -> str:
        """Return the row of the names of the fields."""
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
    """Write what JSON can hold; what has no plain text of its own, such as a list, as JSON does."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    if text and _NEEDS_QUOTES.isdisjoint(text):
        return text
    return '"' + text.replace('"', '""') + '"'
