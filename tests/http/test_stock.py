"""Adjusting a stock."""

import asyncio
from typing import Any

import pytest

from domain.product import MAX_STOCK
from tests.http.service import Client
from tests.http.steps import asked, deleted, got, log, made, violations

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("stock", "change", "left"),
    [(5, -5, 0), (0, 1, 1), (5, -2, 3), (5, 2.0, 7), (0, MAX_STOCK, MAX_STOCK), (MAX_STOCK, -MAX_STOCK, 0)],
)
async def test_adjusts(client: Client, stock: int, change: float, left: int) -> None:
    """The change is added, and the response is the new version of the product."""
    product = await made(client, "products", stock=stock)

    response = await client.post("/products/1/stock", json={"change": change})

    assert (200, '"2"') == (response.status_code, response.headers["etag"])
    assert {**product, "stock": left, "version": 2} == response.json()
    assert ["stock"] == (await log(client))[1]["changed"]


async def test_no_change_is_none(client: Client) -> None:
    """A change of zero makes no new version."""
    await made(client, "products", stock=5)

    response = await client.post("/products/1/stock", json={"change": 0})

    assert (200, '"1"', 1) == (response.status_code, response.headers["etag"], len(await log(client)))


async def test_never_below_zero(client: Client) -> None:
    """A stock cannot become negative."""
    await made(client, "products", stock=1)

    assert (409, "insufficient_stock") == asked(await client.post("/products/1/stock", json={"change": -2}))
    assert 1 == (await got(client, "/products/1"))["stock"]


async def test_untracked(client: Client) -> None:
    """A product without a stock cannot be adjusted."""
    await made(client, "products")

    for change in (1, 0, -1):
        response = await client.post("/products/1/stock", json={"change": change})
        assert (409, "stock_not_tracked") == asked(response)


async def test_above_the_limit(client: Client) -> None:
    """A stock cannot grow beyond its limit."""
    await made(client, "products", stock=MAX_STOCK)

    assert [("/change", "out_of_range")] == violations(await client.post("/products/1/stock", json={"change": 1}))


async def test_what_is_no_change(client: Client) -> None:
    """A body must hold an integer within the limits, and nothing else."""
    await made(client, "products", stock=5)
    cases: list[tuple[Any, list[tuple[str, str]]]] = [
        ({}, [("/change", "required")]),
        ({"change": None}, [("/change", "required")]),
        ({"change": "1"}, [("/change", "wrong_type")]),
        ({"change": 1.5}, [("/change", "wrong_type")]),
        ({"change": True}, [("/change", "wrong_type")]),
        ({"change": MAX_STOCK + 1}, [("/change", "out_of_range")]),
        ({"change": -MAX_STOCK - 1}, [("/change", "out_of_range")]),
        ({"change": 1, "stock": 1}, [("/stock", "unknown_field")]),
    ]
    for body, expected in cases:
        assert expected == violations(await client.post("/products/1/stock", json=body)), body
    assert 5 == (await got(client, "/products/1"))["stock"]


async def test_the_reason_is_kept(client: Client) -> None:
    """The reason of an adjustment is in its change, as long as the log keeps it. A blank reason is left out."""
    await made(client, "products", stock=5)
    for reason in ("sold", " own words ", "", None):
        body = {"change": -1, "reason": reason}
        assert 200 == (await client.post("/products/1/stock", json=body)).status_code

    told = [each.get("reason", "none") for each in (await got(client, "/products/1/history"))["history"]]
    assert ["none", "sold", "own words", "none", "none"] == told
    assert [None, "sold"] == [each.get("reason") for each in (await log(client))[:2]]
    for wrong, code in ((5, "wrong_type"), ("x" * 101, "too_long"), ("a\nb", "forbidden_character")):
        body = {"change": -1, "reason": wrong}
        assert [("/reason", code)] == violations(await client.post("/products/1/stock", json=body))


async def test_of_nothing(client: Client) -> None:
    """A missing product has no stock, and neither has a task."""
    await deleted(client, "products", stock=5)

    for path in ("/products/1/stock", "/products/2/stock", "/tasks/1/stock"):
        assert (404, "not_found") == asked(await client.post(path, json={"change": 1}))
    assert [("id", "out_of_range")] == violations(await client.post("/products/x/stock", json={"change": 1}))


async def test_many_at_once(client: Client, other: Client) -> None:
    """However many requests take stock at once, in any process, exactly as many succeed as there are items."""
    await made(client, "products", stock=7)

    takes = [each.post("/products/1/stock", json={"change": -1}) for each in [client, other] * 10]
    statuses = [each.status_code for each in await asyncio.gather(*takes)]

    assert [200] * 7 + [409] * 13 == sorted(statuses)
    assert {"stock": 0, "version": 8}.items() <= (await got(client, "/products/1")).items()
