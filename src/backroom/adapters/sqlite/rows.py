"""Entities as rows: which column holds which field, and how each rule's values look in SQL."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any, Generic

import orjson

from backroom.domain.kinds import E, Field, Kind
from backroom.domain.rules import Choice, Day, Moment, Money, Rule, Text

SqlValue = int | str | bytes | float | None

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """Return the microseconds from 1970 to `at`."""
    return (at - _EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """Return the time that is so many microseconds after 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)


def _cents(amount: Decimal) -> int:
    return int(amount * 100)


def _amount(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


Conversion = Callable[[Any], Any]


def conversions(rule: Rule) -> tuple[Conversion, Conversion] | None:
    """Return how a rule's values go into SQL and come back, or None where they are the same there."""
    match rule:
        case Choice(members=members, ranks=ranks):
            return ranks.__getitem__, list(members).__getitem__
        case Moment():
            return microseconds, moment
        case Money():
            return _cents, _amount
        case Day():
            return date.isoformat, date.fromisoformat
        case _:
            return None


class Rows(Generic[E]):
    """Turns the entities of one kind into rows of its table and back."""

    def __init__(self, kind: Kind[E]) -> None:
        self.kind = kind
        self.table = kind.collection
        names = [field.name for field in kind.fields]
        self._values = attrgetter(*names)
        self._names = names
        both = {index: conversions(field.rule) for index, field in enumerate(kind.fields)}
        self._into = [(index, each[0]) for index, each in both.items() if each]
        self._back = [(index, each[1]) for index, each in both.items() if each]
        self._keyed = [field for field in kind.fields if field.listed and isinstance(field.rule, Text)]
        columns = [*names, *(f"{field.name}_key" for field in self._keyed), "search"]
        self.columns = ", ".join(names)
        marks = ", ".join("?" * len(columns))
        self.insert = f"INSERT INTO {self.table} ({', '.join(columns)}) VALUES ({marks})"
        self.replace = f"UPDATE {self.table} SET ({', '.join(columns[1:])}) = ({marks[3:]}) WHERE id = ?"
        self.index = f"INSERT INTO {self.table}_search (rowid, search) VALUES (?, ?)"
        self.unindex = f"INSERT INTO {self.table}_search ({self.table}_search, rowid, search) VALUES ('delete', ?, ?)"

    def values(self, entity: E) -> list[SqlValue]:
        """Return the entity's own columns, in the order of its fields."""
        row = list(self._values(entity))
        for index, into in self._into:
            value = row[index]
            if value is not None:
                row[index] = into(value)
        return row

    def full(self, entity: E, values: list[SqlValue], search: str) -> list[SqlValue]:
        """Return every column: its own, the sort keys, and the text that is searched."""
        keys = (self.key(field, getattr(entity, field.name)) for field in self._keyed)
        return [*values, *keys, search]

    def key(self, field: Field, value: Any) -> SqlValue:
        """Return what SQL sorts a field's value by."""
        return self.sql_key(field, None if value is None else field.rule.key(value))

    def sql_key(self, field: Field, key: Any) -> SqlValue:
        """Return how the domain's sort key of a field looks in SQL."""
        if key is None or isinstance(field.rule, (Choice, Text)):
            return key  # type: ignore[no-any-return]
        into = conversions(field.rule)
        return into[0](key) if into else key  # type: ignore[no-any-return]

    def sort_column(self, field: Field) -> str:
        """Name the column that a field is sorted by."""
        return f"{field.name}_key" if isinstance(field.rule, Text) else field.name

    def sql_value(self, field: Field, value: Any) -> SqlValue:
        """Return how a field's value looks in SQL."""
        into = conversions(field.rule)
        return into[0](value) if into else value  # type: ignore[no-any-return]

    def entity(self, row: tuple[SqlValue, ...]) -> E:
        """Return the entity of a row of its own columns."""
        values: list[Any] = list(row)
        for index, back in self._back:
            value = values[index]
            if value is not None:
                values[index] = back(value)
        return self.kind.entity(**dict(zip(self._names, values, strict=True)))

    def document(self, values: list[SqlValue]) -> str:
        """Return an entity's own columns as the log keeps them."""
        return orjson.dumps(dict(zip(self._names, values, strict=True))).decode()

    def from_document(self, document: str) -> E:
        """Return the entity that the log kept; fields that did not exist then have their defaults."""
        kept: Mapping[str, Any] = orjson.loads(document)
        values = {field.name: self._revived(field, kept) for field in self.kind.fields}
        return self.kind.entity(**values)

    def _revived(self, field: Field, kept: Mapping[str, Any]) -> Any:
        if field.name not in kept:
            return field.default
        value = kept[field.name]
        both = conversions(field.rule)
        return both[1](value) if both and value is not None else value
