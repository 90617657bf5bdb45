"""Pages of a collection, each read in one statement by index ranges: a page at any depth costs the same."""

from collections.abc import Iterator
from typing import Any

from attrs import Factory, frozen

from adapters.postgres.connections import Connection
from adapters.postgres.log import NEWEST, newest_of
from adapters.postgres.table_mapping import TableMapping, cast, operand
from domain.cursor_codec import CursorCodec
from domain.entity_type import Field
from domain.field_types import String
from domain.queries import Condition, Operator, Page, Query, Segment, Side, segments
from domain.stored_entity import Serializer, StoredEntity

_COMPARISONS = {Operator.GTE: ">=", Operator.GT: ">", Operator.LTE: "<=", Operator.LT: "<"}
_WILD = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


async def read_page(
    connection: Connection, rows: TableMapping, query: Query[Any], cursor_codec: CursorCodec, documents: Serializer
) -> Page:
    """Read a page."""
    selection = Selection(rows, query)
    found = await connection.fetch(selection.sql(), *selection.values)
    first = found[0]
    records = tuple(StoredEntity(row["id"], row["version"], row["document"]) for row in found if row["id"] is not None)
    shown, more = records[: query.limit], len(records) > query.limit
    return Page(
        records=shown,
        next=query.position_of(shown[-1], documents) if more else None,
        changes=cursor_codec.cursor(first["newest"]),
        revision=cursor_codec.cursor(first["newest_of_kind"]),
        total=first["total"],
    )


@frozen
class Selection:
    """A statement of a query, with its values.

    Each row of a page has an entity and the newest number of the log, because one statement sees one snapshot. If no
    entity matches, there is still one row, without an entity.
    """

    rows: TableMapping
    query: Query[Any]
    values: list[Any] = Factory(list)

    def all(self) -> str:
        """Return the statement that reads every entity that matches, by id; collect its values."""
        return f"SELECT id, version, document FROM {self.rows.table}{_joined(self._tests())} ORDER BY id"

    def count(self) -> str:
        """Return the statement that counts them; collect its values."""
        return f"SELECT count(*) FROM {self.rows.table}{_joined(self._tests())}"

    def sql(self) -> str:
        """Return the statement; collect its values."""
        where = self._tests()
        limit = self.query.limit + 1  # a literal, because the best plan depends on it
        pieces = [f"({self._select([*where, *bounds], order, limit)})" for bounds, order in self._pieces()]
        # PostgreSQL reads the pieces one after the other and stops once the page is full. Each piece has its own limit,
        # so that PostgreSQL never reads one in parallel.
        found = f"SELECT * FROM ({' UNION ALL '.join(pieces)}) AS pieces LIMIT {limit}"
        total = f"(SELECT count(*) FROM {self.rows.table}{_joined(where)})" if self.query.total else "NULL::bigint"
        return (
            f"SELECT log.*, {total} AS total, found.* FROM"
            f" (SELECT {NEWEST} AS newest, {newest_of(self.query.entity_type.name)} AS newest_of_kind) AS log"
            f" LEFT JOIN ({found}) AS found ON true"
        )

    def _tests(self) -> list[str]:
        """Return what every entity that is found must satisfy."""
        tests = [self._condition(each) for each in self.query.where]
        if self.query.search:
            tests.append(f"search LIKE {self._mark(f'%{self.query.search.translate(_WILD)}%')}")
        return tests

    def _select(self, where: list[str], order: str, limit: int) -> str:
        return f"SELECT id, version, document FROM {self.rows.table}{_joined(where)} ORDER BY {order} LIMIT {limit}"

    def _pieces(self) -> Iterator[tuple[list[str], str]]:
        """Yield the conditions and the sort order of each piece."""
        order = ", ".join([*(self._ordered(index) for index in range(len(self.query.order))), "id"])
        if self.query.after is None:
            yield [], order
        for segment in segments(self.query):
            if segment.side is Side.SAME and len(segment.same) == 1 and segment.same[0] is not None:
                yield self._rest_of_ties(segment.same[0], segment.key)
            else:
                yield list(self._bounds(segment)), order

    def _rest_of_ties(self, key: Any, id: int) -> tuple[list[str], str]:
        """Compare pairs (column, id), so that only their common index gives the order.

        For "x = 5 and id > 7" the planner may walk all ids from 7 on, even if few of them have x = 5.
        """
        column, mark = self._column(0), self._key_mark(0, key)
        return [f"({column}, id) > ({mark}, {self._mark(id)})", f"{column} <= {mark}"], f"{column}, id"

    def _ordered(self, index: int) -> str:
        direction = "DESC NULLS LAST" if self.query.order[index].descending else "ASC"
        return f"{self._column(index)} {direction}"

    def _column(self, index: int) -> str:
        return self.rows.column(self.query.order[index].field)

    def _bounds(self, segment: Segment) -> Iterator[str]:
        for index, key in enumerate(segment.same):
            yield self._same(index, key)
        here = len(segment.same)
        match segment.side:
            case Side.SAME:
                yield f"id > {self._mark(segment.key)}"
            case Side.NULL:
                yield self._same(here, None)
            case Side.BEYOND:
                sign = "<" if self.query.order[here].descending else ">"
                yield f"{self._column(here)} {sign} {self._key_mark(here, segment.key)}"

    def _same(self, index: int, key: Any) -> str:
        column = self._column(index)
        return f"{column} IS NULL" if key is None else f"{column} = {self._key_mark(index, key)}"

    def _key_mark(self, index: int, key: Any) -> str:
        return self._operand(self.query.order[index].field, key)

    def _condition(self, condition: Condition) -> str:
        field, wanted, column = condition.field, condition.operand, self.rows.column(condition.field)
        if condition.operator is Operator.NULL:
            return f"{column} IS {'' if wanted else 'NOT '}NULL"
        if condition.operator in _COMPARISONS:
            return f"{column} {_COMPARISONS[condition.operator]} {self._operand(field, self.rows.key(field, wanted))}"
        values = list(wanted) if condition.operator is Operator.IN else [wanted]
        by_key = self._one_of(column, field, [self.rows.key(field, each) for each in values])
        if not isinstance(field.field_type, String):
            return by_key
        # The folded column finds candidates, and the exact comparison decides.
        return f"{by_key} AND {self._one_of(f'document::json ->> {field.name!r}', field, values)}"

    def _one_of(self, column: str, field: Field, keys: list[Any]) -> str:
        if len(keys) == 1:
            return f"{column} = {self._operand(field, keys[0])}"
        return f"{column} = ANY({self._operand(field, keys)})"

    def _operand(self, field: Field, key: Any) -> str:
        return self._mark(operand(field, key)) + cast(field, many=isinstance(key, list))

    def _mark(self, value: Any) -> str:
        self.values.append(value)
        return f"${len(self.values)}"


def _joined(where: list[str]) -> str:
    return f" WHERE {' AND '.join(where)}" if where else ""
