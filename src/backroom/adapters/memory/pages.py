"""Pages of what is held in memory: filtered and sorted anew for each query, by the domain's own definition of order."""

from collections.abc import Iterable
from functools import cmp_to_key, partial

from backroom.domain.changes import Cursor
from backroom.domain.kinds import E
from backroom.domain.queries import Page, Query, compare, matches


def page_of(query: Query[E], entities: Iterable[E], *, changes: Cursor, revision: str) -> Page[E]:
    """Return the page of `entities` that `query` describes."""
    found = [entity for entity in entities if matches(query, entity)]
    following = partial(compare, query.order)
    after = query.after
    rest = found if after is None else [entity for entity in found if following(query.place(entity), after) > 0]
    by_place = cmp_to_key(following)
    rest.sort(key=lambda entity: by_place(query.place(entity)))
    shown = tuple(rest[: query.limit])
    return Page(
        entities=shown,
        next=query.place(shown[-1]) if len(rest) > len(shown) else None,
        changes=changes,
        revision=revision,
        total=len(found) if query.total else None,
    )
