"""The log of changes, polled."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from domain.ports import Store
from tests.builders import Clock
from tests.http.service import Client
from tests.http.steps import MINIMAL, NOON, a_turn, asked, got, log, made, violations

pytestmark = pytest.mark.anyio


async def told(client: Client, url: str) -> list[str]:
    """Return the types of the changes at a URL."""
    return [each["type"] for each in (await got(client, url))["changes"]]


async def now(client: Client) -> str:
    """Return the cursor of the end of the log."""
    cursor: str = (await got(client, "/changes?after=now"))["cursor"]
    return cursor


async def waiting(client: Client, url: str) -> asyncio.Task[Any]:
    """Poll a URL that holds its answer, and return the task of it once it is being held."""
    task = asyncio.create_task(client.get(url))
    while not client.service.feed._followers and not task.done():
        await a_turn(client)
    return task


async def test_a_change(client: Client, clock: Clock) -> None:
    """A change tells what was done to what, when, through which request, and how it was left."""
    headers = {"X-Request-ID": "r-1"}
    created = (await client.post("/tasks", json=MINIMAL["tasks"], headers=headers)).json()
    clock.now += timedelta(microseconds=1)
    edited = (await client.put("/tasks/1", json={"status": "done", "title": created["title"]}, headers=headers)).json()
    gone = (await client.delete("/tasks/1", headers=headers)).json()["deleted"]

    one, two, three = [{**each, "cursor": ""} for each in await log(client)]

    standard = {"cursor": "", "id": 1, "at": "2026-01-31T12:00:00.000001Z", "request_id": "r-1", "actor": None}
    fields = ["title", "status", "priority", "due", "notes"]
    assert {**standard, "type": "task.created", "version": 1, "at": NOON, "changed": fields, "data": created} == one
    assert {**standard, "type": "task.updated", "version": 2, "changed": ["status"], "data": edited} == two
    assert {**standard, "type": "task.deleted", "version": 3, "changed": [], "data": gone} == three


async def test_from_the_oldest(client: Client) -> None:
    """Without a cursor the log starts at the oldest change that is kept, and goes on behind the last that was told."""
    for _ in range(3):
        await made(client, "tasks")

    first = await got(client, "/changes?limit=2")
    second = await got(client, f"/changes?limit=2&after={first['cursor']}")
    third = await got(client, f"/changes?after={second['cursor']}")

    assert [[1, 2], [3], []] == [[each["id"] for each in page["changes"]] for page in (first, second, third)]
    assert second["cursor"] == third["cursor"]
    assert first["changes"][-1]["cursor"] == first["cursor"]


async def test_from_each_change(client: Client) -> None:
    """The cursor of any change goes on right behind it."""
    for _ in range(4):
        await made(client, "products")
    changes = await log(client)

    for index, each in enumerate(changes):
        assert changes[index + 1 :] == (await got(client, f"/changes?after={each['cursor']}"))["changes"]


async def test_from_now(client: Client) -> None:
    """`after=now` tells nothing of the past, and where to go on."""
    await made(client, "tasks")
    page = await got(client, "/changes?after=now")
    await made(client, "products")

    assert [] == page["changes"]
    assert ["product.created"] == await told(client, f"/changes?after={page['cursor']}")


async def test_types(client: Client) -> None:
    """Only the types that are named are told, and the cursor passes over the others."""
    await made(client, "tasks")
    await made(client, "products")
    await client.delete("/tasks/1")

    assert ["task.deleted"] == await told(client, "/changes?types=task.deleted")
    assert ["task.created", "product.created"] == await told(client, "/changes?types=product.created,task.created")
    page = await got(client, "/changes?types=product.deleted")
    assert ([], await now(client)) == (page["changes"], page["cursor"])


async def test_restores_come_with_creations(client: Client) -> None:
    """Whoever follows what is created is told of what is restored too; restores alone can be asked for."""
    await made(client, "tasks")
    await client.delete("/tasks/1")
    await client.post("/tasks/1/restore")

    assert ["task.created", "task.restored"] == await told(client, "/changes?types=task.created")
    assert ["task.restored"] == await told(client, "/changes?types=task.restored")


async def test_one_log_for_all_writes(client: Client) -> None:
    """Every kind of write is in the log once, in the order in which it took effect; refusals and rehearsals are not."""
    await made(client, "products", stock=1)
    await client.post("/products/1/stock", json={"change": 1})
    await client.post("/products/1/stock", json={"change": -9})
    await client.put("/products/1", json={"name": "New"}, headers={"Prefer": "validate-only"})
    bulk = [{"op": "create", "body": MINIMAL["tasks"]}, {"op": "delete", "id": 1}]
    await client.post("/tasks/bulk", json={"operations": bulk})
    await client.post("/tasks/1/restore")

    expected = ["product.created", "product.updated", "task.created", "task.deleted", "task.restored"]
    assert expected == [each["type"] for each in await log(client)]


async def test_waiting_for_something(client: Client) -> None:
    """A poll that waits is answered as soon as there is something."""
    poll = await waiting(client, f"/changes?wait=60&after={await now(client)}")
    task = await made(client, "tasks")

    assert [task] == [each["data"] for each in (await poll).json()["changes"]]


async def test_waiting_in_another_process(client: Client, other: Client) -> None:
    """What one process writes wakes those who wait in another."""
    poll = await waiting(other, f"/changes?wait=60&after={await now(client)}")
    await made(client, "tasks")

    assert ["task.created"] == [each["type"] for each in (await poll).json()["changes"]]


async def test_waiting_for_some_types(client: Client) -> None:
    """What was not asked for does not end the wait, and is passed over."""
    poll = await waiting(client, f"/changes?wait=60&types=product.created&after={await now(client)}")
    await made(client, "tasks")
    await made(client, "products")

    answer = (await poll).json()
    assert ["product.created"] == [each["type"] for each in answer["changes"]]
    assert [] == await told(client, f"/changes?after={answer['cursor']}")


async def test_waiting_where_there_is_something(client: Client) -> None:
    """A poll does not wait for more than what is there, nor take more than its limit."""
    await made(client, "tasks")
    await made(client, "tasks")

    assert ["task.created"] == await told(client, "/changes?wait=60&limit=1")


async def test_waiting_in_vain(client: Client) -> None:
    """A poll for which nothing came is answered with nothing, and the cursor that it had."""
    await made(client, "tasks")
    cursor = await now(client)

    assert {"changes": [], "cursor": cursor} == await got(client, f"/changes?wait=1&after={cursor}")


async def test_head_waits_for_nothing(client: Client) -> None:
    """HEAD has nothing to show, so it is answered at once."""
    async with asyncio.timeout(10):
        assert 200 == (await client.head(f"/changes?after={await now(client)}&wait=60")).status_code


async def test_waiting_while_the_service_closes(client: Client) -> None:
    """Those who wait are answered when the service closes."""
    poll = await waiting(client, f"/changes?wait=60&after={await now(client)}")
    await client.service.feed.close()

    assert (200, []) == ((await poll).status_code, (await poll).json()["changes"])


async def test_bad_parameters(client: Client) -> None:
    """What nobody asked for is refused, as are types that do not exist."""
    for path in ("/changes", "/changes/stream"):
        for query in (
            "nope=1",
            "after=now&after=now",
            "types=",
            "types=task",
            "types=task.created,",
            "types=Task.created",
        ):
            assert (400, "bad_parameter") == asked(await client.get(f"{path}?{query}")), query
    for query in ("limit=x", "wait=x", "wait=1.5"):
        assert (400, "bad_parameter") == asked(await client.get(f"/changes?{query}")), query
    for query in ("limit=1", "wait=1"):
        assert (400, "bad_parameter") == asked(await client.get(f"/changes/stream?{query}")), query


async def test_out_of_range(client: Client) -> None:
    """A limit is from 1 to 1000, a wait up to a minute."""
    for name, value in (("limit", 0), ("limit", 1001), ("wait", -1), ("wait", 61)):
        assert [(name, "out_of_range")] == violations(await client.get(f"/changes?{name}={value}"))


async def test_what_is_no_cursor(client: Client, store: Store) -> None:
    """A cursor that this log never gave is refused."""
    await made(client, "tasks")
    name, _, number = (await store.head()).rpartition("-")

    for cursor in ("", "x", "0", "-1", f"x{name}-{number}", f"{name}-", f"{name}--1", f"{name}-01", f"{name}-x", "Now"):
        for path in ("/changes", "/changes/stream"):
            assert (400, "bad_cursor") == asked(await client.get(f"{path}?after={cursor}")), cursor


async def test_cursor_that_is_kept_no_more(client: Client, store: Store, clock: Clock) -> None:
    """Behind a cursor that is too old something may be missing, and that is told; the oldest kept is a new start."""
    await made(client, "tasks")
    first = (await log(client))[0]["cursor"]
    await client.delete("/tasks/1")
    clock.now += timedelta(days=1)
    await made(client, "products")
    await store.purge(clock.now, changes_before=clock.now)

    assert (410, "cursor_expired") == asked(await client.get(f"/changes?after={first}"))
    assert ["product.created"] == await told(client, "/changes")
