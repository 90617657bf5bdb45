"""SQLite finds every page by an index: no query reads or sorts more of the table than it must."""

from collections.abc import Iterator
from typing import Any

import apsw
import pytest

from adapters.sqlite import plans
from adapters.sqlite.connections import migrate
from adapters.sqlite.pages import read_page
from adapters.sqlite.rows import Rows
from domain.kinds import Field, Kind
from domain.numbering import Numbering
from domain.published import PUBLISHED
from domain.queries import Condition, Operator, Order, Query
from domain.rules import Day, Moment, Rule, Text, Whole
from domain.task import TASK
from tests.builders import DOCUMENTS, NOON, create, record

SAMPLES: dict[Kind[Any], Any] = {kind: create(kind).decide(None, 1, NOON) for kind in PUBLISHED}
INSTEAD_OF_NONE: dict[type[Rule], object] = {Text: "any", Whole: 1, Day: "2026-01-31", Moment: "2026-01-31T12:00:00Z"}
LISTED = [(kind, field) for kind in PUBLISHED for field in kind.fields if field.listed]
EVERY_FIELD = pytest.mark.parametrize(("kind", "field"), LISTED, ids=[f"{k.name}-{f.name}" for k, f in LISTED])
BOTH_WAYS = pytest.mark.parametrize("descending", [False, True], ids=["up", "down"])

SORTING = "USE TEMP B-TREE"


@pytest.fixture
def connection() -> Iterator[apsw.Connection]:
    """Return a database with one entity of each kind."""
    opened = apsw.Connection(":memory:")
    migrate(opened)
    for kind, entity in SAMPLES.items():
        Rows(kind).insert(opened, [(record(kind, entity), entity)])
    yield opened
    opened.close()


