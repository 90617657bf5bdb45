"""Mapping of entities to table rows: a document, and columns with the sort keys of its fields."""

from datetime import date
from decimal import Decimal
from typing import Any

import orjson

from domain.entity_type import EntityType, Field
from domain.field_types import Date, FieldType, Integer, String, Timestamp


class TableMapping:
    """The table of one entity type, with its statements."""

    def __init__(self, entity_type: EntityType[Any]) -> None:
        self.entity_type = entity_type
        self.table = entity_type.collection
        self._listed = [field for field in entity_type.fields if field.listed]
        unique = [field.name for field in entity_type.unique]
        self.folded = [*(self.column(each) for each in self._listed if isinstance(each.field_type, String)), "search"]
        self.columns = [*(self.column(field) for field in self._listed), *unique, "search", "document"]
        # A subquery hides the length of an array from the planner, so that it keeps one plan for all.
        chosen = [
            "id = ANY((SELECT $1::bigint[])::bigint[])",
            *(f"{name} = ANY((SELECT $2::text[])::text[])" for name in unique),
        ]
        self.needs = f"SELECT {', '.join(self.columns)}, last_value FROM {self.table}, {self.table}_ids LIMIT 0"
        self.find = f"SELECT id, document FROM {self.table} WHERE {chosen[0]} ORDER BY id"
        self.find_with_owners = f"SELECT id, document FROM {self.table} WHERE {' OR '.join(chosen)} ORDER BY id"
        self.constraints = {f"{self.table}_pkey": "PRIMARY KEY (id)"} | {
            # Deferred, because two entities may swap their values in one transaction.
            f"{self.table}_{name}_taken": f"UNIQUE ({name}) DEFERRABLE INITIALLY DEFERRED"
            for name in unique
        }
        self.taken = frozenset(self.constraints)
        self.sorted_by = [self.column(field) for field in self._listed if field.name != "id"]

    @property
    def derived(self) -> list[str]:
        """Return the columns that follow from the document."""
        return self.columns[:-1]

    def column(self, field: Field) -> str:
        """Return the name of a field's column. For a text the column holds the folded text, by which it sorts."""
        return f"{field.name}_key" if isinstance(field.field_type, String) else field.name

    def key(self, field: Field, value: Any) -> Any:
        """Return the value of a field's column for a field value."""
        return None if value is None else field.field_type.key(value)

    def row(self, entity: Any, document: str) -> dict[str, Any]:
        """Return a whole row."""
        row = {self.column(field): self.key(field, getattr(entity, field.name)) for field in self._listed}
        row |= {field.name: getattr(entity, field.name) for field in self.entity_type.unique}
        return {**row, "search": self.entity_type.search_text(entity), "document": document}


def json(rows: list[dict[str, Any]]) -> str:
    """Return rows as one value. This costs the server less than one value for each column, and the planner nothing."""
    return orjson.dumps(rows, default=_plain).decode()


def operand(field: Field, key: Any) -> Any:
    """Return one or several sort keys as a value to compare with a field's column, before the cast."""
    if isinstance(key, list):
        return [operand(field, each) for each in key]
    return key.isoformat() if isinstance(key, date) else key


def cast(field: Field, *, many: bool = False) -> str:
    """Return the cast that follows the placeholder of an operand.

    Numbers of any size are comparable. Dates and times go as text, because the driver takes the first and the last ones
    as infinite.
    """
    types = next((types for field_type, types in _CASTS.items() if isinstance(field.field_type, field_type)), ())
    return "".join(f"::{each}{'[]' if many else ''}" for each in types)


_CASTS: dict[type[FieldType], tuple[str, ...]] = {
    Integer: ("bigint",),
    Date: ("text", "date"),
    Timestamp: ("text", "timestamptz"),
}


def _plain(value: object) -> str:
    match value:
        case Decimal():
            return str(value)
        case bytes():
            return f"\\x{value.hex()}"
        case _:
            raise TypeError(type(value))
