"""Tasks and products: created, read, edited, patched and deleted."""

from datetime import timedelta
from typing import Any

import pytest

from tests.builders import Clock
from tests.http.service import Client
from tests.http.steps import (
    COLLECTIONS,
    JSON,
    MERGE_PATCH,
    MINIMAL,
    NAME,
    NOON,
    asked,
    deleted,
    got,
    log,
    made,
    violations,
)

pytestmark = pytest.mark.anyio

DEFAULTS: dict[str, dict[str, Any]] = {
    "tasks": {"status": "pending", "priority": "normal", "due": None, "notes": "", "completed_at": None},
    "products": {"category": "general", "sku": None, "stock": None, "description": ""},
}
OTHERS: dict[str, dict[str, Any]] = {
    "tasks": {"title": "Mop", "status": "in_progress", "priority": "high", "due": "2026-12-31", "notes": "wet"},
    "products": {"name": "B", "price": 0.01, "category": "c", "sku": "X-1", "stock": 0, "description": "d"},
}
ALL = pytest.mark.parametrize("collection", COLLECTIONS)
BOTH_WAYS = pytest.mark.parametrize(("method", "headers"), [("PUT", JSON), ("PATCH", JSON), ("PATCH", MERGE_PATCH)])


@ALL
async def test_is_made_with_defaults(client: Client, collection: str) -> None:
    """A new entity has an id, version 1, its times, the sent fields, and defaults for the rest."""
    response = await client.post(f"/{collection}", json=MINIMAL[collection])

    assert 201 == response.status_code
    assert f"/{collection}/1" == response.headers["location"]
    assert '"1"' == response.headers["etag"]
    standard = {"id": 1, "version": 1, "created_at": NOON, "updated_at": NOON}
    assert {**standard, **MINIMAL[collection], **DEFAULTS[collection]} == response.json()
    assert response.json() == await got(client, response.headers["location"])


@ALL
async def test_is_made_of_everything(client: Client, collection: str) -> None:
    """The response has each field that was sent."""
    assert OTHERS[collection].items() <= (await made(client, collection, **OTHERS[collection])).items()


@ALL
async def test_null_stands_for_the_default(client: Client, collection: str) -> None:
    """A null sets an optional field to its default, in POST, PUT and PATCH."""
    nulls = {name: None for name in DEFAULTS[collection] if name != "completed_at"}

    assert DEFAULTS[collection].items() <= (await made(client, collection, **nulls)).items()
    for method in ("PUT", "PATCH"):
        id = (await made(client, collection, **OTHERS[collection]))["id"]
        response = await client.request(method, f"/{collection}/{id}", json=nulls)
        assert DEFAULTS[collection].items() <= response.json().items()
        await client.delete(f"/{collection}/{id}")


@ALL
async def test_answers_a_read_with_its_version(client: Client, collection: str) -> None:
    """The etag of a read is the version."""
    await made(client, collection)
    await client.put(f"/{collection}/1", json={NAME[collection]: "New"})

    response = await client.get(f"/{collection}/1")

    assert ('"2"', 2) == (response.headers["etag"], response.json()["version"])
    assert "application/json" == response.headers["content-type"]


@ALL
@BOTH_WAYS
async def test_sets_what_is_sent(
    client: Client, clock: Clock, collection: str, method: str, headers: dict[str, str]
) -> None:
    """PUT and PATCH set the fields in the body, leave the others, and update the version and the time."""
    before = await made(client, collection, **OTHERS[collection])
    clock.now += timedelta(seconds=1, microseconds=5)

    content = f'{{"{NAME[collection]}": "New"}}'
    response = await client.request(method, f"/{collection}/1", content=content, headers=headers)

    later = "2026-01-31T12:00:01.000005Z"
    assert 200 == response.status_code
    assert '"2"' == response.headers["etag"]
    assert {**before, NAME[collection]: "New", "version": 2, "updated_at": later} == response.json()
    assert response.json() == await got(client, f"/{collection}/1")


