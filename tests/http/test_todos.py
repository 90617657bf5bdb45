"""To-dos by the rules of Todo-Backend: its sixteen checks in our own words, and what they mean for tasks."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from attrs import evolve

from adapters.http.handlers import todos
from domain.decisions import CommandBatch, Outcome, Replay
from domain.ports import Store
from domain.use_cases import clear
from tests.builders import Clock
from tests.http.access import callers
from tests.http.documented import Documented
from tests.http.service import Client, serving
from tests.http.steps import asked, deleted, got, log, made, violations
from tests.http.transport import ORIGIN

pytestmark = pytest.mark.anyio

PAGE = "https://todo.example"
PREFLIGHT = {"Origin": PAGE, "Access-Control-Request-Headers": "content-type"}


@pytest.fixture
async def client(store: Store) -> AsyncIterator[Client]:
    """Return a client of a service with to-dos, as a page from elsewhere is one."""
    async with serving(store, todo_backend=True, origins=(PAGE,)) as client:
        client.headers["Origin"] = PAGE
        yield client


async def posted(client: Client, **fields: Any) -> Any:
    """Create a to-do and return it."""
    response = await client.post("/todos", json={"title": "blah", **fields})
    assert 201 == response.status_code, response.text
    return response.json()


async def patched(client: Client, todo: Any, **fields: Any) -> Any:
    """Change a to-do at its own URL and return it."""
    response = await client.patch(todo["url"], json=fields)
    assert 200 == response.status_code, response.text
    return response.json()


async def listed(client: Client) -> Any:
    """Return all to-dos."""
    return await got(client, "/todos")


async def cleared(client: Client) -> None:
    """Delete all to-dos."""
    assert 204 == (await client.delete("/todos")).status_code


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
async def test_a_page_from_elsewhere(client: Client, method: str) -> None:
    """Check 1: the root answers, and a page of another origin may send what it needs and read what it gets."""
    path = "/todos/1" if method == "PATCH" else "/todos"
    preflight = await client.options(path, headers={**PREFLIGHT, "Access-Control-Request-Method": method})
    assert method in preflight.headers["access-control-allow-methods"]
    assert "content-type" == preflight.headers["access-control-allow-headers"]
    response = await client.get("/todos")
    assert (200, PAGE) == (response.status_code, response.headers["access-control-allow-origin"])


async def test_the_root(client: Client) -> None:
    """Checks 2 to 4: a POST answers what was posted, a DELETE succeeds, and an empty array is left."""
    assert "a todo" == (await posted(client, title="a todo"))["title"]
    await cleared(client)
    assert [] == await listed(client)


async def test_storing(client: Client) -> None:
    """Checks 5 to 8: a new to-do is in the list, is not completed, and has a URL that answers it."""
    todo = await posted(client, title="walk the dog")
    (found,) = await listed(client)
    assert todo == found == await got(client, todo["url"])
    assert ("walk the dog", False) == (found["title"], found["completed"])
    assert f"{ORIGIN}/todos/1" == found["url"]


async def test_from_the_list_to_one(client: Client) -> None:
    """Check 9: the URLs in the list lead to the to-dos, which are in the order of their creation."""
    for title in ("the first", "the second"):
        await posted(client, title=title)
    urls = [each["url"] for each in await listed(client)]
    assert ["the first", "the second"] == [(await got(client, url))["title"] for url in urls]


async def test_changing(client: Client) -> None:
    """Checks 10 to 12: a title and the completion change, and the changes are there later and in the list."""
    todo = await posted(client, title="initial title")
    assert "bathe the cat" == (await patched(client, todo, title="bathe the cat"))["title"]
    after = await patched(client, todo, completed=True)
    assert {**todo, "title": "bathe the cat", "completed": True} == after
    assert after == await got(client, todo["url"])
    assert [after] == await listed(client)


async def test_deleting(client: Client) -> None:
    """Check 13: a deleted to-do is no longer in the list."""
    todo = await posted(client)
    assert 204 == (await client.delete(todo["url"])).status_code
    assert [] == await listed(client)
    assert (404, "not_found") == asked(await client.get(todo["url"]))


async def test_ordering(client: Client) -> None:
    """Checks 14 to 16: a to-do can be created with an order, which can change, and is there later."""
    todo = await posted(client, order=523)
    assert 523 == todo["order"]
    assert 95 == (await patched(client, todo, order=95))["order"]
    assert 95 == (await got(client, todo["url"]))["order"]


async def test_not_there_by_default(store: Store) -> None:
    """Without the setting there is nothing at these paths, nor in the OpenAPI document."""
    async with serving(store) as client:
        for method, path in (("GET", "/todos"), ("POST", "/todos"), ("DELETE", "/todos"), ("PATCH", "/todos/1")):
            assert (404, "not_found") == asked(await client.request(method, path))
        assert "/todos" not in (await got(client, "/openapi.json"))["paths"]


async def test_they_are_tasks(client: Client) -> None:
    """A to-do is a task in every list and in the log, and a task is a to-do."""
    todo = await posted(client, title="Buy milk", order=5)
    task = await got(client, "/tasks/1")
    assert ("Buy milk", "pending", "order: 5") == (task["title"], task["status"], task["notes"])
    await client.put("/tasks/1", json={"status": "cancelled", "notes": "Oat milk\norder: 6"})
    assert {**todo, "completed": True, "order": 6} == await got(client, todo["url"])
    await patched(client, todo, completed=False, order=None)
    task = await got(client, "/tasks/1")
    assert ("pending", "Oat milk") == (task["status"], task["notes"])
    await made(client, "tasks", title="another")
    assert ["Buy milk", "another"] == [each["title"] for each in await listed(client)]
    assert ["task.created", "task.updated", "task.updated"] == [
        each["type"] for each in await log(client) if each["id"] == 1
    ]


async def test_clearing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """All tasks are deleted in batches, through the log, and each can be restored."""
    monkeypatch.setattr(clear, "MAX_COMMANDS", 2)
    for number in range(5):
        await posted(client, title=f"t{number}")
    await deleted(client, "tasks")
    dry = await client.delete("/todos", headers={"Prefer": "validate-only"})
    assert (204, "validate-only") == (dry.status_code, dry.headers["preference-applied"])
    assert 5 == len(await listed(client))
    await cleared(client)
    await cleared(client)
    assert [] == await listed(client)
    gone = [each["id"] for each in await log(client) if each["type"] == "task.deleted"]
    assert [6, 1, 2, 3, 4, 5] == gone
    assert "t2" == (await client.post("/tasks/3/restore")).json()["title"]


async def test_clearing_ends(client: Client, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What others create meanwhile stays, and what they delete does no harm."""
    monkeypatch.setattr(clear, "MAX_COMMANDS", 2)
    for _ in range(4):
        await posted(client)
    submit = store.submit

    async def beside(batch: CommandBatch) -> Outcome | Replay:
        if not batch.atomic:  # it deletes many
            await client.delete("/tasks/3")
            await made(client, "tasks", title="new")
        return await submit(batch)

    monkeypatch.setattr(store, "submit", beside)
    await cleared(client)
    assert ["new", "new"] == [each["title"] for each in await listed(client)]


