"""Calls that cannot be carried out: each is an error of its tool that says what to do, and the server lives on."""

from typing import Any

import httpx2
import pytest

from adapters.http.responses.problems import PROBLEMS
from adapters.mcp.calls import MAX_FAULTS
from adapters.mcp.problems import HINTS, MAX_ERRORS
from adapters.mcp.service import Service
from adapters.mcp.toolbox import Toolbox
from domain.access.key_ring import RevokeKey
from domain.ports import Store
from tests.http.access import new_key
from tests.http.service import Client, serving
from tests.http.transport import ORIGIN
from tests.mcp.assistant import Assistant, assisting

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("create_task", {}, "arguments: 'title' is a required property"),
        ("create_task", {"title": 7}, "title: 7 is not of type 'string'"),
        ("create_product", {"name": "x", "price": 1, "stock": "4"}, "stock: '4' is not of type 'integer'"),
        ("create_product", {"name": "x", "price": True}, "price: True is not of type 'number'"),
        ("create_task", {"title": "x", "status": "finished"}, "status: 'finished' is not one of ['pending', "),
        (
            "create_task",
            {"title": "x", "color": "red"},
            "arguments: Additional properties are not allowed ('color' was",
        ),
        ("get_task", {"id": "1; DROP TABLE tasks"}, "id: '1; DROP TABLE tasks' is not of type 'integer'"),
        ("get_task", {"id": 0}, "id: 0 is less than the minimum of 1"),
        (
            "list_tasks",
            {"where": [{"field": "notes", "is": "equal", "value": "x"}]},
            "where[0].field: 'notes' is not one",
        ),
        ("list_tasks", {"sort": "title"}, "sort: 'title' is not of type 'array'"),
    ],
)
async def test_wrong_arguments(assistant: Assistant, tool: str, arguments: dict[str, Any], said: str) -> None:
    """Arguments that do not fit the schema are told by name, and nothing is sent."""
    refused = await assistant.refused(tool, **arguments)
    assert said in refused["error"]["detail"]
    assert "Correct the arguments" in refused["hint"]


def ascii_id(value: object) -> str:
    """Return a name for a value that cannot be shown."""
    return type(value).__name__


UNWRITABLE = [float("inf"), float("nan"), 10**5000, "\ud800", ["x", {"y": "\udfff"}]]


@pytest.mark.parametrize("value", UNWRITABLE, ids=ascii_id)
async def test_arguments_that_nobody_can_write(service: Client, value: object) -> None:
    """A number or a text that JSON or HTTP cannot carry is refused, and nothing is sent."""
    toolbox = Toolbox(Service(ORIGIN, service))
    for arguments in ({"q": value}, {"where": [{"field": "title", "is": "equal", "value": value}]}):
        result = await toolbox.call(1, "list_tasks", arguments)
        assert "a number is not finite" in result.document["error"]["detail"]


async def test_many_wrong_arguments(assistant: Assistant) -> None:
    """All faults are told at once, up to a bound, however long the arguments are."""
    conditions = [{"field": "x" * 100_000, "is": "y", "value": "z"}] * 50
    refused = await assistant.refused("list_tasks", where=conditions)
    assert MAX_FAULTS == refused["error"]["detail"].count("where[")
    assert len(str(refused)) < 4000


async def test_broken_rules(assistant: Assistant) -> None:
    """Rules that only the service knows are told in its words, each with its field."""
    refused = await assistant.refused("create_product", name="\u200b", price="9.999", sku="a b")
    assert (422, "invalid") == (refused["error"]["status"], refused["error"]["code"])
    assert ["/name", "/price", "/sku"] == [each["pointer"] for each in refused["error"]["errors"]]
    assert len(refused["error"]["errors"]) <= MAX_ERRORS


async def test_what_to_do(assistant: Assistant) -> None:
    """A refusal names the tool that helps."""
    await assistant.call("create_product", name="Widget", price=1, sku="W-1")
    await assistant.call("create_product", name="Gadget", price=1)
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("create_product", {"name": "x", "price": 1, "sku": "W-1"}, "list_products finds it"),
        ("adjust_product_stock", {"id": 1, "change": 1}, "edit_product with `stock` begins to count it"),
        ("restore_product", {"id": 1, "version": 1}, "get_product shows it"),
        ("get_product", {"id": 9}, "get_product_history and restore_product still work"),
        ("list_products", {"cursor": "x"}, "Begin again without it"),
        ("list_changes", {"after": "x"}, "Begin again without it"),
    ]
    for tool, arguments, said in cases:
        assert said in (await assistant.refused(tool, **arguments))["hint"]


def test_hints_are_for_problems_that_exist() -> None:
    """Each hint belongs to a code that the service knows."""
    assert set() == set(HINTS) - set(PROBLEMS)


async def test_a_version_that_the_service_requires(store: Store) -> None:
    """Where the service takes no change without a version, the hint says so, and a sale can name one."""
    async with serving(store, require_if_match=True) as client, assisting(client) as assistant:
        await assistant.call("create_product", name="Widget", price=1, stock=1)
        assert "send the version" in (await assistant.refused("adjust_product_stock", id=1, change=-1))["hint"]
        await assistant.call("adjust_product_stock", id=1, change=-1, version=1)


async def test_a_revoked_key(service: Client, store: Store) -> None:
    """A key that was revoked meanwhile is told, without the key."""
    key = await new_key(store, "write")
    await new_key(store, "admin")
    service.headers["authorization"] = f"Bearer {key}"
    async with assisting(service) as assistant:
        await assistant.tools()
        await store.access_keys.change(RevokeKey(id=1))
        refused = await assistant.refused("create_task", title="x")
    assert "unauthorized" == refused["error"]["code"]
    assert "BACKROOM_KEY" in refused["hint"]
    assert key not in str(refused)


@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [
        (503, {"retry-after": "7"}, "Try again in 7 s"),
        (429, {"retry-after": "7"}, "Try again in 7 s"),
        (500, {}, "Try again in a few s"),
    ],
)
async def test_a_service_that_is_not_well(service: Client, status: int, headers: dict[str, str], said: str) -> None:
    """A passing trouble says when to try again, and the repetition has the same idempotency key."""
    codes = {503: "unavailable", 429: "rate_limited", 500: "internal_error"}
    keys = []

    async def answer(request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET":
            return await service.get(request.url.path)
        keys.append(request.headers["idempotency-key"])
        return httpx2.Response(status, headers=headers, json={"code": codes[status], "detail": "…", "status": status})

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as http, assisting(http) as assistant:
        for _ in range(2):
            assert said in (await assistant.refused("create_task", title="x"))["hint"]
    assert 2 == len(keys)
    assert 1 == len(set(keys))


async def test_a_page_instead_of_an_answer(service: Client) -> None:
    """A proxy's page instead of an answer leaves a write unknown, and its repetition is safe."""

    async def answer(request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET":
            return await service.get(request.url.path)
        return httpx2.Response(502, text="<h1>Bad gateway</h1>")

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as http, assisting(http) as assistant:
        refused = await assistant.refused("create_task", title="x")
    assert "answers with 502, and not as backroom does" in refused["error"]["detail"]
    assert "It is not known whether this was done." in refused["hint"]
    assert "idempotency_key" in refused["next"]["arguments"]
