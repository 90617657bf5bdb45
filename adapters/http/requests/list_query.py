"""Turns the parameters of a list into a query."""

from collections.abc import Iterator
from typing import Any

from adapters.http.requests.cursors import ListCursors
from adapters.http.requests.parameters import boolean, whole
from adapters.http.responses.http_errors import BadParameter, OutOfRange
from domain.entity_type import EntityType, Field
from domain.field_types import Date, EnumField, FieldType, Integer, Money, Timestamp, ValidationError
from domain.parsing import from_text
from domain.queries import DEFAULT_LIMIT, MAX_LIMIT, MAX_LISTED_VALUES, Condition, Operator, Order, Query
from domain.suggestions import MAX_COMPARED, suggestion

MAX_SEARCH = 200

_PLAIN = ("limit", "cursor", "sort", "q", "total")


def filters(entity_type: EntityType[Any]) -> Iterator[tuple[str, Field, Operator]]:
    """Return every filter of an entity type: its name, its field and its operator."""
    for field in entity_type.fields:
        if field.listed:
            yield field.name, field, Operator.EQ
            yield from ((f"{field.name}[{each.value}]", field, each) for each in Operator if each is not Operator.EQ)


class ListParameters:
    """The parameters of lists of one entity type."""

    def __init__(self, entity_type: EntityType[Any], cursors: ListCursors) -> None:
        self._entity_type = entity_type
        self._cursors = cursors
        self._filters = {name: (field, operator) for name, field, operator in filters(entity_type)}
        self.names = dict.fromkeys((*_PLAIN, *self._filters))

    def query(self, parameters: dict[str, str]) -> Query[Any]:
        """Return the query. Raises `BadParameter`, `OutOfRange` and `BadCursor`."""
        search = parameters.get("q", "")
        if len(search) > MAX_SEARCH:
            raise OutOfRange(f"q must have at most {MAX_SEARCH} characters", "query", "q")
        query = Query(
            entity_type=self._entity_type,
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
            field = self._entity_type.by_name.get(each.removeprefix("-"))
            if field is None or not field.listed:
                names = [known.name for known in self._entity_type.fields if known.listed]
                name = each.removeprefix("-")
                raise BadParameter(f"cannot sort by {name[:MAX_COMPARED]!r} ({suggestion(name, names)})")
            if field in (known.field for known in order):
                raise BadParameter(f"sort names {field.name} twice")
            order.append(Order(field, descending=each.startswith("-")))
        return tuple(order)


def _value(name: str, field: Field, text: str) -> Any:
    try:
        return from_text(field.field_type, text)
    except ValueError:
        raise BadParameter(f"{name} must be {_needed(field.field_type)}, not {text[:100]!r}") from None
    except ValidationError as refused:
        raise OutOfRange(f"{name} {refused.reason}", "query", name) from None


def _needed(field_type: FieldType) -> str:
    match field_type:
        case EnumField(by_value=by_value):
            return f"one of {', '.join(by_value)}"
        case Integer():
            return "a whole number"
        case Money():
            return "a number with at most two decimals"
        case Date():
            return "a date such as 2026-12-31"
        case Timestamp():
            return "a time such as 2026-12-31T23:59:59Z"
        case _:
            return "true or false"
