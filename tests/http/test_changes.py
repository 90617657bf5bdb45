"""Polling the log of changes."""

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
    """Return the types of the changes that a URL returns."""
    return [each["type"] for each in (await got(client, url))["changes"]]


async def now(client: Client) -> str:
    """Return the cursor of the end of the log."""
    cursor: str = (await got(client, "/changes?after=now"))["cursor"]
    return cursor


async def waiting(client: Client, url: str) -> asyncio.Task[Any]:
    """Poll a URL that waits, and return the task once it is waiting."""
    task = asyncio.create_task(client.get(url))
    while not client.service.feed._followers and not task.done():
        await a_turn(client)
    return task


async def test_a_change(client: Client, clock: Clock) -> None:
    """A change tells its type, entity, time, request, and the entity after it."""
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


async def test_the_newest(client: Client) -> None:
    """One can begin with the newest changes; the cursor behind them goes on. Types are selected among these."""
    for _ in range(3):
        await made(client, "tasks")
    await client.delete("/tasks/1")

    found = await got(client, "/changes?last=2")
    assert [(3, "task.created"), (1, "task.deleted")] == [(each["id"], each["type"]) for each in found["changes"]]
    assert await now(client) == found["cursor"]
    assert ["task.deleted"] == await told(client, "/changes?last=2&types=task.deleted")
    assert 4 == len(await told(client, "/changes?last=1000"))


async def test_from_the_oldest(client: Client) -> None:
    """Without a cursor the log starts at the oldest kept change, and continues after the last change returned."""
    for _ in range(3):
        await made(client, "tasks")

    first = await got(client, "/changes?limit=2")
    second = await got(client, f"/changes?limit=2&after={first['cursor']}")
    third = await got(client, f"/changes?after={second['cursor']}")

    assert [[1, 2], [3], []] == [[each["id"] for each in page["changes"]] for page in (first, second, third)]
    assert second["cursor"] == third["cursor"]
    assert first["changes"][-1]["cursor"] == first["cursor"]


async def test_from_each_change(client: Client) -> None:
    """The cursor of any change leads to the next change."""
    for _ in range(4):
        await made(client, "products")
    changes = await log(client)

    for index, each in enumerate(changes):
        assert changes[index + 1 :] == (await got(client, f"/changes?after={each['cursor']}"))["changes"]


async def test_from_now(client: Client) -> None:
    """`after=now` returns no past change, and a cursor to continue from."""
    await made(client, "tasks")
    page = await got(client, "/changes?after=now")
    await made(client, "products")

    assert [] == page["changes"]
    assert ["product.created"] == await told(client, f"/changes?after={page['cursor']}")


async def test_types(client: Client) -> None:
    """Only the named types are returned, and the cursor passes the others."""
    await made(client, "tasks")
    await made(client, "products")
    await client.delete("/tasks/1")

    assert ["task.deleted"] == await told(client, "/changes?types=task.deleted")
    assert ["task.created", "product.created"] == await told(client, "/changes?types=product.created,task.created")
    page = await got(client, "/changes?types=product.deleted")
    assert ([], await now(client)) == (page["changes"], page["cursor"])


async def test_restores_come_with_creations(client: Client) -> None:
    """A follower of created entities also gets restored ones. Restored ones can be followed alone."""
    await made(client, "tasks")
    await client.delete("/tasks/1")
    await client.post("/tasks/1/restore")

    assert ["task.created", "task.restored"] == await told(client, "/changes?types=task.created")
    assert ["task.restored"] == await told(client, "/changes?types=task.restored")


async def test_one_log_for_all_writes(client: Client) -> None:
    """Every type of write is logged once, in the order of commit. Errors and dry runs are not logged."""
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
    """A poll that waits gets a response as soon as there is a change."""
    poll = await waiting(client, f"/changes?wait=60&after={await now(client)}")
    task = await made(client, "tasks")

    assert [task] == [each["data"] for each in (await poll).json()["changes"]]


