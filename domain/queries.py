"""Queries on a collection: filters, search, order and position."""

from collections.abc import Iterator
from enum import Enum
from typing import Any, Generic

from attrs import field

from domain.changes import Cursor
from domain.entity_type import E_co, Entity, EntityType, Field
from domain.stored_entity import Serializer, StoredEntity
from domain.text import sought
from domain.value_object import value_object

MAX_LIMIT = 1000
DEFAULT_LIMIT = 100
MAX_LISTED_VALUES = 1000


class Operator(Enum):
    """How a field is compared. Equality is exact. Order is that of sorting; text sorts by its folded form."""

    EQ = "eq"
    GTE = "gte"
    GT = "gt"
    LTE = "lte"
    LT = "lt"
    IN = "in"
    NULL = "null"


@value_object
class Condition:
    """A condition on one field.

    `operand` is a value of the field's type; for `IN` a tuple of them, for `NULL` a boolean. A comparison other than
    `NULL` never holds for an empty field.
    """

    field: Field
    operator: Operator
    operand: Any

    def holds(self, value: object) -> bool:
        """Tell whether the condition holds for a value of the field."""
        if self.operator is Operator.NULL:
            return (value is None) is self.operand
        if value is None:
            return False
        if self.operator is Operator.EQ:
            return bool(value == self.operand)
        if self.operator is Operator.IN:
            return value in self.operand
        mine, other = self.field.field_type.key(value), self.field.field_type.key(self.operand)
        match self.operator:
            case Operator.GTE:
                return bool(mine >= other)
            case Operator.GT:
                return bool(mine > other)
            case Operator.LTE:
                return bool(mine <= other)
            case _:
                return bool(mine < other)


@value_object
class Order:
    """One field to sort by. Empty fields come last in either direction."""

    field: Field
    descending: bool = False


Position = tuple[Any, ...]
"""The end of a page: the sort keys of its last entity, one for each `Order`, and its id."""


@value_object(kw_only=True)
class Query(Generic[E_co]):
    """A page of the entities of a type: those that match, in an order, after a position.

    Ties are broken by ascending id. `search` is folded text that must be a substring of the folded searched fields.
    """

    entity_type: EntityType[E_co]
    where: tuple[Condition, ...] = ()
    search: str = field(default="", converter=sought)
    order: tuple[Order, ...] = ()
    after: Position | None = None
    limit: int = DEFAULT_LIMIT
    total: bool = False

    @property
    def is_plain(self) -> bool:
        """Tell whether it takes all entities in the order of ids."""
        return not (self.where or self.search or self.order)

    def behind(self, position: Position) -> "Query[E_co]":
        """Return the same query, after a position."""
        return Query(  # each page but the first needs it, and `evolve` takes twice as long
            entity_type=self.entity_type,
            where=self.where,
            search=self.search,
            order=self.order,
            after=position,
            limit=self.limit,
            total=self.total,
        )

    def position(self, entity: Entity) -> Position:
        """Return the position just behind `entity` in this order."""
        return (*(_key(order.field, getattr(entity, order.field.name)) for order in self.order), entity.id)

    def position_of(self, record: StoredEntity, documents: Serializer) -> Position:
        """Return the position just behind the entity of `record`. The document is not read if ids give the order."""
        return self.position(documents.read(self.entity_type, record.document)) if self.order else (record.id,)


@value_object(kw_only=True)
class Page:
    """A page of stored entities, with the positions to continue from.

    `next` is the position of the last one, or None if nothing follows. `changes` is the log position of the page:
    following from there misses nothing. `revision` differs after every change in the collection. `total` counts all
    matches, if the query asked for it.
    """

    records: tuple[StoredEntity, ...]
    next: Position | None
    changes: Cursor
    revision: str
    total: int | None = None


class Side(Enum):
    """The side of a key on which a segment lies."""

    SAME = "same"
    BEYOND = "beyond"
    NULL = "null"


@value_object(kw_only=True)
class Segment:
    """A stretch of an ordered collection that one index range can answer.

    The first sort keys equal `same`; the next one lies on the `side` of `key`. If all are equal, `key` is an id, and
    the ids above it follow.
    """

    same: tuple[Any, ...]
    side: Side
    key: Any


def segments(query: Query[Entity]) -> Iterator[Segment]:
    """Cut the part of the order behind `query.after` into segments.

    A condition such as "x < 5, or x = 5 and id > 7" makes a database read every x of 5. Each half alone is a seek.
    """
    if query.after is None:
        return
    *keys, id = query.after
    yield Segment(same=tuple(keys), side=Side.SAME, key=id)
    for index in reversed(range(len(keys))):
        if keys[index] is None:
            continue  # nothing sorts behind an empty field
        same = tuple(keys[:index])
        yield Segment(same=same, side=Side.BEYOND, key=keys[index])
        if query.order[index].field.nullable:
            yield Segment(same=same, side=Side.NULL, key=None)


def _key(field: Field, value: object) -> Any:
    return None if value is None else field.field_type.key(value)


def compare(order: tuple[Order, ...], one: Position, other: Position) -> int:
    """Tell which of two positions comes first: below 0 for `one`, above 0 for `other`, 0 if they are equal."""
    for each, mine, theirs in zip(order, one, other, strict=False):
        if mine == theirs:
            continue
        if mine is None or theirs is None:
            return 1 if mine is None else -1
        return -1 if (mine < theirs) is not each.descending else 1
    return int(one[-1]) - int(other[-1])


def matches(query: Query[Entity], entity: Entity) -> bool:
    """Tell whether an entity satisfies the conditions and the search of a query."""
    return all(each.holds(getattr(entity, each.field.name)) for each in query.where) and (
        query.search in query.entity_type.search_text(entity)
    )
