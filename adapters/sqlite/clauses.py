"""The conditions of a query in SQL."""

from collections.abc import Iterator, Sequence
from typing import Any

from attrs import evolve, frozen

from adapters.sqlite.rows import Rows, SqlValue
from domain.kinds import Field
from domain.queries import Condition, Operator
from domain.rules import Text

_COMPARISONS = {Operator.GTE: ">=", Operator.GT: ">", Operator.LTE: "<=", Operator.LT: "<"}


@frozen
class Clause:
    """A test of a column or expression, with the values of its marks.

    `seekable` tells that an index can find what passes; `single`, that it finds that in ascending order of ids.
    """

    on: str
    test: str
    values: tuple[SqlValue, ...] = ()
    seekable: bool = True
    single: bool = False

    def not_sought(self) -> "Clause":
        """Return the same test, which SQLite makes of each row that it comes by, and does not use an index for."""
        return evolve(self, on=f"+{self.on}") if self.seekable else self


def where(clauses: Sequence[Clause]) -> tuple[str, tuple[SqlValue, ...]]:
    """Return what makes a statement test all of these."""
    sql = " AND ".join(f"{clause.on} {clause.test}" for clause in clauses)
    return (f" WHERE {sql}" if sql else ""), tuple(value for clause in clauses for value in clause.values)


def conditions(rows: Rows, each: Condition) -> Iterator[Clause]:
    """Return what tests a condition."""
    column = rows.column(each.field)
    if each.operator is Operator.NULL and each.operand:
        yield Clause(column, "IS NULL", single=True)
    elif each.operator is Operator.NULL:  # SQLite does not seek IS NOT NULL, but this, which all that is there passes
        yield Clause(column, ">= ?", (rows.least(each.field),))
    elif each.operator in _COMPARISONS:
        yield Clause(column, f"{_COMPARISONS[each.operator]} ?", (rows.key(each.field, each.operand),))
    else:
        yield from same_value(rows, each.field, each.operand if each.operator is Operator.IN else (each.operand,))


def same_value(rows: Rows, field: Field, operands: tuple[Any, ...]) -> Iterator[Clause]:
    """Return what tests that a field has exactly one of some values."""
    yield _one_of(rows.column(field), tuple(rows.key(field, each) for each in operands))
    if isinstance(field.rule, Text):  # the folded column narrows down what is then compared exactly
        yield _one_of(f"document ->> '$.{field.name}'", operands, seekable=False)


def _one_of(on: str, values: tuple[SqlValue, ...], *, seekable: bool = True) -> Clause:
    if len(values) == 1:
        return Clause(on, "= ?", values, seekable=seekable, single=seekable)
    return Clause(on, f"IN ({', '.join('?' * len(values))})", values, seekable=seekable)
