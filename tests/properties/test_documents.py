"""Entities outlive being written: as documents, and as the columns beside them in SQLite."""

from datetime import UTC, datetime
from typing import Any

import apsw
import orjson
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from adapters.sqlite.connections import migrate
from adapters.sqlite.table_mapping import TableMapping, microseconds, moment, sql
from domain.entity_type import EntityType, Field
from domain.registry import ENTITY_TYPES
from tests.builders import NOON, REQUIRED, SERIALIZER, record
from tests.properties.strategies import entities, values

DATABASE = apsw.Connection(":memory:")
migrate(DATABASE)

EVERY_ENTITY_TYPE = pytest.mark.parametrize("entity_type", ENTITY_TYPES, ids=repr)
LISTED = [(entity_type, field) for entity_type in ENTITY_TYPES for field in entity_type.fields if field.listed]
EVERY_FIELD = pytest.mark.parametrize(
    ("entity_type", "field"), LISTED, ids=[f"{entity_type.name}-{each.name}" for entity_type, each in LISTED]
)


@EVERY_ENTITY_TYPE
@given(data=st.data())
def test_documents_there_and_back(entity_type: EntityType[Any], data: st.DataObject) -> None:
    """An entity is read as it was written; equal entities have equal documents, others have others."""
    entity, other = data.draw(entities(entity_type)), data.draw(entities(entity_type))
    document = SERIALIZER.write(entity)
    assert entity == SERIALIZER.read(entity_type, document)
    assert document == SERIALIZER.write(evolve(entity))
    assert (entity == other) is (document == SERIALIZER.write(other))


@EVERY_ENTITY_TYPE
def test_documents_of_others(entity_type: EntityType[Any]) -> None:
    """Fields may come in any order. One that nobody declares is left out; a missing one that is required is told."""
    entity = entity_type.entity.create(id=1, at=NOON, **REQUIRED[entity_type])
    fields = orjson.loads(SERIALIZER.write(entity))
    mixed = {"colour": "red", **dict(reversed(fields.items()))}
    again = SERIALIZER.read(entity_type, orjson.dumps(mixed).decode())
    assert (entity, list(fields)) == (again, list(orjson.loads(SERIALIZER.write(again))))
    for name in fields.keys() - entity_type.defaults.keys():
        others = {each: value for each, value in mixed.items() if each != name}
        with pytest.raises(KeyError, match=name):
            SERIALIZER.read(entity_type, orjson.dumps(others).decode())


@EVERY_FIELD
@given(data=st.data())
def test_columns_sort_as_the_domain_does(entity_type: EntityType[Any], field: Field, data: st.DataObject) -> None:
    """SQLite, comparing what a column holds, finds the same order as the domain, and the same equality."""
    one, other = (field.field_type.key(data.draw(values(field.field_type))) for _ in range(2))
    expected = (one < other, one == other)
    assert expected == tuple(
        map(bool, DATABASE.execute("SELECT ?1 < ?2, ?1 = ?2", (sql(one), sql(other))).fetchall()[0])
    )


@EVERY_ENTITY_TYPE
@given(data=st.data())
def test_rows_are_what_was_written_last(entity_type: EntityType[Any], data: st.DataObject) -> None:
    """A row that was updated is one that was inserted as such, in its index too; a deletion leaves nothing."""
    entity, before = data.draw(entities(entity_type)), data.draw(entities(entity_type))
    apart = data.draw(st.booleans())  # before there is any row, for a draw may end the example
    before = evolve(before, id=entity.id)
    rows, left = TableMapping(entity_type), record(entity_type, entity)
    searched = rows.insert(DATABASE, [(left, entity)])
    expected = row_of(rows)
    searched.append(rows.delete(DATABASE, entity.id))
    assert [] == row_of(rows)
    searched += rows.insert(DATABASE, [(record(entity_type, before), before)])
    if apart:  # else all at once, as at the end of a transaction
        rows.reindex(DATABASE, searched)
        searched.clear()
    if (again := rows.update(DATABASE, left, before, entity)) is not None:
        searched.append(again)
    rows.reindex(DATABASE, searched)
    assert expected == row_of(rows)
    keys = [rows.key(field, getattr(entity, field.name)) for field in entity_type.fields if field.listed]
    assert [(*keys, entity_type.search_text(entity), left.document)] == expected
    DATABASE.execute(f"INSERT INTO {rows.table}_search ({rows.table}_search, rank) VALUES ('integrity-check', 1)")
    rows.reindex(DATABASE, [rows.delete(DATABASE, entity.id)])


def row_of(rows: TableMapping) -> list[tuple[Any, ...]]:
    """Return the only row of a table."""
    return DATABASE.execute(f"SELECT * FROM {rows.table}").fetchall()


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_there_and_back(at: datetime) -> None:
    """A time survives as microseconds."""
    assert at == moment(microseconds(at))
