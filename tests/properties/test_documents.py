"""Entities outlive being written: as documents, and as the columns beside them in SQLite."""

from datetime import UTC, datetime
from typing import Any

import apsw
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from adapters.sqlite.connections import migrate
from adapters.sqlite.rows import Rows, microseconds, moment, sql
from domain.catalogue import KINDS
from domain.kinds import Field, Kind
from tests.builders import DOCUMENTS, record
from tests.properties.strategies import entities, values

DATABASE = apsw.Connection(":memory:")
migrate(DATABASE)

EVERY_KIND = pytest.mark.parametrize("kind", KINDS, ids=repr)
LISTED = [(kind, field) for kind in KINDS for field in kind.fields if field.listed]
EVERY_FIELD = pytest.mark.parametrize(
    ("kind", "field"), LISTED, ids=[f"{kind.name}-{each.name}" for kind, each in LISTED]
)


@EVERY_KIND
@given(data=st.data())
def test_documents_there_and_back(kind: Kind[Any], data: st.DataObject) -> None:
    """An entity is read as it was written; equal entities have equal documents, others have others."""
    entity, other = data.draw(entities(kind)), data.draw(entities(kind))
    document = DOCUMENTS.write(kind, entity)
    assert entity == DOCUMENTS.read(kind, document)
    assert document == DOCUMENTS.write(kind, evolve(entity))
    assert (entity == other) is (document == DOCUMENTS.write(kind, other))


@EVERY_FIELD
@given(data=st.data())
def test_columns_sort_as_the_domain_does(kind: Kind[Any], field: Field, data: st.DataObject) -> None:
    """SQLite, comparing what a column holds, finds the same order as the domain, and the same equality."""
    one, other = (field.rule.key(data.draw(values(field.rule))) for _ in range(2))
    expected = (one < other, one == other)
    assert expected == tuple(
        map(bool, DATABASE.execute("SELECT ?1 < ?2, ?1 = ?2", (sql(one), sql(other))).fetchall()[0])
    )


@EVERY_KIND
@given(data=st.data())
def test_rows_are_what_was_written_last(kind: Kind[Any], data: st.DataObject) -> None:
    """A row that was updated is one that was inserted as such, in its index too; a deletion leaves nothing."""
    entity, before = data.draw(entities(kind)), data.draw(entities(kind))
    apart = data.draw(st.booleans())  # before there is any row, for a draw may end the example
    before = evolve(before, id=entity.id)
    rows, left = Rows(kind), record(kind, entity)
    searched = rows.insert(DATABASE, [(left, entity)])
    expected = row_of(rows)
    searched.append(rows.delete(DATABASE, entity.id))
    assert [] == row_of(rows)
    searched += rows.insert(DATABASE, [(record(kind, before), before)])
    if apart:  # else all at once, as at the end of a transaction
        rows.reindex(DATABASE, searched)
        searched.clear()
    if (again := rows.update(DATABASE, left, before, entity)) is not None:
        searched.append(again)
    rows.reindex(DATABASE, searched)
    assert expected == row_of(rows)
    keys = [rows.key(field, getattr(entity, field.name)) for field in kind.fields if field.listed]
    assert [(*keys, kind.search_text(entity), left.document)] == expected
    DATABASE.execute(f"INSERT INTO {rows.table}_search ({rows.table}_search, rank) VALUES ('integrity-check', 1)")
    rows.reindex(DATABASE, [rows.delete(DATABASE, entity.id)])


def row_of(rows: Rows) -> list[tuple[Any, ...]]:
    """Return the only row of a table."""
    return DATABASE.execute(f"SELECT * FROM {rows.table}").fetchall()


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_there_and_back(at: datetime) -> None:
    """A time survives as microseconds."""
    assert at == moment(microseconds(at))
