"""Cutting an ordered collection into segments, against a plain model of reading one index range after the other."""

from functools import cmp_to_key, partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.queries import Order, Position, Query, Segment, Side, compare, segments
from domain.task import TASK, Task
from tests.properties.strategies import entities

FIELDS = [field for field in TASK.fields if field.listed]
ORDERS = st.lists(st.builds(Order, st.sampled_from(FIELDS), st.booleans()), max_size=3).map(tuple)


@st.composite
def collections(draw: st.DrawFn) -> list[Any]:
    """Return entities with ids of their own, many of whose fields are alike, whether or not they go together."""
    some = draw(st.lists(entities(TASK), min_size=1, max_size=4))
    mixed = [
        {field.name: getattr(draw(st.sampled_from(some)), field.name) for field in TASK.fields}
        for _ in range(draw(st.integers(1, 8)))
    ]
    return [Task.trusted({**each, "id": id}) for id, each in enumerate(mixed, 1)]


def within(query: Query[Any], segment: Segment, place: Position) -> bool:
    """Tell whether a position lies in a segment."""
    keys, id = place[:-1], place[-1]
    here = len(segment.same)
    if keys[:here] != segment.same:
        return False
    if segment.side is Side.SAME:
        return bool(id > segment.key)
    if segment.side is Side.NULL:
        return keys[here] is None
    if keys[here] is None:
        return False
    return bool(keys[here] < segment.key if query.order[here].descending else keys[here] > segment.key)


@given(collections(), ORDERS, st.data())
def test_segments_are_what_follows_in_order(entities: list[Any], order: tuple[Order, ...], data: st.DataObject) -> None:
    """Behind any position, the segments hold exactly the later entities, in order."""
    in_order = cmp_to_key(partial(compare, order))
    query: Query[Any] = Query(entity_type=TASK, order=order)
    places = sorted((query.position(entity) for entity in entities), key=in_order)
    after = data.draw(st.sampled_from(places))
    cut = Query(entity_type=TASK, order=order, after=after)
    found = [place for segment in segments(cut) for place in places if within(cut, segment, place)]
    assert places[places.index(after) + 1 :] == found


@given(collections(), ORDERS)
def test_comparison_is_an_order(entities: list[Any], order: tuple[Order, ...]) -> None:
    """Of two entities one comes first, and which one does not depend on how they are asked for."""
    query: Query[Any] = Query(entity_type=TASK, order=order)
    places = [query.position(entity) for entity in entities]
    for one in places:
        for other in places:
            assert (compare(order, one, other) > 0) is (compare(order, other, one) < 0)
            assert (compare(order, one, other) == 0) is (one == other)
