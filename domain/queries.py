"""What a caller can ask of a collection, and the order in which the answer can be walked."""

from collections.abc import Iterator
from enum import Enum
from typing import Any, Generic

from attrs import field, frozen

from domain.changes import Cursor
from domain.entity_type import E, EntityType, Field
from domain.stored_entity import Serializer, StoredEntity
from domain.text import sought

MAX_LIMIT = 1000
DEFAULT_LIMIT = 100
MAX_LISTED_VALUES = 1000


class Operator(Enum):
    """How a field is compared. Equality is exact; order is that of sorting, so that of the folded form for text."""

    EQ = "eq"
    GTE = "gte"
    GT = "gt"
    LTE = "lte"
    LT = "lt"
    IN = "in"
    NULL = "null"


@frozen
class Condition:
    """A condition on one field.

    `operand` is a value of the field's rule; for `IN` a tuple of them, for `NULL` a boolean. A comparison other than
    `NULL` never holds for an empty field.
    """

    field: Field
    operator: Operator
    operand: Any

    def holds(self, value: Any) -> bool:
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


@frozen
class Order:
    """One field to sort by. Empty fields come last in either direction."""

    field: Field
    descending: bool = False


Position = tuple[Any, ...]
"""Where a page ended: the sort keys of its last entity, one for each `Order`, and its id."""


@frozen(kw_only=True)
class Query(Generic[E]):
    """A page of the entities of a type: those that match, in an order, after a position.

    Ties are broken by ascending id. `search` is folded text that must be a substring of the folded searched fields.
    """

    entity_type: EntityType[E]
    where: tuple[Condition, ...] = ()
    search: str = field(default="", converter=sought)
    order: tuple[Order, ...] = ()
    after: Position | None = None
    limit: int = DEFAULT_LIMIT
    total: bool = False

    @property
    def is_plain(self) -> bool:
        """Tell whether it asks for whatever comes, in the order of ids."""
        return not (self.where or self.search or self.order)

    def behind(self, position: Position) -> "Query[E]":
        """Return the same query, after a position."""
        return Query(
            entity_type=self.entity_type,
            where=self.where,
            search=self.search,
            order=self.order,
            after=position,
            limit=self.limit,
            total=self.total,
        )

    def position(self, entity: E) -> Position:
        """Return the position just behind `entity` in this order."""
        return (*(_key(order.field, getattr(entity, order.field.name)) for order in self.order), entity.id)

    def position_of(self, record: StoredEntity, documents: Serializer) -> Position:
        """Return the position just behind the entity of `record`, which is not read where ids give the order."""
        return self.position(documents.read(self.entity_type, record.document)) if self.order else (record.id,)


@frozen(kw_only=True)
class Page:
    """Records with what is needed to go on from them.

    `next` is the position of the last, or None where nothing follows. `changes` is the position in the log up to
    which this page is up to date: following from there misses nothing. `revision` differs whenever anything in the
    collection changed. `total` counts every match, where it was asked for.
    """

    records: tuple[StoredEntity, ...]
    next: Position | None
    changes: Cursor
    revision: str
    total: int | None = None


class Side(Enum):
    """On which side of a key a segment lies."""

    SAME = "same"
    BEYOND = "beyond"
    NULL = "null"


@frozen(kw_only=True)
class Segment:
    """A stretch of an ordered collection that one index range can answer.

    The first sort keys are the `same` as those given; the next one lies `side` of `key`. Where all are the same, ids
    above `key` follow.
    """

    same: tuple[Any, ...]
    side: Side
    key: Any


def segments(query: Query[E]) -> Iterator[Segment]:
    """Cut what follows `query.after` into segments, in order.

    A condition such as "x < 5, or x = 5 and id > 7" makes a database read every x of 5; each of its halves is a seek.
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


def _key(field: Field, value: Any) -> Any:
    return None if value is None else field.field_type.key(value)


def compare(order: tuple[Order, ...], one: Position, other: Position) -> int:
    """Tell which of two positions comes first: below 0 for `one`, above 0 for `other`, 0 where they are the same."""
    for each, mine, theirs in zip(order, one, other, strict=False):
        if mine == theirs:
            continue
        if mine is None or theirs is None:
            return 1 if mine is None else -1
        return -1 if (mine < theirs) is not each.descending else 1
    return int(one[-1]) - int(other[-1])


def matches(query: Query[E], entity: E) -> bool:
    """Tell whether an entity satisfies the conditions and the search of a query."""
    return all(each.holds(getattr(entity, each.field.name)) for each in query.where) and (
        query.search in query.entity_type.search_text(entity)
    )
