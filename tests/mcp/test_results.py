"""What tools answer: everything that they do, in small pieces, with what to do next."""

import json
from typing import Any

import pytest

from adapters.mcp.results import MAX_SHOWN
from adapters.mcp.tools import MAX_PAGE, PAGE
from tests.http.service import Client
from tests.mcp.assistant import Assistant

pytestmark = pytest.mark.anyio

MAX_PAGE_SIZE = 50_000
"""Characters of the longest page."""


async def test_the_life_of_a_task(assistant: Assistant) -> None:
    """A task is created, read, edited, deleted and restored, and its history tells all of it."""
    task = (await assistant.call("create_task", title="Order paper", priority="high"))["task"]
    assert {"task": task} == {"task": (await assistant.call("get_task", id=1))["task"]}
    edited = (await assistant.call("edit_task", id=1, version=1, status="done"))["task"]
    assert ("done", 2, "high") == (edited["status"], edited["version"], edited["priority"])
    deleted = await assistant.call("delete_task", id=1, version=2)
    assert "call restore_task with id 1 and version 3" in deleted["hint"]
    assert "not_found" == (await assistant.refused("get_task", id=1))["error"]["code"]
    assert 4 == (await assistant.call("restore_task", id=1, version=3))["task"]["version"]
    history = await assistant.call("get_task_history", id=1)
    assert ["task.created", "task.updated", "task.deleted", "task.restored"] == [e["type"] for e in history["history"]]


async def test_stock(assistant: Assistant) -> None:
    """Stock is moved with a reason, and never below zero."""
    await assistant.call("create_product", name="Widget", price=9.99, stock=5)
    sold = await assistant.call("adjust_product_stock", id=1, change=-3, reason="sold")
    assert 2 == sold["product"]["stock"]
    refused = await assistant.refused("adjust_product_stock", id=1, change=-3)
    assert ("insufficient_stock", True) == (refused["error"]["code"], "get_product shows" in refused["hint"])
    changes = (await assistant.call("list_changes", types=["product.updated"]))["changes"]
    assert ["sold"] == [change["reason"] for change in changes]


@pytest.fixture
async def many(service: Client) -> int:
    """Make more tasks than a page shows, each with long notes."""
    operations = [{"op": "create", "body": {"title": f"{i:03} " + "t" * 190, "notes": "n" * 9000}} for i in range(60)]
    for start in range(0, 60, 20):
        body = {"operations": operations[start : start + 20]}
        assert 200 == (await service.post("/tasks/bulk", json=body)).status_code
    return len(operations)


async def test_a_long_list(assistant: Assistant, many: int) -> None:
    """A list shows a few, and following `next` visits each exactly once."""
    page = await assistant.call("list_tasks", sort=["-title"])
    titles = [task["title"][:3] for task in page["tasks"]]
    assert PAGE == len(titles)
    while "next" in page:
        page = await assistant.follow(page)
        titles += [task["title"][:3] for task in page["tasks"]]
    assert [f"{i:03}" for i in reversed(range(many))] == titles
    assert "These are all." == page["hint"]


@pytest.mark.parametrize("tool", ["list_tasks", "list_changes"])
async def test_the_longest_page(assistant: Assistant, many: int, tool: str) -> None:
    """However much there is, a result has a bound, and a longer page cannot be had."""
    assert len(json.dumps(await assistant.call(tool, limit=MAX_PAGE))) < MAX_PAGE_SIZE
    refused = await assistant.refused(tool, limit=many)
    assert "limit: 60 is greater than the maximum of 25" == refused["error"]["detail"]


async def test_long_texts(assistant: Assistant) -> None:
    """A list shortens a long text to what nobody can take for the text, and reading the task shows all of it."""
    await assistant.call("create_task", title="x", notes="n" * (MAX_SHOWN + 1))
    await assistant.call("create_task", title="y", notes="n" * MAX_SHOWN)
    long, short = (await assistant.call("list_tasks"))["tasks"]
    assert {"begins": "n" * (MAX_SHOWN // 2), "characters": MAX_SHOWN + 1} == long["notes"]
    assert "n" * MAX_SHOWN == short["notes"]
    assert "n" * (MAX_SHOWN + 1) == (await assistant.call("get_task", id=1))["task"]["notes"]
    assert (await assistant.refused("edit_task", id=1, version=1, notes=long["notes"]))["error"]["detail"]


PRODUCTS: list[dict[str, Any]] = [
    {"name": "Brötchen", "price": 0.5, "category": "bakery", "stock": 3},
    {"name": "Widget", "price": 10, "category": "widgets", "sku": "W-1"},
    {"name": "Gadget", "price": "12.50", "category": "gadgets"},
]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"q": "brotchen"}, ["Brötchen"]),
        ({"where": [{"field": "category", "is": "equal", "value": "widgets"}]}, ["Widget"]),
        ({"where": [{"field": "price", "is": "lt", "value": 10.0}]}, ["Brötchen"]),
        ({"where": [{"field": "price", "is": "gte", "value": 0.6}], "sort": ["-price"]}, ["Gadget", "Widget"]),
        ({"where": [{"field": "category", "is": "in", "value": ["bakery", "gadgets"]}]}, ["Brötchen", "Gadget"]),
        ({"where": [{"field": "stock", "is": "null", "value": False}]}, ["Brötchen"]),
        ({"where": [{"field": "sku", "is": "equal", "value": "W-1"}]}, ["Widget"]),
        ({"sort": ["category", "-name"], "limit": 2}, ["Brötchen", "Gadget"]),
    ],
)
async def test_searching(assistant: Assistant, arguments: dict[str, Any], names: list[str]) -> None:
    """Search, conditions and order are those of the service, and products come in the order that was asked for."""
    for product in PRODUCTS:
        await assistant.call("create_product", **product)
    found = await assistant.call("list_products", **arguments)
    assert (names, len(names)) == ([each["name"] for each in found["products"]], found["count"])


async def test_total(assistant: Assistant, many: int) -> None:
    """The number of all matches is told on request."""
    assert many == (await assistant.call("list_tasks", limit=1, total=True))["total"]


async def test_what_changed_since_a_list(assistant: Assistant, service: Client) -> None:
    """A list names the call that tells what changed after it, and that call tells how to go on."""
    await assistant.call("create_task", title="Order paper")
    listed = await assistant.call("list_tasks")
    await service.patch("/tasks/1", json={"status": "done"})
    since = await assistant.call(listed["changes"]["tool"], **listed["changes"]["arguments"])
    assert [("task.updated", ["status"])] == [(each["type"], each["changed"]) for each in since["changes"]]
    await service.delete("/tasks/1")
    after = await assistant.follow(since)
    assert ["task.deleted"] == [each["type"] for each in after["changes"]]
    assert "the end for now" in after["hint"]


async def test_who_changed_it(assistant: Assistant, service: Client) -> None:
    """A change says who made it, and nothing that only programs need."""
    await service.post("/tasks", json={"title": "x"})
    (change,) = (await assistant.call("list_changes"))["changes"]
    assert {"type", "id", "version", "at", "actor", "changed", "data"} == set(change)
