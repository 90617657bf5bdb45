"""SQLite finds every page by an index: no query reads or sorts more of the table than it must."""

from collections.abc import Iterator
from typing import Any

import apsw
import pytest

from adapters.sqlite import query_plans
from adapters.sqlite.connections import migrate
from adapters.sqlite.pages import read_page
from adapters.sqlite.table_mapping import TableMapping
from domain.cursor_codec import CursorCodec
from domain.entity_type import EntityType, Field
from domain.field_types import Date, FieldType, Integer, String, Timestamp
from domain.parsing import json_value
from domain.public_types import PUBLIC_TYPES
from domain.queries import Condition, Operator, Order, Query
from domain.state import State
from domain.task import TASK
from tests.builders import NOON, SERIALIZER, create, record

SAMPLES: dict[EntityType[Any], Any] = {
    entity_type: create(entity_type).decide(State.of(next_id=1), NOON) for entity_type in PUBLIC_TYPES
}
INSTEAD_OF_NONE: dict[type[FieldType], object] = {
    String: "any",
    Integer: 1,
    Date: "2026-01-31",
    Timestamp: "2026-01-31T12:00:00Z",
}
LISTED = [(entity_type, field) for entity_type in PUBLIC_TYPES for field in entity_type.fields if field.listed]
EVERY_FIELD = pytest.mark.parametrize(("entity_type", "field"), LISTED, ids=[f"{k.name}-{f.name}" for k, f in LISTED])
BOTH_WAYS = pytest.mark.parametrize("descending", [False, True], ids=["up", "down"])

SORTING = "USE TEMP B-TREE"


@pytest.fixture
def connection() -> Iterator[apsw.Connection]:
    """Return a database with one entity of each type."""
    opened = apsw.Connection(":memory:")
    migrate(opened)
    for entity_type, entity in SAMPLES.items():
        TableMapping(entity_type).insert(opened, [(record(entity_type, entity), entity)])
    yield opened
    opened.close()


