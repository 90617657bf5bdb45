"""Entities outlive being written: as documents, and as the columns beside them in SQLite."""

from datetime import UTC, datetime
from typing import Any

import apsw
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from backroom.adapters.sqlite.rows import Rows, microseconds, moment, sql
from backroom.domain.catalogue import KINDS
from backroom.domain.kinds import Field, Kind
from tests.builders import DOCUMENTS
from tests.properties.strategies import entities, values

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


DATABASE = apsw.Connection(":memory:")


@EVERY_KIND
@given(data=st.data())
def test_rows_hold_what_is_sorted_and_searched(kind: Kind[Any], data: st.DataObject) -> None:
    """A whole row fits its table: each listed field under its column, then the text to search and the document."""
    entity = data.draw(entities(kind))
    rows, document, search = Rows(kind), DOCUMENTS.write(kind, entity), kind.search_text(entity)
    row = rows.values(entity, search, document)
    keys = [rows.key(field, getattr(entity, field.name)) for field in kind.fields if field.listed]
    assert [*keys, search, document] == row
    marks = ", ".join("?" * len(row))
    assert [tuple(row)] == DATABASE.execute(f"SELECT {marks}", row).fetchall()


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_there_and_back(at: datetime) -> None:
    """A time survives as microseconds."""
    assert at == moment(microseconds(at))
