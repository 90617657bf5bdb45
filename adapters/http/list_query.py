"""From the parameters of a list to the query that they mean."""

from collections.abc import Iterator
from typing import Any

from adapters.http.cursors import ListCursors
from adapters.http.parameters import boolean, whole
from adapters.http.refusals import BadParameter, OutOfRange
from domain.kinds import Field, Kind
from domain.queries import DEFAULT_LIMIT, MAX_LIMIT, MAX_LISTED_VALUES, Condition, Operator, Order, Query
from domain.rules import Refused

MAX_SEARCH = 200

_PLAIN = ("limit", "cursor", "sort", "q", "total")


def filters(kind: Kind[Any]) -> Iterator[tuple[str, Field, Operator]]:
    """Return every filter of a kind: its name, its field and its operator."""
    for field in kind.fields:
        if field.listed:
            yield field.name, field, Operator.EQ
            yield from ((f"{field.name}[{each.value}]", field, each) for each in Operator if each is not Operator.EQ)


class ListParameters:
    """The parameters that lists of one kind take."""

    def __init__(self, kind: Kind[Any], cursors: ListCursors) -> None:
        self._kind = kind
        self._cursors = cursors
        self._filters = {name: (field, operator) for name, field, operator in filters(kind)}
        self.names = frozenset((*_PLAIN, *self._filters))

    def query(self, parameters: dict[str, str]) -> Query[Any]:
        """Return the query. Raises `BadParameter`, `OutOfRange` and `BadCursor`."""
        search = parameters.get("q", "")
        if len(search) > MAX_SEARCH:
            raise OutOfRange(f"q must have at most {MAX_SEARCH} characters", "query", "q")
        query = Query(
            kind=self._kind,
            where=tuple(self._condition(name, text) for name, text in parameters.items() if name in self._filters),
            search=search,
            order=self._order(parameters["sort"]) if "sort" in parameters else (),
            limit=whole(parameters, "limit", least=1, most=MAX_LIMIT, default=DEFAULT_LIMIT),
            total=boolean("total", parameters["total"]) if "total" in parameters else False,
        )
        if "cursor" not in parameters:
            return query
        return query.behind(self._cursors.read(query, parameters["cursor"]))

    def _condition(self, name: str, text: str) -> Condition:
        field, operator = self._filters[name]
        if operator is Operator.NULL:
            return Condition(field, operator, boolean(name, text))
        if operator is not Operator.IN:
            return Condition(field, operator, _value(name, field, text))
        texts = text.split(",")
        if len(texts) > MAX_LISTED_VALUES:
            raise OutOfRange(f"{name} must have at most {MAX_LISTED_VALUES} values", "query", name)
        return Condition(field, operator, tuple(_value(name, field, each) for each in texts))

    def _order(self, text: str) -> tuple[Order, ...]:
        order: list[Order] = []
        for each in text.split(","):
            field = self._kind.by_name.get(each.removeprefix("-"))
            if field is None or not field.listed:
                raise BadParameter(f"cannot sort by {each.removeprefix('-')!r}")
            if field in (known.field for known in order):
                raise BadParameter(f"sort names {field.name} twice")
            order.append(Order(field, descending=each.startswith("-")))
        return tuple(order)


def _value(name: str, field: Field, text: str) -> Any:
    try:
        return field.rule.read(text)
    except ValueError:
        raise BadParameter(f"{name} does not take {text[:100]!r}") from None
    except Refused as refused:
        raise OutOfRange(f"{name} {refused.reason}", "query", name) from None
