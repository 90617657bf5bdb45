"""However SQLite finds a page, by seeking or by walking, it is the page that the domain defines."""

from typing import Any

import apsw
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from adapters.memory.pages import page_of
from adapters.sqlite import plans
from adapters.sqlite.connections import migrate
from adapters.sqlite.pages import read_page
from adapters.sqlite.rows import Rows
from domain.catalogue import KINDS
from domain.kinds import Field, Kind
from domain.numbering import Numbering
from domain.queries import Condition, Operator, Order, Query
from tests.builders import DOCUMENTS, record
from tests.properties.strategies import entities, values

EVERY_KIND = pytest.mark.parametrize("kind", KINDS, ids=repr)
LOG = Numbering("log")


@st.composite
def collections(draw: st.DrawFn, kind: Kind[Any]) -> list[Any]:
    """Return entities many of whose fields are alike."""
    some = draw(st.lists(entities(kind), min_size=1, max_size=3))
    names = [field.name for field in kind.fields if field.name != "id"]
    picks = st.lists(st.sampled_from(some), min_size=len(names), max_size=len(names))
    mixed = draw(st.lists(picks, min_size=1, max_size=8))
    fields = [{name: getattr(each, name) for name, each in zip(names, pick, strict=True)} for pick in mixed]
    return [kind.entity(id=id, **each) for id, each in enumerate(fields, 1)]


@st.composite
def conditions(draw: st.DrawFn, kind: Kind[Any], entities: list[Any]) -> Condition:
    """Return a condition, mostly on values that are there."""
    field: Field = draw(st.sampled_from([field for field in kind.fields if field.listed]))
    there = [value for each in entities if (value := getattr(each, field.name)) is not None]
    operands = st.sampled_from(there) | values(field.rule) if there else values(field.rule)
    operator = draw(st.sampled_from(Operator))
    if operator is Operator.NULL:
        return Condition(field, operator, draw(st.booleans()))
    if operator is Operator.IN:
        return Condition(field, operator, tuple(draw(st.lists(operands, max_size=3))))
    return Condition(field, operator, draw(operands))


@st.composite
def queries(draw: st.DrawFn, kind: Kind[Any], entities: list[Any]) -> Query[Any]:
    """Return a query for some page."""
    listed = [field for field in kind.fields if field.listed]
    searches = ["", *(kind.search_text(each)[start : start + 4] for each in entities for start in (0, 1))]
    query: Query[Any] = Query(
        kind=kind,
        where=tuple(draw(st.lists(conditions(kind, entities), max_size=3))),
        search=draw(st.sampled_from(searches)),
        order=tuple(draw(st.lists(st.builds(Order, st.sampled_from(listed), st.booleans()), max_size=2))),
        limit=draw(st.integers(1, 4)),
        total=True,
    )
    after = draw(st.none() | st.sampled_from(entities))
    return query if after is None else evolve(query, after=query.place(after))


@EVERY_KIND
@given(data=st.data())
def test_every_way_finds_the_same(kind: Kind[Any], data: st.DataObject) -> None:
    """Whatever is common or rare, the page, the place of the next one and the total are those of the definition."""
    collection = data.draw(collections(kind))
    connection, rows = apsw.Connection(":memory:"), Rows(kind)
    migrate(connection)
    rows.reindex(connection, rows.insert(connection, [(record(kind, each), each) for each in collection]))
    for _ in range(5):
        query = data.draw(queries(kind, collection))
        shown, place, total = page_of(query, collection)
        expected = [record(kind, each) for each in shown], place, total
        for common in (0, 2, 10_000):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(plans, "COMMON", common)
                page = read_page(connection, rows, query, LOG, DOCUMENTS)
            assert expected == (list(page.records), page.next, page.total)
