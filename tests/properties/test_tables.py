"""Tables hold exactly what documents hold."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.serialization.tables import CsvTable
from domain.entity_type import EntityType
from domain.public_types import PUBLIC_TYPES
from domain.stored_entity import StoredEntity
from domain.task import TASK
from tests.builders import SERIALIZER, record
from tests.properties.strategies import entities


@pytest.mark.parametrize("entity_type", PUBLIC_TYPES, ids=repr)
@given(data=st.data())
def test_there_and_back(entity_type: EntityType[Any], data: st.DataObject) -> None:
    """Python's csv reads each value back; it alone takes an empty text and null for the same."""
    some = data.draw(st.lists(entities(entity_type), max_size=3))
    table = CsvTable(entity_type)
    text = table.header + table.rows(record(entity_type, each) for each in some)
    header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    expected = [json.loads(SERIALIZER.write(each), parse_float=str, parse_int=str) for each in some]
    assert list(entity_type.by_name) == header
    assert [["" if value is None else value for value in each.values()] for each in expected] == rows


def test_a_field_that_was_not_there() -> None:
    """A document that is older than a field has the field's default in its cell."""
    at = "2026-01-31T12:00:00.000000Z"
    document = json.dumps({"id": 1, "version": 1, "created_at": at, "updated_at": at, "title": "t"})
    row = CsvTable(TASK).rows([StoredEntity(1, 1, document)])
    assert row.endswith(',t,pending,normal,,"",\r\n')