@pytest.fixture
def common(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every condition hold so often that it is not worth seeking."""
    monkeypatch.setattr(query_plans, "COMMON", 0)


def steps(connection: apsw.Connection, query: Query[Any]) -> list[list[str]]:
    """Return how SQLite carries out each statement that reads records of a page."""
    statements: list[tuple[str, Any]] = []

    def note(_: apsw.Cursor, sql: str, values: Any) -> bool:
        statements.append((sql, values))
        return True

    connection.exec_trace = note
    read_page(connection, TableMapping(query.entity_type), query, CursorCodec("log"), SERIALIZER)
    connection.exec_trace = None
    return [
        [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
        for sql, values in statements
        if "document" in sql
    ]


def index_of(entity_type: EntityType[Any], field: Field) -> str:
    """Return how SQLite names the index of a field."""
    return "INTEGER PRIMARY KEY" if field.name == "id" else f"INDEX {entity_type.collection}_{field.name}"


@EVERY_FIELD
@BOTH_WAYS
@pytest.mark.parametrize("deep", [False, True], ids=["first", "deep"])
def test_every_sort_walks_an_index(
    connection: apsw.Connection, entity_type: EntityType[Any], field: Field, descending: bool, deep: bool
) -> None:
    """Nothing is sorted for a page in the order of one field, the first as little as any other."""
    query: Query[Any] = Query(entity_type=entity_type, order=(Order(field, descending=descending),))
    if deep:
        query = Query(entity_type=entity_type, order=query.order, after=query.position(SAMPLES[entity_type]))
    for plan in steps(connection, query):
        (step,) = plan
        assert index_of(entity_type, field) in step or (step == f"SCAN {entity_type.collection}" and field.name == "id")


@EVERY_FIELD
@BOTH_WAYS
@pytest.mark.usefixtures("common")
def test_common_matches_are_walked_past(
    connection: apsw.Connection, entity_type: EntityType[Any], field: Field, descending: bool
) -> None:
    """If nearly everything matches, the order is walked as without a condition."""
    where = tuple(
        Condition(each, Operator.EQ, getattr(SAMPLES[entity_type], each.name)) for each in entity_type.fields[:2]
    )
    query: Query[Any] = Query(
        entity_type=entity_type, where=where, search="widget", order=(Order(field, descending=descending),)
    )
    for plan in steps(connection, query):
        assert index_of(entity_type, field) in plan[0] or (
            plan[0] == f"SCAN {entity_type.collection}" and field.name == "id"
        )
        assert not any(SORTING in step for step in plan)


@EVERY_FIELD
@pytest.mark.parametrize("operator", Operator)
@pytest.mark.parametrize("names", ["", "created_at", "-updated_at"])
def test_rare_matches_are_sought(
    connection: apsw.Connection, entity_type: EntityType[Any], field: Field, operator: Operator, names: str
) -> None:
    """If little matches, the index of the field finds it, whatever the order."""
    operand: Any = getattr(SAMPLES[entity_type], field.name)
    if operand is None:
        operand = json_value(field.field_type, INSTEAD_OF_NONE[type(field.field_type)])
    operand = {Operator.NULL: False, Operator.IN: (operand, operand)}.get(operator, operand)
    order = tuple(Order(entity_type.by_name[name.lstrip("-")], name.startswith("-")) for name in names.split())
    query: Query[Any] = Query(entity_type=entity_type, where=(Condition(field, operator, operand),), order=order)
    for plan in steps(connection, query):
        if operator is Operator.NULL and not field.nullable:
            continue  # SQLite knows that it always holds
        assert plan[0].startswith(f"SEARCH {entity_type.collection} USING "), plan
        assert index_of(entity_type, field) in plan[0], plan


@pytest.mark.parametrize("entity_type", PUBLIC_TYPES, ids=repr)
@pytest.mark.parametrize("field_name", ["", "version", "-version"])
def test_a_search_asks_the_search_index(
    connection: apsw.Connection, entity_type: EntityType[Any], field_name: str
) -> None:
    """Three characters and more are found by their trigrams, and only then sorted."""
    order = (Order(entity_type.by_name["version"], field_name.startswith("-")),) if field_name else ()
    (plan,) = steps(connection, Query(entity_type=entity_type, search="nothing has this", order=order))
    assert plan[0].startswith(f"SCAN {entity_type.collection}_search VIRTUAL TABLE INDEX")
    assert plan[1] == f"SEARCH {entity_type.collection} USING INTEGER PRIMARY KEY (rowid=?)"
    assert bool(order) is any(SORTING in step for step in plan)


def test_equality_needs_no_sorting(connection: apsw.Connection) -> None:
    """In the order of ids, what has one value of a field is found in that order."""
    status = Condition(TASK.by_name["status"], Operator.EQ, SAMPLES[TASK].status)
    for after in (None, (0,)):
        (plan,) = steps(connection, Query(entity_type=TASK, where=(status,), after=after))
        (step,) = plan
        assert "INDEX tasks_status (status=?" in step


def test_the_rarest_is_sought(connection: apsw.Connection) -> None:
    """Of several conditions the one that finds the fewest is sought, whatever it looks like."""
    status = Condition(TASK.by_name["status"], Operator.EQ, SAMPLES[TASK].status)
    version = Condition(TASK.by_name["version"], Operator.GT, 1)
    (plan,) = steps(connection, Query(entity_type=TASK, where=(status, version)))
    assert "INDEX tasks_version" in plan[0]


@pytest.mark.parametrize(("common", "sought"), [(1, False), (2, True)])
def test_from_how_many_on_matches_are_common(
    connection: apsw.Connection, monkeypatch: pytest.MonkeyPatch, common: int, sought: bool
) -> None:
    """As many as are called common are walked past, and one fewer is sought."""
    monkeypatch.setattr(query_plans, "COMMON", common)
    status = Condition(TASK.by_name["status"], Operator.EQ, SAMPLES[TASK].status)
    (plan,) = steps(connection, Query(entity_type=TASK, where=(status,), order=(Order(TASK.by_name["version"]),)))
    assert sought is ("INDEX tasks_status" in plan[0])


def test_nothing_is_sought_twice(connection: apsw.Connection) -> None:
    """A unique value is looked for by its index when it is claimed."""
    rows = [row[3] for row in connection.execute("EXPLAIN QUERY PLAN SELECT id FROM products WHERE sku_key = 'a'")]
    assert ["SEARCH products USING COVERING INDEX products_sku (sku_key=?)"] == rows
