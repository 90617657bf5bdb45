"""Pages of a collection, read by index ranges: a page at any depth costs the same."""

from collections.abc import Iterator
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any

import apsw
from attrs import frozen

from adapters.sqlite.conditions import SqlCondition, where
from adapters.sqlite.connections import fetch
from adapters.sqlite.query_plans import QueryPlan, count_plan, page_plan
from adapters.sqlite.table_mapping import TableMapping, sql
from domain.cursor_codec import CursorCodec
from domain.queries import Page, Query, Segment, Side, segments
from domain.stored_entity import Serializer, StoredEntity

_RECORD = "id, version, document"
record = partial(tuple.__new__, StoredEntity)  # skips the check of `_make`: the statement names the columns


def read_page(
    connection: apsw.Connection, rows: TableMapping, query: Query[Any], cursor_codec: CursorCodec, documents: Serializer
) -> Page:
    """Read a page from the connection's snapshot."""
    newest, revision = fetch(
        connection,
        "SELECT newest, (SELECT revision FROM collections WHERE kind = ?) FROM log",
        (query.entity_type.name,),
    )[0]
    if query.is_plain:  # as most are
        found = fetch(connection, rows.behind, (*(query.after or (0,)), query.limit + 1))
    else:
        plan = page_plan(connection, rows, query)
        found = _Selection(connection=connection, rows=rows, query=query, plan=plan).take(query.limit + 1)
    total = count(connection, count_plan(rows, query)) if query.total else None
    records = tuple(map(record, found[: query.limit]))
    more = len(found) > query.limit
    return Page(
        records=records,
        next=query.position_of(records[-1], documents) if more else None,
        changes=cursor_codec.cursor(newest),
        revision=cursor_codec.cursor(revision or 0),
        total=total,
    )


@frozen(kw_only=True)
class _Selection:
    """Reads the rows of a plan, segment by segment."""

    connection: apsw.Connection
    rows: TableMapping
    query: Query[Any]
    plan: QueryPlan

    def take(self, limit: int) -> list[Any]:
        if self.query.after is None:
            return self._range((), limit)
        found: list[Any] = []
        for segment in segments(self.query):
            read = self._range if segment.side is Side.BEYOND else self._sorted
            found += read(tuple(self._bounds(segment)), limit - len(found))
            if len(found) == limit:
                break
        return found

    def _range(self, bounds: tuple[SqlCondition, ...], limit: int) -> list[Any]:
        """Read a range in which the first field varies.

        Under each key an index has ids in ascending order, so reading it backwards gives them in descending order.
        SQLite would turn them around by sorting all ids of a key, however many. This method turns each key around in
        the page instead. It reads only the last key again from its first id, because the limit may have cut that off.
        """
        if not self._turns_ids_around():
            return self._sorted(bounds, limit)
        column = self._column(0)
        rows = self._select(f"{column}, {_RECORD}", bounds, f"{column} DESC, id DESC", limit)
        groups = [(key, list(group)) for key, group in groupby(rows, itemgetter(0))]
        key, cut = groups.pop() if len(rows) == limit else (None, [])
        found = [row[1:] for _, group in groups for row in reversed(group)]
        return found + self._sorted((*bounds, self._same(0, key)), len(cut)) if cut else found

    def _turns_ids_around(self) -> bool:
        by_index = self.plan.walks and len(self.query.order) == 1
        return by_index and self.query.order[0].descending and self._column(0) != "id"

    def _sorted(self, bounds: tuple[SqlCondition, ...], limit: int) -> list[Any]:
        terms = [self._ordered(index) for index in range(len(self.query.order))]
        return self._select(_RECORD, bounds, ", ".join((*terms, self._walked(self.plan.id))), limit)

    def _select(self, columns: str, bounds: tuple[SqlCondition, ...], order: str, limit: int) -> list[Any]:
        condition, values = where((*self.plan.tests, *bounds))
        statement = f"SELECT {columns} FROM {self.plan.source}{condition} ORDER BY {order} LIMIT ?"
        return fetch(self.connection, statement, (*values, limit))

    def _ordered(self, index: int) -> str:
        order = self.query.order[index]
        direction = "DESC" if order.descending else "ASC"
        nulls = " NULLS LAST" if order.field.nullable else ""
        return f"{self._column(index)} {direction}{nulls}"

    def _column(self, index: int) -> str:
        return self._walked(self.rows.column(self.query.order[index].field))

    def _walked(self, column: str) -> str:
        """Keep SQLite from walking the index of a column, unless the plan walks it."""
        return column if self.plan.walks else f"+{column}"

    def _bounds(self, segment: Segment) -> Iterator[SqlCondition]:
        for index, key in enumerate(segment.same):
            yield self._same(index, key)
        here = len(segment.same)
        match segment.side:
            case Side.SAME:
                yield SqlCondition(self._walked(self.plan.id), "> ?", (segment.key,))
            case Side.NULL:
                yield self._same(here, None)
            case Side.BEYOND:
                sign = "<" if self.query.order[here].descending else ">"
                yield SqlCondition(self._column(here), f"{sign} ?", (sql(segment.key),))

    def _same(self, index: int, key: Any) -> SqlCondition:
        if key is None:
            return SqlCondition(self._column(index), "IS NULL")
        return SqlCondition(self._column(index), "= ?", (sql(key),))


def count(connection: apsw.Connection, plan: QueryPlan) -> int:
    """Return how many rows a plan finds."""
    condition, values = where(plan.tests)
    total: int = fetch(connection, f"SELECT count(*) FROM {plan.source}{condition}", values)[0][0]
    return total
