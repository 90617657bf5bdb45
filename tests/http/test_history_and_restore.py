"""The history of an entity, and its restore."""

from datetime import timedelta
from typing import Any

import pytest

from domain.ports import Store
from tests.builders import NOON as STARTED
from tests.builders import Clock
from tests.http.service import Client
from tests.http.steps import COLLECTIONS, MINIMAL, NAME, NOON, asked, deleted, got, log, made, violations

pytestmark = pytest.mark.anyio

ALL = pytest.mark.parametrize("collection", COLLECTIONS)


async def history(client: Client, url: str) -> list[Any]:
    """Return every change of an entity, following `next` from a URL."""
    found: list[Any] = []
    next: str | None = url
    while next is not None:
        page = await got(client, next)
        found += page["history"]
        next = page["next"]
    return found


@ALL
async def test_history(client: Client, clock: Clock, collection: str) -> None:
    """A history has all changes, oldest first, as in the log: its request, the difference, and the entity after it."""
    entity_type = collection.removesuffix("s")
    headers = {"X-Request-ID": "r-1"}
    first = (await client.post(f"/{collection}", json=MINIMAL[collection], headers=headers)).json()
    await made(client, collection)
    clock.now += timedelta(seconds=1)
    second = (await client.put(f"/{collection}/1", json={NAME[collection]: "New"})).json()
    await client.put(f"/{collection}/1", json={NAME[collection]: "New"})
    third = (await client.delete(f"/{collection}/1")).json()["deleted"]
    fourth = (await client.post(f"/{collection}/1/restore")).json()

    told = await history(client, f"/{collection}/1/history")

    assert [first, second, third, fourth] == [each["data"] for each in told]
    assert [1, 2, 3, 4] == [each["version"] for each in told]
    expected = [f"{entity_type}.{action}" for action in ("created", "updated", "deleted", "restored")]
    assert expected == [each["type"] for each in told]
    assert [NAME[collection]] == told[1]["changed"]
    assert [] == told[2]["changed"]
    assert (NOON, "r-1") == (told[0]["at"], told[0]["request_id"])
    assert [each for each in await log(client) if each["id"] == 1] == told


@ALL
async def test_history_in_pages(client: Client, collection: str) -> None:
    """`next` leads through a history to its end, whatever is appended meanwhile."""
    await made(client, collection)
    for number in range(4):
        await client.put(f"/{collection}/1", json={NAME[collection]: f"New {number}"})
    page = await got(client, f"/{collection}/1/history?limit=2")
    await client.delete(f"/{collection}/1")

    assert [1, 2] == [each["version"] for each in page["history"]]
    assert [3, 4, 5, 6] == [each["version"] for each in await history(client, page["next"])]
    exact = await got(client, f"/{collection}/1/history?limit=6")
    assert (6, None) == (len(exact["history"]), exact["next"])


async def test_history_of_nothing(client: Client) -> None:
    """An entity that never existed has no history."""
    for id in ("1", "9999999999999999999"):
        assert (404, "not_found") == asked(await client.get(f"/tasks/{id}/history"))
    assert [("id", "out_of_range")] == violations(await client.get("/tasks/x/history"))


async def test_bad_parameters_of_a_history(client: Client) -> None:
    """A history accepts a limit and its own cursor, and nothing else."""
    await made(client, "tasks")

    for query in ("nope=1", "limit=x", "limit=1&limit=1", "sort=id"):
        assert (400, "bad_parameter") == asked(await client.get(f"/tasks/1/history?{query}")), query
    for cursor in ("", "v", "1", "v-1", "vx", "v1.0", "v%D9%A1", f"v{'9' * 20}", "now"):
        assert (400, "bad_cursor") == asked(await client.get(f"/tasks/1/history?cursor={cursor}")), cursor
    for limit in ("0", "1001"):
        assert [("limit", "out_of_range")] == violations(await client.get(f"/tasks/1/history?limit={limit}"))


async def test_history_is_kept_as_long_as_the_log(client: Client, store: Store, clock: Clock) -> None:
    """Changes that the log has purged are no longer in the history. The entity stays."""
    await made(client, "tasks")
    clock.now += timedelta(days=1)
    await client.put("/tasks/1", json={"title": "New"})
    await store.purge(clock.now, changes_before=STARTED + timedelta(hours=1))

    assert [2] == [each["version"] for each in await history(client, "/tasks/1/history")]
    await store.purge(clock.now, changes_before=clock.now + timedelta(hours=1))
    assert [] == await history(client, "/tasks/1/history")
    assert 200 == (await client.get("/tasks/1")).status_code


@ALL
async def test_restore(client: Client, clock: Clock, collection: str) -> None:
    """A restored entity has its id, its fields and the next version."""
    gone = await deleted(client, collection)
    clock.now += timedelta(hours=1)

    response = await client.post(f"/{collection}/1/restore")

    assert (200, '"3"') == (response.status_code, response.headers["etag"])
    assert {**gone, "version": 3, "updated_at": "2026-01-31T13:00:00.000000Z"} == response.json()
    assert response.json() == await got(client, f"/{collection}/1")
    assert [1] == [each["id"] for each in (await log(client))[2:]]


@ALL
async def test_restore_of_what_is_there(client: Client, collection: str) -> None:
    """An entity that is not deleted cannot be restored."""
    await made(client, collection)

    assert (409, "not_deleted") == asked(await client.post(f"/{collection}/1/restore"))


async def test_restore_of_nothing(client: Client) -> None:
    """An entity that never existed, or was purged, cannot be restored."""
    for id in ("1", "9999999999999999999"):
        assert (404, "not_found") == asked(await client.post(f"/tasks/{id}/restore"))
    assert [("id", "out_of_range")] == violations(await client.post("/tasks/x/restore"))


async def test_restore_of_what_is_forgotten(client: Client, store: Store, clock: Clock) -> None:
    """An entity can be restored as long as the log has its deletion."""
    await deleted(client, "tasks")
    await store.purge(clock.now, changes_before=clock.now + timedelta(hours=1))

    assert (404, "not_found") == asked(await client.post("/tasks/1/restore"))


async def test_restore_checks_the_rules_again(client: Client) -> None:
    """If another product has taken the sku, a restore fails until the sku is free."""
    await deleted(client, "products", sku="A-1")
    await made(client, "products", sku="A-1")

    assert (409, "already_exists") == asked(await client.post("/products/1/restore"))
    assert 404 == (await client.get("/products/1")).status_code
    await client.put("/products/2", json={"sku": None})
    assert 200 == (await client.post("/products/1/restore")).status_code


@ALL
async def test_restored_again_and_again(client: Client, collection: str) -> None:
    """An entity can be deleted and restored forever, with one version each."""
    await made(client, collection)
    for version in (2, 4, 6):
        assert version == (await client.delete(f"/{collection}/1")).json()["deleted"]["version"]
        assert version + 1 == (await client.post(f"/{collection}/1/restore")).json()["version"]
