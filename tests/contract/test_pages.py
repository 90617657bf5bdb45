"""Pages in every store: each operator on each field, each sort in both directions, totals."""

from typing import Any

import pytest

from domain.commands import Delete
from domain.entity_type import EntityType, Field
from domain.ports import Store
from domain.product import PRODUCT
from domain.queries import MAX_LIMIT, MAX_LISTED_VALUES, Condition, Operator, Order, Query
from domain.task import TASK
from tests.builders import Clock, create
from tests.contract.shelves import LISTED, ordered, stock_up
from tests.contract.steps import carry_out, walk

pytestmark = pytest.mark.anyio

EVERY_FIELD = pytest.mark.parametrize(
    ("entity_type", "field"), LISTED, ids=[f"{entity_type.name}-{field.name}" for entity_type, field in LISTED]
)
COMPARISONS = [Operator.GTE, Operator.GT, Operator.LTE, Operator.LT]


async def test_an_empty_collection(store: Store) -> None:
    """A page of an empty collection is empty, has no next page, and a total of 0."""
    page = await store.page(Query(entity_type=TASK, total=True))
    assert ((), None, 0) == (page.records, page.next, page.total)


async def test_by_default_a_page_is_in_the_order_of_ids(store: Store, clock: Clock) -> None:
    """Without an order, ids ascend, without deleted entities or other types."""
    entities = await stock_up(store, TASK, clock)
    await stock_up(store, PRODUCT, clock)
    await carry_out(store, *(Delete(entity_type=TASK, id=each.id) for each in entities[::5]))
    left = [each for each in entities if each not in entities[::5]]
    assert left == await walk(store, Query(entity_type=TASK)) == await walk(store, Query(entity_type=TASK, limit=2))


@EVERY_FIELD
@pytest.mark.parametrize("descending", [False, True], ids=["up", "down"])
async def test_every_sort(
    store: Store, clock: Clock, entity_type: EntityType[Any], field: Field, descending: bool
) -> None:
    """Any field sorts in both directions, empty values last, ties by ascending id, with any page size."""
    entities = await stock_up(store, entity_type, clock)
    order = (Order(field, descending=descending),)
    expected = ordered(entities, *order)
    for limit in (1, 2, len(entities) - 1, len(entities), MAX_LIMIT):
        assert expected == await walk(store, Query(entity_type=entity_type, order=order, limit=limit))


@pytest.mark.parametrize(
    "names",
    ["-status title", "due -status", "-due priority -title", "completed_at -due", "-completed_at id", "-id title"],
)
async def test_sorts_by_several_fields(store: Store, clock: Clock, names: str) -> None:
    """Later fields break the ties of earlier ones, each in its own direction."""
    entities = await stock_up(store, TASK, clock)
    order = tuple(Order(TASK.by_name[name.lstrip("-")], descending=name.startswith("-")) for name in names.split())
    for limit in (1, 3, 100):
        assert ordered(entities, *order) == await walk(store, Query(entity_type=TASK, order=order, limit=limit))


@EVERY_FIELD
async def test_every_comparison(store: Store, clock: Clock, entity_type: EntityType[Any], field: Field) -> None:
    """Comparisons agree with the sort order for every value; empty values match none."""
    entities = await stock_up(store, entity_type, clock)
    for operand in {getattr(each, field.name) for each in entities} - {None}:
        mark = field.field_type.key(operand)
        for operator in COMPARISONS:
            found = await walk(store, Query(entity_type=entity_type, where=(Condition(field, operator, operand),)))
            keys = {
                each.id: field.field_type.key(getattr(each, field.name))
                for each in entities
                if getattr(each, field.name) is not None
            }
            expected = {
                Operator.GTE: [id for id, key in keys.items() if key >= mark],
                Operator.GT: [id for id, key in keys.items() if key > mark],
                Operator.LTE: [id for id, key in keys.items() if key <= mark],
                Operator.LT: [id for id, key in keys.items() if key < mark],
            }[operator]
            assert expected == [each.id for each in found], (operator, operand)


