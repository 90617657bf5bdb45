"""Pages of a collection, read by index ranges so that a page at any depth costs the same."""

from collections.abc import Iterator
from typing import Any

import apsw
from attrs import frozen

from backroom.adapters.sqlite.connections import fetch
from backroom.adapters.sqlite.rows import Rows, SqlValue, sql
from backroom.domain.kinds import Field
from backroom.domain.numbering import Numbering
from backroom.domain.queries import Condition, Operator, Page, Query, Segment, Side, segments
from backroom.domain.records import Documents, Record
from backroom.domain.rules import Text

TRIGRAM = 3
MAX_TRIGRAMS = 16
COMMON_MATCHES = 10_000

_COMPARISONS = {Operator.GTE: ">=", Operator.GT: ">", Operator.LTE: "<=", Operator.LT: "<"}


@frozen
class Clause:
    """A piece of SQL with the values of its marks."""

    sql: str
    values: tuple[SqlValue, ...] = ()


def read_page(
    connection: apsw.Connection, rows: Rows, query: Query[Any], numbering: Numbering, documents: Documents
) -> Page:
    """Read a page in one transaction."""
    connection.execute("BEGIN")
    try:
        newest, revision = fetch(
            connection, "SELECT newest, (SELECT revision FROM collections WHERE kind = ?) FROM log", (query.kind.name,)
        )[0]
        selection = _Selection.of(connection, rows, query)
        found = selection.take(connection, query.limit + 1)
        total = selection.count(connection) if query.total else None
    finally:
        connection.execute("COMMIT")
    records = tuple(map(Record._make, found[: query.limit]))
    more = len(found) > query.limit
    return Page(
        records=records,
        next=query.place_of(records[-1], documents) if more else None,
        changes=numbering.cursor(newest),
        revision=numbering.cursor(revision or 0),
        total=total,
    )


@frozen(kw_only=True)
class _Selection:
    """The SQL of a query: where its rows come from, which of them, and in which order."""

    rows: Rows
    query: Query[Any]
    source: str
    where: tuple[Clause, ...]

    @classmethod
    def of(cls, connection: apsw.Connection, rows: Rows, query: Query[Any]) -> "_Selection":
        where = tuple(_condition(rows, each) for each in query.where)
        source = rows.table
        if query.search:
            where = (*where, Clause(f"instr({rows.table}.search, ?) > 0", (query.search,)))
            match = _match(query.search)
            if match and not (query.order and _is_common(connection, rows, match)):
                # The index gives ids in ascending order; CROSS JOIN keeps it outermost.
                source = f"{rows.table}_search CROSS JOIN {rows.table} ON {rows.table}.id = {rows.table}_search.rowid"
                where = (Clause(f"{rows.table}_search MATCH ?", (match,)), *where)
        return cls(rows=rows, query=query, source=source, where=where)

    @property
    def id(self) -> str:
        """The column of the id; the search index is in the order of its own."""
        return f"{self.rows.table}_search.rowid" if self.source != self.rows.table else "id"

    def take(self, connection: apsw.Connection, limit: int) -> list[Any]:
        if self.query.after is None:
            return self._select(connection, (), limit)
        found: list[Any] = []
        for segment in segments(self.query):
            found += self._select(connection, tuple(self._bounds(segment)), limit - len(found))
            if len(found) == limit:
                break
        return found

    def count(self, connection: apsw.Connection) -> int:
        condition, values = _joined(self.where)
        total: int = fetch(connection, f"SELECT count(*) FROM {self.source}{condition}", values)[0][0]
        return total

    def _select(self, connection: apsw.Connection, bounds: tuple[Clause, ...], limit: int) -> list[Any]:
        condition, values = _joined((*self.where, *bounds))
        order = ", ".join((*(self._ordered(index) for index in range(len(self.query.order))), self.id))
        statement = f"SELECT id, version, document FROM {self.source}{condition} ORDER BY {order} LIMIT ?"
        return fetch(connection, statement, (*values, limit))

    def _ordered(self, index: int) -> str:
        order = self.query.order[index]
        direction = "DESC" if order.descending else "ASC"
        nulls = " NULLS LAST" if order.field.nullable else ""
        return f"{self._column(index)} {direction}{nulls}"

    def _column(self, index: int) -> str:
        return self.rows.column(self.query.order[index].field)

    def _bounds(self, segment: Segment) -> Iterator[Clause]:
        for index, key in enumerate(segment.same):
            yield self._same(index, key)
        here = len(segment.same)
        match segment.side:
            case Side.SAME:
                yield Clause(f"{self.id} > ?", (segment.key,))
            case Side.NULL:
                yield self._same(here, None)
            case Side.BEYOND:
                sign = "<" if self.query.order[here].descending else ">"
                yield Clause(f"{self._column(here)} {sign} ?", (sql(segment.key),))

    def _same(self, index: int, key: Any) -> Clause:
        if key is None:
            return Clause(f"{self._column(index)} IS NULL")
        return Clause(f"{self._column(index)} = ?", (sql(key),))


def _joined(clauses: tuple[Clause, ...]) -> tuple[str, tuple[SqlValue, ...]]:
    if not clauses:
        return "", ()
    values = tuple(value for clause in clauses for value in clause.values)
    return " WHERE " + " AND ".join(clause.sql for clause in clauses), values


def _condition(rows: Rows, condition: Condition) -> Clause:
    field, operand, column = condition.field, condition.operand, rows.column(condition.field)
    if condition.operator is Operator.NULL:
        return Clause(f"{column} IS {'' if operand else 'NOT '}NULL")
    if condition.operator in _COMPARISONS:
        return Clause(f"{column} {_COMPARISONS[condition.operator]} ?", (rows.key(field, operand),))
    return same_value(rows, field, operand if condition.operator is Operator.IN else (operand,))


def same_value(rows: Rows, field: Field, operands: tuple[Any, ...]) -> Clause:
    """Return the condition that a field has exactly one of some values."""
    by_key = _one_of(rows.column(field), tuple(rows.key(field, each) for each in operands))
    if not isinstance(field.rule, Text):
        return by_key
    # The folded column narrows down what is then compared exactly.
    exact = _one_of(f"document ->> '$.{field.name}'", operands)
    return Clause(f"{by_key.sql} AND {exact.sql}", (*by_key.values, *exact.values))


def _one_of(column: str, values: tuple[SqlValue, ...]) -> Clause:
    if len(values) == 1:
        return Clause(f"{column} = ?", values)
    return Clause(f"{column} IN ({', '.join('?' * len(values))})", values)


def _match(search: str) -> str | None:
    """Return a search expression that every text with `search` in it satisfies, or None for too short a text."""
    trigrams = dict.fromkeys(search[index : index + TRIGRAM] for index in range(len(search) - TRIGRAM + 1))
    quoted = ['"' + trigram.replace('"', '""') + '"' for trigram in list(trigrams)[:MAX_TRIGRAMS]]
    return " AND ".join(quoted) or None


def _is_common(connection: apsw.Connection, rows: Rows, match: str) -> bool:
    """Tell whether so many rows match that walking them in order finds a page sooner than sorting all of them."""
    sql = f"SELECT count(*) FROM (SELECT 1 FROM {rows.table}_search WHERE {rows.table}_search MATCH ? LIMIT ?)"
    return bool(fetch(connection, sql, (match, COMMON_MATCHES))[0][0] == COMMON_MATCHES)
