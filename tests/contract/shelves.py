"""A small collection of each entity type with ties, empty fields and awkward texts, and its expected order."""

from collections.abc import Iterable
from typing import Any

from domain.entity_type import EntityType, Field
from domain.ports import Writer
from domain.product import PRODUCT
from domain.queries import Order
from domain.task import TASK
from tests.builders import NOON, Clock
from tests.contract.steps import carry_out, edit, fill

TITLES = [
    "b",
    "B",
    "ß",
    "SS",
    "ss",
    "sr",
    "İ",
    "i\u0307",
    "i",
    "ﬁ",
    "Ａ",
    "a b",
    "a-b",
    "ab",
    "é",
    "e\u0301",
    "z",
    "😀",
    "\ufffd",
]
STATUSES = ["pending", "in_progress", "done", "cancelled", "done"]
PRIORITIES = ["low", "high", "normal"]
DAYS = ["2026-12-31", None, "0001-01-01", "2026-12-31", None, "9999-12-31", "2026-01-01"]
PRICES = ["0", "0.01", "999999999.99", "10", "9.99", "10.00", "9.9"]
CATEGORIES = ["general", "General", "zoo", "ａ", "a"]
STOCKS = [None, 0, 5, 2**31 - 1, None, 5]

LISTED = [(entity_type, field) for entity_type in (TASK, PRODUCT) for field in entity_type.fields if field.listed]


def raws(entity_type: EntityType[Any]) -> list[dict[str, object]]:
    """Return the documents of a collection; no two fields repeat with the same period."""
    if entity_type is TASK:
        return [
            {
                "title": title,
                "status": STATUSES[n % len(STATUSES)],
                "priority": PRIORITIES[n % len(PRIORITIES)],
                "due": DAYS[n % len(DAYS)],
            }
            for n, title in enumerate(TITLES)
        ]
    return [
        {
            "name": name,
            "price": PRICES[n % len(PRICES)],
            "category": CATEGORIES[n % len(CATEGORIES)],
            "stock": STOCKS[n % len(STOCKS)],
            "sku": f"{'aBcA'[n % 4]}-{n // 4}" if n % 3 else None,
        }
        for n, name in enumerate(TITLES)
    ]


async def stock_up(store: Writer, entity_type: EntityType[Any], clock: Clock) -> list[Any]:
    """Create the collection, with several times and versions; return its entities by id."""
    documents = raws(entity_type)
    half = len(documents) // 2
    made = await fill(store, entity_type, *documents[:half])
    clock.now = NOON.replace(microsecond=1)
    made += await fill(store, entity_type, *documents[half:])
    clock.now = NOON.replace(microsecond=999_999)
    changed = await carry_out(
        store, *(edit(entity_type, each.id, **{entity_type.searched[-1].name: "x"}) for each in made[::4])
    )
    return sorted({each.id: each for each in made + changed}.values(), key=lambda each: each.id)


def ordered(entities: Iterable[Any], *orders: Order) -> list[Any]:
    """Sort entities by one field after the other, from the last to the first."""
    found = sorted(entities, key=lambda each: each.id)
    for order in reversed(orders):
        found = _by_field(found, order.field, order.descending)
    return found


def _by_field(entities: list[Any], field: Field, descending: bool) -> list[Any]:
    full = [each for each in entities if getattr(each, field.name) is not None]
    empty = [each for each in entities if getattr(each, field.name) is None]
    return sorted(full, key=lambda each: field.field_type.key(getattr(each, field.name)), reverse=descending) + empty
