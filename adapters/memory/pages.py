"""Pages of the store in memory: each query filters and sorts all entities, in the order that the domain defines."""

from collections.abc import Iterable
from functools import cmp_to_key, partial

from domain.entity_type import E
from domain.queries import Position, Query, compare, matches


def page_of(query: Query[E], entities: Iterable[E]) -> tuple[list[E], Position | None, int | None]:
    """Return the entities of a page, the start of the next one, and the total if requested."""
    found = [entity for entity in entities if matches(query, entity)]
    following = partial(compare, query.order)
    after = query.after
    rest = found if after is None else [entity for entity in found if following(query.position(entity), after) > 0]
    by_place = cmp_to_key(following)
    rest.sort(key=lambda entity: by_place(query.position(entity)))
    shown = rest[: query.limit]
    position = query.position(shown[-1]) if len(rest) > len(shown) else None
    return shown, position, len(found) if query.total else None
