"""Searching in every store: substrings of folded text, whatever their characters."""

import pytest

from domain.commands import Delete, Restore
from domain.entity_type import SEPARATOR
from domain.ports import Store
from domain.product import PRODUCT
from domain.queries import Order, Query
from domain.task import TASK
from tests.contract.steps import carry_out, edit, fill, walk

pytestmark = pytest.mark.anyio

TEXTS = [
    "Hauptstraße 5",
    "HAUPTSTRASSE 6",
    "İstanbul",
    "ｆｕｌｌ ｗｉｄｔｈ",
    'it\'s "quoted" 100% sure_thing \\ back*',
    "😀😃😄 emoji 👩\u200d👩\u200d👧",
    "e\u0301le\u0301ment",
    "naïve AND (OR) NOT NEAR",
    "\ufffd\uffff\ue000\U0010ffff",
    "aaaaaaaaaa",
    "ab",
]

SEARCHES = {
    "STRASSE": [1, 2],
    "straße": [1, 2],
    "ẞE": [1, 2],
    "ss": [1, 2],
    "S": [1, 2, 3, 5],
    "İST": [3],
    "istanbul": [3],
    "i\u0307s": [3],
    "élement": [7],
    "NAIVE": [8],
    "\u0301": [],
    "full": [4],
    "ＦＵＬＬ ｗ": [4],
    "t's": [5],
    "'": [5],
    '"': [5],
    '"quoted"': [5],
    '""': [],
    "100%": [5],
    "%": [5],
    "1%0": [],
    "sure_": [5],
    "sure_hing": [],
    "_": [5],
    "\\": [5],
    "k*": [5],
    "*": [5],
    "😀": [6],
    "😀😃": [6],
    "😀😃😄 e": [6],
    "😃😀": [],
    "\u200d": [6],
    "éléM": [7],
    "and (": [8],
    "NOT NEAR": [8],
    "naïve OR": [],
    "\uffff": [9],
    "\ufffd\uffff\ue000\U0010ffff": [9],
    "\ufffd\ufffd": [],
    "a" * 10: [10],
    "a" * 11: [],
    "ab": [11],
    "a b": [],
    "x" * 10_000: [],
    "\x00": [],
    "a\x00a": [],
    "aaa\x00": [],
    "\ud800": [],
    "a\udfffaaa": [],
}


@pytest.mark.parametrize(("search", "found"), SEARCHES.items(), ids=ascii)
async def test_substrings(store: Store, search: str, found: list[int]) -> None:
    """Every character matches itself and its folded form, in title and notes, in any sort order."""
    await fill(store, TASK, *({"title": text} for text in TEXTS), *({"title": "~", "notes": text} for text in TEXTS))
    expected = found + [id + len(TEXTS) for id in found]
    order = (Order(TASK.by_name["id"], descending=True),)
    assert expected == [each.id for each in await walk(store, Query(entity_type=TASK, search=search, limit=2))]
    query = Query(entity_type=TASK, search=search, order=order, limit=1, total=True)
    assert expected[::-1] == [each.id for each in await walk(store, query)]
    assert len(expected) == (await store.page(query)).total


@pytest.mark.parametrize("search", ["onetwo", "one two", "e" + SEPARATOR + "t", "one" + SEPARATOR + "two", SEPARATOR])
async def test_no_match_spans_two_fields(store: Store, search: str) -> None:
    """The end of one field and the start of the next together make no match."""
    await fill(store, TASK, {"title": "one", "notes": "two"})
    await fill(store, PRODUCT, {"name": "one", "sku": "two"}, {"name": "one", "description": "two"})
    for entity_type in (TASK, PRODUCT):
        assert [] == await walk(store, Query(entity_type=entity_type, search=search))


async def test_products_are_searched_by_name_sku_and_description(store: Store) -> None:
    """Search covers these three fields and no others."""
    fields = ("name", "sku", "description", "category")
    await fill(store, PRODUCT, *({field: "Needle-1"} for field in fields))
    assert [1, 2, 3] == [each.id for each in await walk(store, Query(entity_type=PRODUCT, search="needle-"))]


async def test_the_search_follows_the_entity(store: Store) -> None:
    """After an edit, a deletion and a restore, search finds the current entities."""

    async def found(search: str) -> list[int]:
        return [each.id for each in await walk(store, Query(entity_type=TASK, search=search))]

    await fill(store, TASK, {"title": "Needle"}, {"title": "Haystack", "notes": "needle"})
    await carry_out(store, edit(TASK, 1, title="Thread"), edit(TASK, 2, status="done"))
    assert ([2], [1]) == (await found("needle"), await found("thread"))
    await carry_out(store, Delete(entity_type=TASK, id=2))
    assert [] == await found("needle")
    await carry_out(store, Restore(entity_type=TASK, id=2), edit(TASK, 2, notes="pin"), edit(TASK, 1, notes="needle"))
    assert ([1], [2]) == (await found("needle"), await found("haystack"))
