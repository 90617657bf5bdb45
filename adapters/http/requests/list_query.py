"""Turns the parameters of a list into a query."""

from typing import Any

from adapters.http.requests.cursors import ListCursors
from adapters.http.requests.parameters import whole
from domain.entity_type import EntityType
from domain.errors import BadParameter, ParameterOutOfRange
from domain.filters import Filters, boolean
from domain.queries import DEFAULT_LIMIT, MAX_LIMIT, Order, Query
from domain.suggestions import MAX_COMPARED, suggestion

MAX_SEARCH = 200

_PLAIN = ("limit", "cursor", "sort", "q", "total")


class ListParameters:
    """The parameters of lists of one entity type."""

    def __init__(self, entity_type: EntityType[Any], cursors: ListCursors) -> None:
        self._entity_type = entity_type
        self._cursors = cursors
        self._filters = Filters(entity_type)
        self.names = dict.fromkeys((*_PLAIN, *self._filters.names))

    def query(self, parameters: dict[str, str]) -> Query[Any]:
        """Return the query. Raises `BadParameter`, `ParameterOutOfRange` and `BadCursor`."""
        search = parameters.get("q", "")
        if len(search) > MAX_SEARCH:
            raise ParameterOutOfRange(parameter="q", reason=f"must have at most {MAX_SEARCH} characters")
        query = Query(
            entity_type=self._entity_type,
            where=self._filters.conditions(parameters),
            search=search,
            order=self._order(parameters["sort"]) if "sort" in parameters else (),
            limit=whole(parameters, "limit", least=1, most=MAX_LIMIT, default=DEFAULT_LIMIT),
            total=boolean("total", parameters["total"]) if "total" in parameters else False,
        )
        if "cursor" not in parameters:
            return query
        return query.behind(self._cursors.read(query, parameters["cursor"]))

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
