"""How a page is found: by seeking what passes one condition, or by walking the order and testing each row.

SQLite decides by the form of a query alone, and is wrong by a factor of a thousand where a condition that it walks
past hardly ever holds, or one that it seeks nearly always does. Here the index is asked first.
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
"""So many matches or more are found sooner by walking, fewer by sorting: about where both read 10,000 of 1,000,000."""


@frozen(kw_only=True)
class QueryPlan:
    """Where the rows of a page come from, and what is tested of them.

    `walks` tells that they come in the order of an index; else they are sorted. `id` is the column of the id.
    """

    source: str
    id: str
    tests: tuple[SqlCondition, ...]
    walks: bool = True


def page_plan(connection: apsw.Connection, rows: TableMapping, query: Query[Any]) -> QueryPlan:
    """Seek what finds the fewest rows, if those are few; else walk, and seek only what comes in the right order."""
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
    """Leave it to SQLite what to seek, since all has to be found anyway."""
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
    """Return the plan that seeks one way, and tests all else of the rows that it comes by."""
    index = _index(rows)
    # What the search index can find is only ever sought there: the text itself is tested anyway.
    others = (clause.not_sought() for clause in tests if clause not in way and clause.on != index)
    if not any(clause.on == index for clause in way):
        return QueryPlan(source=rows.table, id="id", tests=(*way, *others), walks=walks)
    # It gives ids in ascending order; CROSS JOIN keeps it outermost.
    source = f"{index} CROSS JOIN {rows.table} ON {rows.table}.id = {index}.rowid"
    return QueryPlan(source=source, id=f"{index}.rowid", tests=(*way, *others), walks=walks)


def _count(connection: apsw.Connection, rows: TableMapping, way: tuple[SqlCondition, ...]) -> int:
    """Return how many rows a way finds, or `COMMON` where it is that many or more."""
    condition, values = where(way)
    source = way[0].on if way[0].on == _index(rows) else rows.table
    counted = f"SELECT count(*) FROM (SELECT 1 FROM {source}{condition} LIMIT {COMMON})"
    found: int = fetch(connection, counted, values)[0][0]
    return found


def _index(rows: TableMapping) -> str:
    return f"{rows.table}_search"


def _match(search: str) -> str | None:
    """Return a search expression that every text with `search` in it satisfies, or None for too short a text."""
    trigrams = dict.fromkeys(search[index : index + TRIGRAM] for index in range(len(search) - TRIGRAM + 1))
    quoted = ['"' + trigram.replace('"', '""') + '"' for trigram in list(trigrams)[:MAX_TRIGRAMS]]
    return " AND ".join(quoted) or None