@ALL
@BOTH_WAYS
async def test_change_that_changes_nothing(
    client: Client, clock: Clock, collection: str, method: str, headers: dict[str, str]
) -> None:
    """An edit without a difference makes no new version and no change."""
    before = await made(client, collection, **OTHERS[collection])
    clock.now += timedelta(seconds=1)

    for content in ("{}", f'{{"{NAME[collection]}": " {before[NAME[collection]]} "}}'):
        response = await client.request(method, f"/{collection}/1", content=content, headers=headers)
        assert (200, before) == (response.status_code, response.json())
        assert '"1"' == response.headers["etag"]
    assert 1 == len(await log(client))


@ALL
async def test_is_deleted(client: Client, collection: str) -> None:
    """A delete returns the deleted entity with a version of its own. Then the entity is gone."""
    before = await made(client, collection)

    response = await client.delete(f"/{collection}/1")

    assert (200, {"deleted": {**before, "version": 2}}) == (response.status_code, response.json())
    assert (404, "not_found") == asked(await client.get(f"/{collection}/1"))


@ALL
async def test_ids_are_never_given_again(client: Client, collection: str) -> None:
    """No other entity ever gets the id of a deleted one, even the newest."""
    await deleted(client, collection)

    assert 2 == (await made(client, collection))["id"]


@ALL
async def test_is_not_there(client: Client, collection: str) -> None:
    """An unknown id gets 404, however large it is."""
    for id in ("1", "9223372036854775807", "9223372036854775808", "9999999999999999999", "007"):
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            body = {NAME[collection]: "New"} if method in ("PUT", "PATCH") else None
            response = await client.request(method, f"/{collection}/{id}", json=body)
            assert (404, "not_found") == asked(response), (method, id)
            assert response.json()["error"] == response.json()["detail"]
        assert 404 == (await client.head(f"/{collection}/{id}")).status_code


async def test_is_no_id(client: Client) -> None:
    """An id that is no positive number of at most 19 ASCII digits gets an error."""
    for id in ("0", "-1", "+1", "abc", "1.0", "1e3", "%D9%A1", "%C2%B2", "9" * 20, "1%0A", "%20", "0x1", "bulk%0A"):
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            response = await client.raw(method, f"/tasks/{id}")
            assert [("id", "out_of_range")] == violations(response), (method, id)
            assert "path" == response.json()["errors"][0]["in"]


@pytest.mark.parametrize("path", ["/tasks/%31", "/%74asks/1", "/tasks/01"])
async def test_percent_encoding_means_the_same(client: Client, path: str) -> None:
    """An unnecessarily encoded path means the same as a plain one."""
    await made(client, "tasks")

    assert 1 == (await client.raw("GET", path)).json()["id"]


async def test_completion_is_told(client: Client, clock: Clock) -> None:
    """`completed_at` is when the status became done. It survives other edits, and ends with the status."""
    await made(client, "tasks")
    clock.now += timedelta(hours=1)
    done = (await client.put("/tasks/1", json={"status": "done"})).json()
    clock.now += timedelta(hours=1)

    edited = (await client.patch("/tasks/1", json={"title": "New", "status": "done"})).json()
    reopened = (await client.patch("/tasks/1", json={"status": "pending"})).json()

    assert "2026-01-31T13:00:00.000000Z" == done["completed_at"] == edited["completed_at"]
    assert reopened["completed_at"] is None


async def test_sku_belongs_to_one_product(client: Client) -> None:
    """No other product may have the sku of a living one (in the same case). That of a deleted product is free."""
    await made(client, "products", sku="A-1")
    await made(client, "products", sku="a-1")

    assert (409, "already_exists") == asked(
        await client.post("/products", json={"name": "B", "price": 1, "sku": "A-1"})
    )
    assert (409, "already_exists") == asked(await client.put("/products/2", json={"sku": "A-1"}))
    assert (409, "already_exists") == asked(await client.patch("/products/2", json={"sku": "A-1"}))
    assert 200 == (await client.put("/products/1", json={"sku": "A-1"})).status_code
    await client.delete("/products/1")
    assert 200 == (await client.put("/products/2", json={"sku": "A-1"})).status_code