@pytest.fixture
def common(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every condition hold so often that it is not worth seeking."""
    monkeypatch.setattr(plans, "COMMON", 0)


def steps(connection: apsw.Connection, query: Query[Any]) -> list[list[str]]:
    """Return how SQLite carries out each statement that reads records of a page."""
    statements: list[tuple[str, Any]] = []

    def note(_: apsw.Cursor, sql: str, values: Any) -> bool:
        statements.append((sql, values))
        return True

    connection.exec_trace = note
    read_page(connection, Rows(query.kind), query, Numbering("log"), DOCUMENTS)
    connection.exec_trace = None
    return [
        [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
        for sql, values in statements
        if "document" in sql
    ]


def index_of(kind: Kind[Any], field: Field) -> str:
    """Return how SQLite names the index of a field."""
    return "INTEGER PRIMARY KEY" if field.name == "id" else f"INDEX {kind.collection}_{field.name}"


@EVERY_FIELD
@BOTH_WAYS
@pytest.mark.parametrize("deep", [False, True], ids=["first", "deep"])
def test_every_sort_walks_an_index(
    connection: apsw.Connection, kind: Kind[Any], field: Field, descending: bool, deep: bool
) -> None:
    """Nothing is sorted for a page in the order of one field, the first as little as any other."""
    query: Query[Any] = Query(kind=kind, order=(Order(field, descending=descending),))
    if deep:
        query = Query(kind=kind, order=query.order, after=query.place(SAMPLES[kind]))
    for plan in steps(connection, query):
        (step,) = plan
        assert index_of(kind, field) in step or (step == f"SCAN {kind.collection}" and field.name == "id")


@EVERY_FIELD
@BOTH_WAYS
@pytest.mark.usefixtures("common")
def test_common_matches_are_walked_past(
    connection: apsw.Connection, kind: Kind[Any], field: Field, descending: bool
) -> None:
    """Where nearly everything matches, the order is walked just as if nothing had to match."""
    where = tuple(Condition(each, Operator.EQ, getattr(SAMPLES[kind], each.name)) for each in kind.fields[:2])
    query: Query[Any] = Query(kind=kind, where=where, search="widget", order=(Order(field, descending=descending),))
    for plan in steps(connection, query):
        assert index_of(kind, field) in plan[0] or (plan[0] == f"SCAN {kind.collection}" and field.name == "id")
        assert not any(SORTING in step for step in plan)


@EVERY_FIELD
@pytest.mark.parametrize("operator", Operator)
@pytest.mark.parametrize("names", ["", "created_at", "-updated_at"])
def test_rare_matches_are_sought(
    connection: apsw.Connection, kind: Kind[Any], field: Field, operator: Operator, names: str
) -> None:
    """Where little matches, that is found by the index of its field, whatever the order."""
    operand: Any = getattr(SAMPLES[kind], field.name)
    if operand is None:
        operand = field.rule.check(INSTEAD_OF_NONE[type(field.rule)])
    operand = {Operator.NULL: False, Operator.IN: (operand, operand)}.get(operator, operand)
    order = tuple(Order(kind.by_name[name.lstrip("-")], name.startswith("-")) for name in names.split())
    query: Query[Any] = Query(kind=kind, where=(Condition(field, operator, operand),), order=order)
    for plan in steps(connection, query):
        if operator is Operator.NULL and not field.nullable:
            continue  # SQLite knows that it always holds
        assert plan[0].startswith(f"SEARCH {kind.collection} USING "), plan
        assert index_of(kind, field) in plan[0], plan


@pytest.mark.parametrize("kind", PUBLISHED, ids=repr)
@pytest.mark.parametrize("field_name", ["", "version", "-version"])
def test_a_search_asks_the_search_index(connection: apsw.Connection, kind: Kind[Any], field_name: str) -> None:
    """Three characters and more are found by their trigrams, and only then sorted."""
    order = (Order(kind.by_name["version"], field_name.startswith("-")),) if field_name else ()
    (plan,) = steps(connection, Query(kind=kind, search="nothing has this", order=order))
    assert plan[0].startswith(f"SCAN {kind.collection}_search VIRTUAL TABLE INDEX")
    assert plan[1] == f"SEARCH {kind.collection} USING INTEGER PRIMARY KEY (rowid=?)"
    assert bool(order) is any(SORTING in step for step in plan)


def test_equality_needs_no_sorting(connection: apsw.Connection) -> None:
    """In the order of ids, what has one value of a field is found in that order."""
    status = Condition(TASK.by_name["status"], Operator.EQ, SAMPLES[TASK].status)
    for after in (None, (0,)):
        (plan,) = steps(connection, Query(kind=TASK, where=(status,), after=after))
        (step,) = plan
        assert "INDEX tasks_status (status=?" in step


def test_the_rarest_is_sought(connection: apsw.Connection) -> None:
    """Of several conditions the one that finds the fewest is sought, whatever it looks like."""
    status = Condition(TASK.by_name["status"], Operator.EQ, SAMPLES[TASK].status)
    version = Condition(TASK.by_name["version"], Operator.GT, 1)
    (plan,) = steps(connection, Query(kind=TASK, where=(status, version)))
    assert "INDEX tasks_version" in plan[0]


@pytest.mark.parametrize(("common", "sought"), [(1, False), (2, True)])
def test_from_how_many_on_matches_are_common(
    connection: apsw.Connection, monkeypatch: pytest.MonkeyPatch, common: int, sought: bool
) -> None:
    """As many as are called common are walked past, and one fewer is sought."""
    monkeypatch.setattr(plans, "COMMON", common)
    status = Condition(TASK.by_name["status"], Operator.EQ, SAMPLES[TASK].status)
    (plan,) = steps(connection, Query(kind=TASK, where=(status,), order=(Order(TASK.by_name["version"]),)))
    assert sought is ("INDEX tasks_status" in plan[0])


def test_nothing_is_sought_twice(connection: apsw.Connection) -> None:
    """A unique value is looked for by its index when it is claimed."""
    rows = [row[3] for row in connection.execute("EXPLAIN QUERY PLAN SELECT id FROM products WHERE sku_key = 'a'")]
    assert ["SEARCH products USING COVERING INDEX products_sku (sku_key=?)"] == rows