async def test_not_more_than_so_many(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that would be too long has the newest to-dos, and a deletion of all deletes the others too."""
    monkeypatch.setattr(todos, "_NEWEST", evolve(todos._NEWEST, limit=2))
    monkeypatch.setattr(todos, "READ_AT_ONCE", 1)
    for number in range(3):
        await posted(client, title=f"t{number}")
    assert ["t1", "t2"] == [each["title"] for each in await listed(client)]
    await cleared(client)
    assert 0 == (await got(client, "/tasks"))["count"]


async def test_refused(client: Client) -> None:
    """A wrong to-do is refused with every violation, and changes nothing; a key has no place where all are deleted."""
    bad = {"title": " ", "completed": 1, "order": 1.5, "colour": "red"}
    broken = [("/colour", "unknown_field"), ("/title", "required")]
    broken += [("/completed", "wrong_type"), ("/order", "wrong_type")]
    assert broken == violations(await client.post("/todos", json=bad))
    todo = await posted(client)
    assert broken == violations(await client.patch(todo["url"], json=bad))
    assert (404, "not_found") == asked(await client.patch("/todos/9", json={}))
    assert 422 == (await client.patch("/todos/x", json={})).status_code
    assert (400, "bad_header") == asked(await client.delete("/todos", headers={"Idempotency-Key": "k"}))
    assert [todo] == await listed(client)


async def test_repeated(client: Client) -> None:
    """A request with a key takes effect once, as everywhere."""
    key = {"Idempotency-Key": "k"}
    first, again = [await client.post("/todos", json={"title": "x"}, headers=key) for _ in range(2)]
    assert ("true", first.content) == (again.headers["idempotency-replayed"], again.content)
    assert 1 == len(await listed(client))


async def test_full_notes(client: Client) -> None:
    """An order that has no room in the notes is refused, and nothing is lost."""
    await made(client, "tasks", notes="x" * 10_000)
    assert [("/notes", "too_long")] == violations(await client.patch("/todos/1", json={"order": 1}))
    assert 10_000 == len((await got(client, "/tasks/1"))["notes"])


async def test_who_may(store: Store, clock: Clock) -> None:
    """Keys hold here as well: who may read sees to-dos, and who may write changes them."""
    async with serving(store, todo_backend=True) as client:
        who = await callers(client, store, clock)
        for name, reads, writes in (
            ("nobody", 401, 401),
            ("read", 200, 403),
            ("write", 200, 204),
            ("session", 200, 204),
        ):
            assert reads == (await client.get("/todos", headers=who[name])).status_code
            assert writes == (await client.delete("/todos", headers=who[name])).status_code


async def test_documented(client: Client) -> None:
    """The examples of the OpenAPI document fit their schemas."""
    document = (await client.get("/openapi.json")).json()
    examples = 0
    for path in ("/todos", "/todos/{id}"):
        for method, operation in document["paths"][path].items():
            pointer = f"/paths/{path.replace('/', '~1')}/{method}"
            bodies = {f"{pointer}/requestBody": operation.get("requestBody", {})}
            bodies |= {f"{pointer}/responses/{status}": each for status, each in operation["responses"].items()}
            for place, body in bodies.items():
                for media_type, content in body.get("content", {}).items():
                    if "problem" not in media_type:
                        validator = Documented(document)._validator(
                            f"{place}/content/{media_type.replace('/', '~1')}/schema"
                        )
                        assert [] == [*validator.iter_errors(content["example"])]
                        examples += 1
    assert 7 == examples
