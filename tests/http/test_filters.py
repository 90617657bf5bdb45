"""Filters, operators, search and sort: which entities a list has, in which order, and which errors there are."""

import pytest

from tests.builders import NOON, Clock
from tests.http.service import Client
from tests.http.steps import asked, got, ids, made, tasks, violations

pytestmark = pytest.mark.anyio

OF_TASKS = [
    ("status=pending", [2, 4]),
    ("status=done&priority=high", [1]),
    ("status[in]=done,pending", [1, 2, 3, 4]),
    ("status[gt]=pending", [1, 3]),
    ("priority[lte]=normal", [2, 3]),
    ("due=2026-01-01", [1]),
    ("due[gte]=2026-01-01", [1, 2]),
    ("due[gt]=2026-01-01", [2]),
    ("due[lt]=2026-02-01", [1]),
    ("due[null]=true", [3, 4]),
    ("due[null]=false&due[lte]=2026-01-01", [1]),
    ("title=Ab", [2]),
    ("title=AB", []),
    ("title[in]=Ab,%C3%A9", [2, 3]),
    ("title[gte]=B", [3, 4]),
    ("id[in]=4,1,9", [1, 4]),
    ("id[gt]=2&id[lt]=4", [3]),
    ("id=9223372036854775807", []),
    ("id[lte]=9223372036854775807", [1, 2, 3, 4]),
    ("version=2", [4]),
    ("created_at[gt]=2026-01-31T12:00:00Z", [4]),
    ("created_at[lte]=2026-01-31T13:00:00.000000%2B01:00", [1, 2, 3]),
    ("completed_at[null]=false", [1, 3]),
    ("q=AB", [2]),
    ("q=%EF%BC%A1b", [2]),
    ("q=a", [1, 2]),
    ("q=", [1, 2, 3, 4]),
    ("q=NOTE", [4]),
    ("q=100%", []),
    ("q=100%zz", []),
    ("", [1, 2, 3, 4]),
    ("&&", [1, 2, 3, 4]),
    ("status%5Bin%5D=done", [1, 3]),
]
OF_PRODUCTS = [
    ("price=9.99", [1]),
    ("price[lt]=10", [1, 3]),
    ("price[in]=9.99,24.99", [1, 2]),
    ("category=widgets", [1, 3]),
    ("category=Widgets", []),
    ("sku[null]=true", [2, 3]),
    ("sku=A-1", [1]),
    ("stock[gte]=0", [3]),
    ("stock[null]=true", [1, 2]),
    ("price[gt]=-1000000000", [1, 2, 3]),
    ("sort=-price", [2, 1, 3]),
    ("sort=stock,-id", [3, 2, 1]),
    ("sort=-stock", [3, 1, 2]),
    ("sort=sku", [1, 2, 3]),
    ("q=a-1", [1]),
    ("q=shiny", [2]),
]
ORDERS = [
    ("sort=id", [1, 2, 3, 4]),
    ("sort=-id", [4, 3, 2, 1]),
    ("sort=title", [3, 1, 2, 4]),
    ("sort=-title", [4, 1, 2, 3]),
    ("sort=status,-title", [4, 3, 1, 2]),
    ("sort=due", [2, 1, 3, 4]),
    ("sort=-due", [1, 2, 3, 4]),
    ("sort=priority,id", [2, 1, 4, 3]),
    ("sort=-updated_at,title", [3, 1, 2, 4]),
]
BAD = [
    "statuss=done",
    "notes=a",
    "limit=1&limit=1",
    "status=done&status=done",
    "status[eq]=done",
    "status[ne]=done",
    "status[IN]=done",
    "[in]=done",
    "status=Done",
    "status=",
    "status[in]=",
    "status[in]=done,",
    "due=2026-02-30",
    "due[null]=1",
    "id=abc",
    "id=1.0",
    "id=+1",
    "id=%D9%A1",
    "created_at[gt]=2026-01-31",
    "created_at[gt]=2026-01-31T12:00:00",
    "title=%00",
    "q=%00",
    "q=%0D",
    f"q={'%CC%81' * 31}",
    f"title={'%CC%81' * 31}",
    f"title[in]=a,{'%CC%81' * 31}",
    "title=%0A",
    "q=%FF",
    "q=%ED%A0%80",
    "limit=",
    "limit=abc",
    "limit=1.0",
    "limit=%201",
    "limit=1_0",
    "total=1",
    "total=True",
    "sort=",
    "sort=nope",
    "sort=notes",
    "sort=id,",
    "sort=id,-id",
    "sort=--id",
    "&".join(f"id[gt]={n}" for n in range(101)),
]
OUT_OF_RANGE = [
    ("limit=0", "limit"),
    ("limit=-1", "limit"),
    ("limit=1001", "limit"),
    (f"limit={'9' * 5000}", "limit"),
    (f"q={'x' * 201}", "q"),
    ("id=9223372036854775808", "id"),
    (f"id[in]=1,{'9' * 5000}", "id[in]"),
    (f"id[in]={','.join(map(str, range(1001)))}", "id[in]"),
]


async def test_filters(client: Client, clock: Clock) -> None:
    """Each filter and operator works as in the contract, in the order of its field."""
    await made(client, "tasks", title="a", status="done", priority="high", due="2026-01-01")
    await made(client, "tasks", title="Ab", priority="low", due="2026-12-31")
    await made(client, "tasks", title="é", status="done")
    clock.now = NOON.replace(microsecond=1)
    await made(client, "tasks", title="b", priority="high")
    await client.put("/tasks/4", json={"notes": "Note"})

    for query, expected in OF_TASKS:
        response = await client.raw("GET", f"/tasks?{query}")
        assert (query, expected) == (query, [each["id"] for each in response.json()["tasks"]])


