"""Commands on few entities with few values, so that they often conflict."""

from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from domain.commands import ANY_VERSION, Create, Delete, Edit, Precondition, Restore
from domain.product import PRODUCT
from domain.stock import AdjustStock
from domain.task import TASK, Priority, Status

TEXTS = st.sampled_from(["a", "A b", "ß", "SS", "%", "x_y", "'\""])
TASKS = st.fixed_dictionaries(
    {"title": TEXTS},
    optional={
        "status": st.sampled_from(Status),
        "priority": st.sampled_from(Priority),
        "due": st.sampled_from([None, date(2026, 1, 31), date(2026, 12, 31)]),
        "notes": TEXTS | st.just(""),
    },
)
PRODUCTS = st.fixed_dictionaries(
    {"name": TEXTS, "price": st.sampled_from([Decimal("0.00"), Decimal("9.99")])},
    optional={
        "category": TEXTS,
        "sku": st.sampled_from([None, "A", "a", "B"]),
        "stock": st.sampled_from([None, 0, 2, 2**31 - 1]),
        "description": TEXTS | st.just(""),
    },
)
IDS = st.integers(1, 6)
PRECONDITIONS = st.just(ANY_VERSION) | st.integers(1, 4).map(lambda version: Precondition(frozenset({version})))
ENTITY_TYPES = st.sampled_from([TASK, PRODUCT])
OF_KINDS = st.tuples(st.just(TASK), TASKS) | st.tuples(st.just(PRODUCT), PRODUCTS)
COMMANDS = st.one_of(
    OF_KINDS.map(lambda each: Create(entity_type=each[0], values=each[1])),
    st.builds(Edit, entity_type=st.just(TASK), id=IDS, values=TASKS, precondition=PRECONDITIONS),
    st.builds(Edit, entity_type=st.just(PRODUCT), id=IDS, values=PRODUCTS, precondition=PRECONDITIONS),
    st.builds(Delete, entity_type=ENTITY_TYPES, id=IDS, precondition=PRECONDITIONS),
    st.builds(Restore, entity_type=ENTITY_TYPES, id=IDS, precondition=PRECONDITIONS),
    st.builds(AdjustStock, id=IDS, change=st.sampled_from([-2, -1, 0, 1]), precondition=PRECONDITIONS),
)
