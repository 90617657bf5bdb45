"""Mapping of entities to table rows: a document, and columns with the sort keys of its fields."""

from collections.abc import Callable, Iterable, Set
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

import apsw

from adapters.sqlite.insertion import TOGETHER, Insertion
from domain.entity_type import EntityType, Field
from domain.field_types import Date, EnumField, FieldType, Integer, String, Timestamp
from domain.stored_entity import StoredEntity
from domain.text import fold

SqlValue = int | str | bytes | float | None

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@lru_cache(256)  # one write has the same time in several places
def microseconds(at: datetime) -> int:
    """Return the microseconds from 1970 to `at`."""
    return (at - _EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """Return the time that many microseconds after 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)


def sql(key: Any) -> SqlValue:
    """Convert a sort key for SQL: times in microseconds, dates as text, money in cents."""
    match key:
        case datetime():
            return microseconds(key)
        case date():
            return key.isoformat()
        case Decimal():
            return int(key * 100)
        case _:
            return key  # type: ignore[no-any-return]


def conversion(field_type: FieldType) -> Callable[[Any], SqlValue] | None:
    """Return the function that converts a field type's values for sorting in SQL, or None if they need none."""
    match field_type:
        case EnumField(ranks=ranks):
            by_value = {member.value: rank for member, rank in ranks.items()}
            return lambda member: by_value[member._value_]  # hashing a member is slow
        case String():
            return fold
        case Timestamp():
            return microseconds
        case Date():
            return date.isoformat
        case Integer():
            return None
        case _:
            return lambda value: sql(field_type.key(value))


class Searched(NamedTuple):
    """The text by which `q` finds an entity, new and old; None where there is no row."""

    id: int
    was: str | None
    now: str | None


class TableMapping:
    """The table of one entity type: its columns, and the statements that write decided entities."""

    def __init__(self, entity_type: EntityType[Any]) -> None:
        self.entity_type = entity_type
        self.table = entity_type.collection
        listed = [field for field in entity_type.fields if field.listed]
        self._columns = [self.column(field) for field in listed]
        self._values = itemgetter(*(field.name for field in listed))
        self._conversions = [conversion(field.field_type) for field in listed]
        self._converting = [(index, each) for index, each in enumerate(self._conversions) if each is not None]
        self.sorted_by = [self.column(field) for field in listed if field.name != "id"]
        folded = [field for field in listed if isinstance(field.field_type, String)]
        self.folded = [*(self.column(field) for field in folded), "search"]
        self._folded_names = [field.name for field in folded]
        searched = [field.name for field in entity_type.searched]
        self._search_values = itemgetter(*searched) if searched else lambda _: None
        columns = [*self._columns, "search", "document"]
        indexed = f"EXISTS (SELECT 1 FROM {self.table}_search)"
        self.needs = f"SELECT {', '.join(columns)} FROM {self.table} WHERE {indexed} LIMIT 0"
        self.get = f"SELECT version, document FROM {self.table} WHERE id = ?"
        self.behind = f"SELECT id, version, document FROM {self.table} WHERE id > ? ORDER BY id LIMIT ?"
        self._insertion = Insertion(self.table, columns)
        self._delete = f"DELETE FROM {self.table} WHERE id = ?"
        self._text_of = f"SELECT search FROM {self.table} WHERE id = ?"
        # FTS5 reads commands such as 'delete' from the column named like the table; without a command it adds a row.
        # FTS5 writes what it has buffered before each statement of several rows.
        self._indexing = Insertion(
            f"{self.table}_search", (f"{self.table}_search", "rowid", "search"), together=2 * TOGETHER
        )

    def column(self, field: Field) -> str:
        """Return the name of a field's column. For a text the column holds the folded text, by which it sorts."""
        return f"{field.name}_key" if isinstance(field.field_type, String) else field.name

    def key(self, field: Field, value: Any) -> SqlValue:
        """Return the value of a field's column for a field value."""
        return None if value is None else sql(field.field_type.key(value))

    def least(self, field: Field) -> SqlValue:
        """Return a lower bound of all values in a field's column."""
        return "" if isinstance(field.field_type, (String, Date)) else -(2**63)

    def fold(self, entity: Any) -> list[str | None]:
        """Return the values of the `folded` columns for an entity."""
        texts = (getattr(entity, name) for name in self._folded_names)
        return [*(None if text is None else fold(text) for text in texts), self.entity_type.search_text(entity)]

    @property
    def derived(self) -> list[str]:
        """Return the columns that follow from the document."""
        return [*self._columns, "search"]

    def derive(self, entity: Any) -> list[SqlValue]:
        """Return the values of the `derived` columns for an entity."""
        return [*self._keys(entity), self.entity_type.search_text(entity)]

    def insert(self, connection: apsw.Connection, entities: Iterable[tuple[StoredEntity, Any]]) -> list[Searched]:
        """Insert new entities. `q` does not find them until they are indexed."""
        rows: list[tuple[SqlValue, ...]] = []
        searched: list[Searched] = []
        for record, each in entities:
            text = self.entity_type.search_text(each)
            rows.append((*self._keys(each), text, record.document))
            searched.append(Searched(record.id, None, text))
        self._insertion.insert(connection, rows)
        return searched

    def index(self, connection: apsw.Connection) -> None:
        """Rebuild the search index."""
        connection.execute(f"INSERT INTO {self.table}_search ({self.table}_search) VALUES ('rebuild')")

    def update(self, connection: apsw.Connection, record: StoredEntity, before: Any, entity: Any) -> Searched | None:
        """Update the row of an entity. Name only columns that differ, because SQLite rewrites the index of each."""
        searched = None
        was, now = vars(before), vars(entity)
        fields = zip(self._columns, self._conversions, self._values(was), self._values(now), strict=True)
        changed = [(column, (convert, value)) for column, convert, old, value in fields if value != old]
        new = dict(zip((column for column, _ in changed), _converted(pair for _, pair in changed), strict=True))
        if self._search_values(now) != self._search_values(was):
            new["search"] = search = self.entity_type.search_text(entity)
            searched = Searched(record.id, self._text(connection, record.id), search)
        new["document"] = record.document
        marks = ", ".join(f"{column} = ?" for column in new)
        connection.execute(f"UPDATE {self.table} SET {marks} WHERE id = ?", (*new.values(), record.id))
        return searched

    def fill(self, connection: apsw.Connection, names: Set[str], entity: Any, document: str, *, was: str) -> Searched:
        """Update the document and some columns of a row; `was` is the text by which `q` found it so far."""
        text = self.entity_type.search_text(entity)
        new = {self.column(field): self.key(field, getattr(entity, field.name)) for field in self._listed(names)}
        new |= {"search": text, "document": document} if text != was else {"document": document}
        marks = ", ".join(f"{column} = ?" for column in new)
        connection.execute(f"UPDATE {self.table} SET {marks} WHERE id = ?", (*new.values(), entity.id))
        return Searched(entity.id, was, text)

    def _listed(self, names: Set[str]) -> list[Field]:
        return [field for field in self.entity_type.fields if field.listed and field.name in names]

    def delete(self, connection: apsw.Connection, id: int) -> Searched:
        """Remove the row of an entity."""
        searched = Searched(id, self._text(connection, id), None)
        connection.execute(self._delete, (id,))
        return searched

    def reindex(self, connection: apsw.Connection, searched: Iterable[Searched]) -> None:
        """Update the search index after some rows were written; `searched` is in the order of the writes.

        Call it at the end of a transaction. It writes by ascending ids, because SQLite flushes its buffered index
        entries whenever an id is lower than the one before.
        """
        texts: dict[int, tuple[str | None, str | None]] = {}
        for id, was, now in searched:
            texts[id] = texts.get(id, (was,))[0], now
        rows: list[tuple[str | None, int, str]] = []
        for id, (was, now) in sorted(texts.items()):
            if was != now and was is not None:
                rows.append(("delete", id, was))
            if was != now and now is not None:
                rows.append((None, id, now))
        self._indexing.insert(connection, rows)

    def _text(self, connection: apsw.Connection, id: int) -> str:
        # To delete an entry, the index needs the very text that it was given: the stored one, not a fresh folding.
        return str(connection.execute(self._text_of, (id,)).fetchall()[0][0])

    def _keys(self, entity: Any) -> list[SqlValue]:
        values = list(self._values(vars(entity)))
        for index, convert in self._converting:
            value = values[index]
            if value is not None:
                values[index] = convert(value)
        return values


def _converted(pairs: Iterable[tuple[Callable[[Any], SqlValue] | None, Any]]) -> list[SqlValue]:
    return [value if convert is None or value is None else convert(value) for convert, value in pairs]
