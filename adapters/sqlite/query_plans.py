"""Query plans: seek the rows that match one condition, or walk the sort order and test each row.

SQLite decides by the form of a query alone. It is wrong by a factor of a thousand where it walks past a condition that
hardly ever holds, or seeks one that nearly always does. This module asks the index first.
"""

from itertools import groupby
from operator import attrgetter
from typing import Any

import apsw
from attrs import frozen

from adapters.sqlite.conditions import SqlCondition, conditions, where
from adapters.sqlite.connections import fetch
from adapters.sqlite.table_mapping import TableMapping
from domain.queries import Query

TRIGRAM = 3
MAX_TRIGRAMS = 16

COMMON = 10_000
"""From so many matches on, walking is faster than sorting. Both take about the same for 10,000 rows of 1,000,000."""


@frozen(kw_only=True)
class QueryPlan:
    """The source of a page's rows, and the conditions to test on them.

    `walks`: the rows come in the order of an index; otherwise they are sorted. `id` is the id column.
    """

    source: str
    id: str
    tests: tuple[SqlCondition, ...]
    walks: bool = True


def page_plan(connection: apsw.Connection, rows: TableMapping, query: Query[Any]) -> QueryPlan:
    """Seek the condition with the fewest rows, if they are few; else walk, and seek only what keeps the order."""
    tests = _tests(rows, query)
    sought = sorted((clause for clause in tests if clause.seekable), key=attrgetter("on"))
    ways = [tuple(group) for _, group in groupby(sought, attrgetter("on"))]
    in_order = [way for way in ways if not query.order and len(way) == 1 and way[0].single]
    if ways and ways != in_order[:1]:
        matches, fewest = min((_count(connection, rows, way), index) for index, way in enumerate(ways))
        if matches < COMMON:
            return _plan(rows, tests, ways[fewest], walks=ways[fewest] in in_order)
    return _plan(rows, tests, in_order[0] if in_order else ())


def count_plan(rows: TableMapping, query: Query[Any]) -> QueryPlan:
    """Leave the choice to SQLite, because a count reads all matching rows anyway."""
    tests = _tests(rows, query)
    return _plan(rows, tests, tests)


def _tests(rows: TableMapping, query: Query[Any]) -> tuple[SqlCondition, ...]:
    tests = [clause for each in query.where for clause in conditions(rows, each)]
    if query.search:
        tests.append(SqlCondition(f"instr({rows.table}.search, ?)", "> 0", (query.search,), seekable=False))
    match = _match(query.search)
    if match is not None:
        tests.append(SqlCondition(_index(rows), "MATCH ?", (match,), single=True))
    return tuple(tests)


def _plan(
    rows: TableMapping, tests: tuple[SqlCondition, ...], way: tuple[SqlCondition, ...], *, walks: bool = True
) -> QueryPlan:
    """Return the plan that seeks `way` and tests the other conditions on each row."""
    index = _index(rows)
    # A condition on the search index serves only for seeking, because another condition tests the text itself.
    others = (clause.not_sought() for clause in tests if clause not in way and clause.on != index)
    if not any(clause.on == index for clause in way):
        return QueryPlan(source=rows.table, id="id", tests=(*way, *others), walks=walks)
    # The search index returns ascending ids; CROSS JOIN keeps it the outermost loop.
    source = f"{index} CROSS JOIN {rows.table} ON {rows.table}.id = {index}.rowid"
    return QueryPlan(source=source, id=f"{index}.rowid", tests=(*way, *others), walks=walks)


def _count(connection: apsw.Connection, rows: TableMapping, way: tuple[SqlCondition, ...]) -> int:
    """Return how many rows a way finds, at most `COMMON`."""
    condition, values = where(way)
    source = way[0].on if way[0].on == _index(rows) else rows.table
    counted = f"SELECT count(*) FROM (SELECT 1 FROM {source}{condition} LIMIT {COMMON})"
    found: int = fetch(connection, counted, values)[0][0]
    return found


def _index(rows: TableMapping) -> str:
    return f"{rows.table}_search"


def _match(search: str) -> str | None:
    """Return a search expression that every text containing `search` matches, or None if `search` is too short."""
    trigrams = dict.fromkeys(search[index : index + TRIGRAM] for index in range(len(search) - TRIGRAM + 1))
    quoted = ['"' + trigram.replace('"', '""') + '"' for trigram in list(trigrams)[:MAX_TRIGRAMS]]
    return " AND ".join(quoted) or None