@EVERY_FIELD
async def test_equality_is_exact(store: Store, clock: Clock, entity_type: EntityType[Any], field: Field) -> None:
    """Equality with one value or a list matches exact values, not those that merely sort the same."""
    entities = await stock_up(store, entity_type, clock)
    values = sorted({getattr(each, field.name) for each in entities} - {None}, key=field.field_type.key)
    for operand in values:
        found = await walk(store, Query(entity_type=entity_type, where=(Condition(field, Operator.EQ, operand),)))
        assert [each for each in entities if getattr(each, field.name) == operand] == found
    some = tuple(values[::2])
    found = await walk(store, Query(entity_type=entity_type, where=(Condition(field, Operator.IN, some),), limit=3))
    assert [each for each in entities if getattr(each, field.name) in some] == found


@EVERY_FIELD
async def test_emptiness(store: Store, clock: Clock, entity_type: EntityType[Any], field: Field) -> None:
    """Any field can be filtered by being empty or not."""
    entities = await stock_up(store, entity_type, clock)
    for empty in (True, False):
        found = await walk(
            store, Query(entity_type=entity_type, where=(Condition(field, Operator.NULL, empty),), limit=4)
        )
        assert [each for each in entities if (getattr(each, field.name) is None) is empty] == found


async def test_values_that_nothing_has(store: Store, clock: Clock) -> None:
    """A value that no entity has matches nothing, nor does an empty list or one of the largest size."""
    await stock_up(store, PRODUCT, clock)
    category, stock = PRODUCT.by_name["category"], PRODUCT.by_name["stock"]
    for condition in (
        Condition(category, Operator.EQ, "nowhere"),
        Condition(category, Operator.IN, ()),
        Condition(stock, Operator.IN, tuple(range(100, 100 + MAX_LISTED_VALUES))),
        Condition(stock, Operator.LT, -(10**17)),
        Condition(stock, Operator.GT, 10**17),
    ):
        page = await store.page(Query(entity_type=PRODUCT, where=(condition,), total=True))
        assert ((), None, 0) == (page.records, page.next, page.total)


@EVERY_FIELD
async def test_filters_sorts_and_totals_go_together(
    store: Store, clock: Clock, entity_type: EntityType[Any], field: Field
) -> None:
    """A total counts every match, for any page."""
    entities = await stock_up(store, entity_type, clock)
    other = entity_type.by_name["version"]
    order = (Order(field, descending=True), Order(other))
    query = Query(
        entity_type=entity_type, where=(Condition(other, Operator.EQ, 1),), search="S", order=order, limit=1, total=True
    )
    matching = [each for each in entities if each.version == 1 and "s" in entity_type.search_text(each)]
    first = await store.page(query)
    assert (len(matching), first.next) == (first.total, query.position(ordered(matching, *order)[0]))
    assert ordered(matching, *order) == await walk(store, query)


async def test_conditions_on_the_same_field(store: Store, clock: Clock) -> None:
    """Several conditions on one field apply together."""
    entities = await stock_up(store, PRODUCT, clock)
    stock = PRODUCT.by_name["stock"]
    between = (
        Condition(stock, Operator.GTE, 1),
        Condition(stock, Operator.LT, 6),
        Condition(stock, Operator.NULL, False),
    )
    assert [each for each in entities if each.stock == 5] == await walk(
        store, Query(entity_type=PRODUCT, where=between)
    )


async def test_the_last_page_says_so(store: Store) -> None:
    """The last page has no next one, even if full; a page whose entities have been deleted is empty."""
    await carry_out(store, *(create(TASK) for _ in range(4)))
    first = await store.page(Query(entity_type=TASK, limit=2))
    assert ((2,), (await store.page(Query(entity_type=TASK, limit=2, after=first.next))).next) == (first.next, None)
    await carry_out(store, Delete(entity_type=TASK, id=3), Delete(entity_type=TASK, id=4))
    rest = await store.page(Query(entity_type=TASK, limit=2, after=first.next))
    assert ((), None) == (rest.records, rest.next)
