"""How entities are found again: the columns that hold the sort keys of their fields, beside their documents."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from backroom.domain.kinds import Field, Kind
from backroom.domain.rules import Text

SqlValue = int | str | bytes | float | None

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """Return the microseconds from 1970 to `at`."""
    return (at - _EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """Return the time that is so many microseconds after 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)


def sql(key: Any) -> SqlValue:
    """Return how a sort key looks in SQL: times in microseconds, dates as text, money in cents."""
    match key:
        case datetime():
            return microseconds(key)
        case date():
            return key.isoformat()
        case Decimal():
            return int(key * 100)
        case _:
            return key  # type: ignore[no-any-return]


class Rows:
    """The table of one kind, with its statements."""

    def __init__(self, kind: Kind[Any]) -> None:
        self.kind = kind
        self.table = kind.collection
        self._listed = [field for field in kind.fields if field.listed]
        columns = [*(self.column(field) for field in self._listed), "search", "document"]
        marks = ", ".join("?" * len(columns))
        self.insert = f"INSERT INTO {self.table} ({', '.join(columns)}) VALUES ({marks})"
        self.replace = f"UPDATE {self.table} SET ({', '.join(columns[1:])}) = ({marks[3:]}) WHERE id = ?"
        self.get = f"SELECT version, document FROM {self.table} WHERE id = ?"
        self.index = f"INSERT INTO {self.table}_search (rowid, search) VALUES (?, ?)"
        self.unindex = f"INSERT INTO {self.table}_search ({self.table}_search, rowid, search) VALUES ('delete', ?, ?)"

    def column(self, field: Field) -> str:
        """Name the column of a field; that of a text holds what it is sorted by, which is not the text itself."""
        return f"{field.name}_key" if isinstance(field.rule, Text) else field.name

    def key(self, field: Field, value: Any) -> SqlValue:
        """Return what the column of a field holds for a value."""
        return None if value is None else sql(field.rule.key(value))

    def values(self, entity: Any, search: str, document: str) -> list[SqlValue]:
        """Return a whole row."""
        return [*(self.key(field, getattr(entity, field.name)) for field in self._listed), search, document]
