"""The conditions of a query in SQL."""

from collections.abc import Iterator, Sequence
from typing import Any

from attrs import evolve, frozen

from adapters.sqlite.table_mapping import SqlValue, TableMapping
from domain.entity_type import Field
from domain.field_types import String
from domain.queries import Condition, Operator

_COMPARISONS = {Operator.GTE: ">=", Operator.GT: ">", Operator.LTE: "<=", Operator.LT: "<"}


@frozen
class SqlCondition:
    """A condition on a column or expression, with the values of its placeholders.

    `seekable`: an index can find the matching rows. `single`: it finds them in ascending order of ids.
    """

    on: str
    test: str
    values: tuple[SqlValue, ...] = ()
    seekable: bool = True
    single: bool = False

    def not_sought(self) -> "SqlCondition":
        """Return the same condition in a form for which SQLite uses no index: it tests each row it reads."""
        return evolve(self, on=f"+{self.on}") if self.seekable else self


def where(clauses: Sequence[SqlCondition]) -> tuple[str, tuple[SqlValue, ...]]:
    """Return the WHERE clause that joins all these conditions."""
    sql = " AND ".join(f"{clause.on} {clause.test}" for clause in clauses)
    return (f" WHERE {sql}" if sql else ""), tuple(value for clause in clauses for value in clause.values)


def conditions(rows: TableMapping, each: Condition) -> Iterator[SqlCondition]:
    """Return a condition in SQL."""
    column = rows.column(each.field)
    if each.operator is Operator.NULL and each.operand:
        yield SqlCondition(column, "IS NULL", single=True)
    elif each.operator is Operator.NULL:  # every value that is not null passes; SQLite seeks this, but not IS NOT NULL
        yield SqlCondition(column, ">= ?", (rows.least(each.field),))
    elif each.operator in _COMPARISONS:
        yield SqlCondition(column, f"{_COMPARISONS[each.operator]} ?", (rows.key(each.field, each.operand),))
    else:
        yield from same_value(rows, each.field, each.operand if each.operator is Operator.IN else (each.operand,))


def same_value(rows: TableMapping, field: Field, operands: tuple[Any, ...]) -> Iterator[SqlCondition]:
    """Return the condition that a field has exactly one of some values."""
    yield _one_of(rows.column(field), tuple(rows.key(field, each) for each in operands))
    if isinstance(field.field_type, String):  # the folded column finds candidates; the document decides
        yield _one_of(f"document ->> '$.{field.name}'", operands, seekable=False)


def _one_of(on: str, values: tuple[SqlValue, ...], *, seekable: bool = True) -> SqlCondition:
    if len(values) == 1:
        return SqlCondition(on, "= ?", values, seekable=seekable, single=seekable)
    return SqlCondition(on, f"IN ({', '.join('?' * len(values))})", values, seekable=seekable)