async def test_waiting_in_another_process(client: Client, other: Client) -> None:
    """A write in one process wakes a poll in another."""
    poll = await waiting(other, f"/changes?wait=60&after={await now(client)}")
    await made(client, "tasks")

    assert ["task.created"] == [each["type"] for each in (await poll).json()["changes"]]


async def test_waiting_for_some_types(client: Client) -> None:
    """A change of another type does not end the wait, and the cursor passes it."""
    poll = await waiting(client, f"/changes?wait=60&types=product.created&after={await now(client)}")
    await made(client, "tasks")
    await made(client, "products")

    answer = (await poll).json()
    assert ["product.created"] == [each["type"] for each in answer["changes"]]
    assert [] == await told(client, f"/changes?after={answer['cursor']}")


async def test_waiting_where_there_is_something(client: Client) -> None:
    """A poll does not wait if there are changes, and returns no more than its limit."""
    await made(client, "tasks")
    await made(client, "tasks")

    assert ["task.created"] == await told(client, "/changes?wait=60&limit=1")


async def test_waiting_in_vain(client: Client) -> None:
    """A poll without a change returns nothing and the same cursor."""
    await made(client, "tasks")
    cursor = await now(client)

    assert {"changes": [], "cursor": cursor} == await got(client, f"/changes?wait=1&after={cursor}")


async def test_head_waits_for_nothing(client: Client) -> None:
    """HEAD has no body, so it gets its response at once."""
    async with asyncio.timeout(10):
        assert 200 == (await client.head(f"/changes?after={await now(client)}&wait=60")).status_code


async def test_waiting_while_the_service_closes(client: Client) -> None:
    """Waiting polls get a response when the service closes."""
    poll = await waiting(client, f"/changes?wait=60&after={await now(client)}")
    await client.service.feed.close()

    assert (200, []) == ((await poll).status_code, (await poll).json()["changes"])


async def test_bad_parameters(client: Client) -> None:
    """Unknown parameters and unknown types get an error."""
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
    for query in ("limit=x", "wait=x", "wait=1.5", "last=x", "last=1&after=now"):
        assert (400, "bad_parameter") == asked(await client.get(f"/changes?{query}")), query
    for query in ("limit=1", "wait=1", "last=1"):
        assert (400, "bad_parameter") == asked(await client.get(f"/changes/stream?{query}")), query


async def test_out_of_range(client: Client) -> None:
    """A limit is from 1 to 1000, and so is how many to begin with; a wait is up to a minute."""
    for name, value in (("limit", 0), ("limit", 1001), ("last", 0), ("last", 1001), ("wait", -1), ("wait", 61)):
        assert [(name, "out_of_range")] == violations(await client.get(f"/changes?{name}={value}"))


async def test_what_is_no_cursor(client: Client, store: Store) -> None:
    """A cursor that this log never issued gets an error."""
    await made(client, "tasks")
    name, _, number = (await store.head()).rpartition("-")

    for cursor in ("", "x", "0", "-1", f"x{name}-{number}", f"{name}-", f"{name}--1", f"{name}-01", f"{name}-x", "Now"):
        for path in ("/changes", "/changes/stream"):
            assert (400, "bad_cursor") == asked(await client.get(f"{path}?after={cursor}")), cursor


async def test_cursor_that_is_kept_no_more(client: Client, store: Store, clock: Clock) -> None:
    """An expired cursor gets an error, because changes after it may be gone. The oldest kept change is a new start."""
    await made(client, "tasks")
    first = (await log(client))[0]["cursor"]
    await client.delete("/tasks/1")
    clock.now += timedelta(days=1)
    await made(client, "products")
    await store.purge(clock.now, changes_before=clock.now)

    assert (410, "cursor_expired") == asked(await client.get(f"/changes?after={first}"))
    assert ["product.created"] == await told(client, "/changes")
