"""SQLite finds the page that the domain defines, by seeking and by walking."""

from typing import Any

import apsw
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from adapters.memory.pages import page_of
from adapters.sqlite import query_plans
from adapters.sqlite.connections import migrate
from adapters.sqlite.pages import read_page
from adapters.sqlite.table_mapping import TableMapping
from domain.cursor_codec import CursorCodec
from domain.entity_type import EntityType, Field
from domain.queries import Condition, Operator, Order, Query
from domain.registry import ENTITY_TYPES
from tests.builders import SERIALIZER, record
from tests.properties.strategies import entities, values

EVERY_ENTITY_TYPE = pytest.mark.parametrize("entity_type", ENTITY_TYPES, ids=repr)
LOG = CursorCodec("log")


@st.composite
def collections(draw: st.DrawFn, entity_type: EntityType[Any]) -> list[Any]:
    """Return entities many of whose fields are alike, whether or not they go together."""
    some = draw(st.lists(entities(entity_type), min_size=1, max_size=3))
    names = [field.name for field in entity_type.fields if field.name != "id"]
    picks = st.lists(st.sampled_from(some), min_size=len(names), max_size=len(names))
    mixed = draw(st.lists(picks, min_size=1, max_size=8))
    fields = [{name: getattr(each, name) for name, each in zip(names, pick, strict=True)} for pick in mixed]
    return [entity_type.entity.trusted({"id": id, **each}) for id, each in enumerate(fields, 1)]


@st.composite
def conditions(draw: st.DrawFn, entity_type: EntityType[Any], entities: list[Any]) -> Condition:
    """Return a condition, mostly on values that are there."""
    field: Field = draw(st.sampled_from([field for field in entity_type.fields if field.listed]))
    there = [value for each in entities if (value := getattr(each, field.name)) is not None]
    operands = st.sampled_from(there) | values(field.field_type) if there else values(field.field_type)
    operator = draw(st.sampled_from(Operator))
    if operator is Operator.NULL:
        return Condition(field, operator, draw(st.booleans()))
    if operator is Operator.IN:
        return Condition(field, operator, tuple(draw(st.lists(operands, max_size=3))))
    return Condition(field, operator, draw(operands))


@st.composite
def queries(draw: st.DrawFn, entity_type: EntityType[Any], entities: list[Any]) -> Query[Any]:
    """Return a query for some page."""
    listed = [field for field in entity_type.fields if field.listed]
    searches = ["", *(entity_type.search_text(each)[start : start + 4] for each in entities for start in (0, 1))]
    query: Query[Any] = Query(
        entity_type=entity_type,
        where=tuple(draw(st.lists(conditions(entity_type, entities), max_size=3))),
        search=draw(st.sampled_from(searches)),
        order=tuple(draw(st.lists(st.builds(Order, st.sampled_from(listed), st.booleans()), max_size=2))),
        limit=draw(st.integers(1, 4)),
        total=True,
    )
    after = draw(st.none() | st.sampled_from(entities))
    return query if after is None else evolve(query, after=query.position(after))


@EVERY_ENTITY_TYPE
@given(data=st.data())
def test_every_way_finds_the_same(entity_type: EntityType[Any], data: st.DataObject) -> None:
    """The page, the next position and the total match the definition, whatever is common or rare."""
    collection = data.draw(collections(entity_type))
    connection, rows = apsw.Connection(":memory:"), TableMapping(entity_type)
    migrate(connection)
    rows.reindex(connection, rows.insert(connection, [(record(entity_type, each), each) for each in collection]))
    for _ in range(5):
        query = data.draw(queries(entity_type, collection))
        shown, place, total = page_of(query, collection)
        expected = [record(entity_type, each) for each in shown], place, total
        for common in (0, 2, 10_000):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(query_plans, "COMMON", common)
                page = read_page(connection, rows, query, LOG, SERIALIZER)
            assert expected == (list(page.records), page.next, page.total)
