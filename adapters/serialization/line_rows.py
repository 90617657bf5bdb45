"""Reading the rows of NDJSON: one object on each line."""

from collections.abc import Iterator, Mapping
from typing import Any

from adapters.serialization.strict_json import NotJson, parse_object
from adapters.serialization.text_lines import TextLines
from domain.columns import REJECTED
from domain.entity_type import EntityType
from domain.errors import Violation
from domain.rows import Row


class LineRows:
    """The rows of one entity type. Empty lines are passed over.

    Lines may name their type, as an export of several types does; then those of other types, and changes, are passed
    over.
    """

    header = ""

    def __init__(self, lines: TextLines, entity_type: EntityType[Any], renamed: Mapping[str, str]) -> None:
        """`renamed` gives keys the names of fields, or an empty name to those that are passed over."""
        self._lines = lines
        self._entity_type = entity_type
        self._renamed = {REJECTED: "", **renamed}
        self._is_named = entity_type.by_name.keys().isdisjoint(("type", "data"))

    def __iter__(self) -> Iterator[Row]:
        for line in self._lines:
            text = line.strip()
            if not text:
                continue
            try:
                fault = self._lines.fault(text)
                found = {} if fault else parse_object(text)
            except NotJson as error:
                found, fault = {}, Violation(field="", code="malformed_json", reason=str(error))
            values = self._own(found)
            if values is not None:
                yield self._row(text, values, fault)

    def _row(self, text: str, values: Mapping[str, Any], fault: Violation | None) -> Row:
        """Return a row, with its keys as the names of fields."""
        if self._renamed.keys().isdisjoint(values):
            return Row(self._lines.number, text, values, fault)
        named = [(self._renamed.get(key, key), value) for key, value in values.items()]
        fields = {name: value for name, value in named if name}
        if len(fields) < sum(1 for name, _ in named if name):
            fault = Violation(field="", code="duplicate", reason="has several keys for one field")
        return Row(self._lines.number, text, fields, fault)

    def _own(self, found: dict[str, Any]) -> Mapping[str, Any] | None:
        """Return the values of an entity, or None for what is of another type."""
        if self._is_named and "type" in found and isinstance(found.get("data"), dict):
            if found["type"] != self._entity_type.name:
                return None
            values: dict[str, Any] = found["data"]
            return values
        return found
