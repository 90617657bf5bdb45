"""Steps that most tests over HTTP share."""

from typing import Any

import httpx2

from tests.http.service import Client

COLLECTIONS = ("tasks", "products")
MINIMAL: dict[str, dict[str, Any]] = {
    "tasks": {"title": "Sweep the floor"},
    "products": {"name": "Widget A", "price": 9.99},
}
NAME = {"tasks": "title", "products": "name"}
NOON = "2026-01-31T12:00:00.000000Z"

JSON = {"Content-Type": "application/json"}
MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}


def asked(response: httpx2.Response) -> tuple[int, str]:
    """Return the status and the code of a problem."""
    assert "application/problem+json" == response.headers["content-type"]
    return response.status_code, response.json()["code"]


def violations(response: httpx2.Response) -> list[tuple[str, str]]:
    """Return the pointer (or the parameter) and the code of each violation."""
    assert (422, "invalid") == asked(response)
    return [(each.get("pointer") or each["parameter"], each["code"]) for each in response.json()["errors"]]


async def made(client: Client, collection: str, **fields: Any) -> Any:
    """Create an entity from these fields and whatever else is required."""
    response = await client.post(f"/{collection}", json={**MINIMAL[collection], **fields})
    assert 201 == response.status_code, response.text
    return response.json()


async def deleted(client: Client, collection: str, **fields: Any) -> Any:
    """Create an entity, delete it, and return the deleted entity."""
    entity = await made(client, collection, **fields)
    return (await client.delete(f"/{collection}/{entity['id']}")).json()["deleted"]


async def got(client: Client, url: str) -> Any:
    """Return the document at a URL."""
    response = await client.get(url)
    assert 200 == response.status_code, response.text
    return response.json()


async def log(client: Client) -> list[Any]:
    """Return every change in the log."""
    changes: list[Any] = (await got(client, "/changes?limit=1000"))["changes"]
    return changes


async def tasks(client: Client, *documents: dict[str, Any]) -> None:
    """Create tasks, each with its own title."""
    for number, each in enumerate(documents):
        await made(client, "tasks", **{"title": f"t{number}", **each})


async def ids(client: Client, query: str, collection: str = "tasks") -> list[int]:
    """Return the ids on a page, in order."""
    page = await got(client, f"/{collection}?{query}")
    assert len(page[collection]) == page["count"]
    return page["ids"] if collection == "products" else [each["id"] for each in page["tasks"]]


async def prepare(client: Client) -> None:
    """Create task 1, deleted task 2 and product 1, each at version 2, so that every write finds its entity."""
    await made(client, "tasks")
    await client.put("/tasks/1", json={"notes": "second"})
    await deleted(client, "tasks")
    await made(client, "products", stock=5)
    await client.put("/products/1", json={"description": "second"})


async def a_turn(client: Client) -> None:
    """Let the service finish what it has begun."""
    assert 200 == (await client.get("/healthz")).status_code