async def test_searching_for_lines(client: Client) -> None:
    """A searched text may hold line breaks and tabs, so a search may, too, from page to page."""
    for title in "ab":
        await made(client, "tasks", title=title, notes="one\ntwo\tthree")

    for query in ("q=e%0At", "q=%0a", "q=O%09THREE"):
        assert [1, 2] == await ids(client, query)
    assert [] == await ids(client, "q=one%09two")
    first = await got(client, "/tasks?q=e%0At&limit=1")
    assert [2] == [each["id"] for each in (await got(client, first["next"]))["tasks"]]


async def test_filters_and_orders_of_products(client: Client) -> None:
    """Amounts, skus and stocks compare by value. Empty fields come last in both directions."""
    await made(client, "products", category="widgets", sku="A-1")
    await made(client, "products", price=24.99, description="Shiny")
    await made(client, "products", price=1, category="widgets", stock=0)

    for query, expected in OF_PRODUCTS:
        assert (query, expected) == (query, await ids(client, query, "products"))


async def test_orders(client: Client) -> None:
    """Lists sort by folded text, by the order of choices, and finally by ascending ids."""
    await tasks(
        client,
        {"title": "B", "status": "done", "due": "2026-12-31"},
        {"title": "b", "status": "done", "due": "2026-01-01", "priority": "low"},
        {"title": "A", "priority": "high"},
        {"title": "c"},
    )

    for query, expected in ORDERS:
        assert (query, expected) == (query, await ids(client, query))


async def test_bad_parameters(client: Client) -> None:
    """An unknown, repeated or mistyped parameter gets an error. Otherwise a typo would list everything."""
    for query in BAD:
        assert (400, "bad_parameter") == asked(await client.raw("GET", f"/tasks?{query}")), query


async def test_lists_in_either_form(client: Client) -> None:
    """A list parameter may use commas or be repeated, as many clients do. A single value may not."""
    await tasks(client, {"title": "a", "status": "done"}, {"title": "b"}, {"title": "a", "status": "cancelled"})

    for query in ("sort=-title,-id", "sort=-title&sort=-id"):
        assert [2, 3, 1] == await ids(client, query)
    for query in ("status[in]=done,cancelled", "status[in]=done&status[in]=cancelled"):
        assert [1, 3] == await ids(client, query)
    first = await got(client, "/tasks?sort=-title&sort=-id&limit=1")
    assert "sort=-title,-id" in first["next"]
    assert [3, 1] == [each["id"] for each in (await got(client, first["next"].replace("limit=1", "limit=9")))["tasks"]]
    changes = await got(client, "/changes?types=task.deleted&types=task.created")
    assert 3 == len(changes["changes"])
    for query in ("status=done&status=pending", "limit=1&limit=1"):
        assert (400, "bad_parameter") == asked(await client.get(f"/tasks?{query}"))


async def test_what_would_be_right(client: Client) -> None:
    """The error names the likely intention, and the possible values."""
    for path, expected in (
        (
            "/products?pric=1",
            "unknown parameter 'pric' (did you mean price? there are limit, cursor, sort, q, total, id,",
        ),
        ("/products?price[ltt]=1", "unknown parameter 'price[ltt]' (did you mean price[lt]?"),
        ("/tasks?colour=1", "unknown parameter 'colour' (there are limit, cursor, sort, q, total, id, version,"),
        (f"/tasks?{'x' * 9000}=1", f"unknown parameter '{'x' * 50}' (there are limit,"),
        ("/tasks?status=open", "status must be one of pending, in_progress, done, cancelled, not 'open'"),
        ("/tasks?due[lt]=soon", "due[lt] must be a date such as 2026-12-31, not 'soon'"),
        ("/tasks?version=1.5", "version must be a whole number, not '1.5'"),
        ("/products?price=9.999", "price must be a number with at most two decimals, not '9.999'"),
        ("/tasks?created_at=now", "created_at must be a time such as 2026-12-31T23:59:59Z, not 'now'"),
        ("/tasks?sort=-titel", "cannot sort by 'titel' (did you mean title? there are id, version,"),
        (
            "/changes?type=task.created",
            "unknown parameter 'type' (did you mean types? there are after, last, limit, types,",
        ),
    ):
        assert expected == (await client.get(path)).json()["detail"][: len(expected)]


async def test_query_in_raw_utf8(client: Client) -> None:
    """A query with bytes that no URL can hold gets an error."""
    response = await client.request("GET", "/", extensions={"target": "/tasks?q=é".encode()})

    assert (400, "bad_parameter") == asked(response)


async def test_out_of_range(client: Client) -> None:
    """A value of the right type, but out of range, is a violation."""
    for query, name in OUT_OF_RANGE:
        response = await client.get(f"/tasks?{query}")
        assert [(name, "out_of_range")] == violations(response), query
        assert "query" == response.json()["errors"][0]["in"]


async def test_bad_parameters_of_products(client: Client) -> None:
    """A filter for an amount or a number accepts plain notation only."""
    for query in ("price=9.999", "price=1e1", "price=NaN", "stock=1.5", "sku[null]=null"):
        assert (400, "bad_parameter") == asked(await client.get(f"/products?{query}")), query
