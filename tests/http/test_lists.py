"""Lists: their shape, parameters and order, and following them to the end."""

from urllib.parse import quote

import pytest

from domain.ports import Store
from tests.builders import Clock
from tests.http.service import Client
from tests.http.steps import COLLECTIONS, MINIMAL, asked, got, ids, log, made, tasks

pytestmark = pytest.mark.anyio

ALL = pytest.mark.parametrize("collection", COLLECTIONS)


async def walked(client: Client, url: str) -> list[int]:
    """Return the ids on every page from this one on."""
    found: list[int] = []
    next: str | None = url
    while next is not None:
        response = await client.get(next)
        page = response.json()
        found += [each["id"] for each in page["tasks"]]
        next = page["next"]
        assert next is None or next.startswith("/tasks?")
        link = None if next is None else f'<{next}>; rel="next"'
        assert link == response.headers.get("link")
    return found


async def test_empty_lists(client: Client) -> None:
    """An empty list has the shape of its collection."""
    tasks, products = await got(client, "/tasks"), await got(client, "/products")

    assert {"tasks": [], "count": 0, "next": None}.items() <= tasks.items()
    assert {"products": {}, "ids": [], "count": 0, "next": None}.items() <= products.items()


async def test_shapes(client: Client) -> None:
    """Tasks are a list. Products are an object by id, with their order beside it."""
    task, other = await made(client, "tasks"), await made(client, "tasks", title="B")
    product, cheap = await made(client, "products"), await made(client, "products", price=1)

    assert {"tasks": [task, other], "count": 2}.items() <= (await got(client, "/tasks")).items()
    expected = {"products": {"1": product, "2": cheap}, "ids": [2, 1], "count": 2}
    assert expected.items() <= (await got(client, "/products?sort=price")).items()


@ALL
async def test_limit(client: Client, collection: str) -> None:
    """A page has 100 entities by default, and up to 1000 on request."""
    for _ in range(101):
        await made(client, collection)

    assert [100, 101, 1] == [len(await ids(client, query, collection)) for query in ("", "limit=1000", "limit=1")]


@pytest.mark.parametrize(
    ("limit", "query"),
    [(2, ""), (1, "sort=-id"), (2, "sort=-status,due"), (1, "status[in]=pending,done&sort=title"), (3, "q=t")],
)
async def test_walking(client: Client, limit: int, query: str) -> None:
    """`next` leads through every matching entity once, in order."""
    for due in (None, "2026-01-01"):
        await tasks(client, {"status": "done", "due": due}, {"status": "pending", "due": due})

    everything = await ids(client, query)
    assert 4 == len(everything)
    assert everything == await walked(client, f"/tasks?limit={limit}&{query}")


async def test_walking_with_what_cannot_stand_in_a_header(client: Client) -> None:
    """`next` and `Link` are valid URLs, whatever bytes the client sent, and an encoded cursor is replaced, too."""
    await tasks(client, *[{"title": 'é>"<'}] * 3)
    target = "/tasks?limit=1&q=" + '%C3%A9>"<'

    first = await client.raw("GET", target)
    second = await client.get(first.json()["next"])
    third = await client.raw("GET", second.json()["next"].replace("cursor=", "%63ursor="))

    assert [1, 2, 3] == [each.json()["tasks"][0]["id"] for each in (first, second, third)]
    assert second.json()["next"].isascii()
    assert first.headers["link"].startswith("</tasks?limit=1&q=%C3%A9%3E%22%3C&cursor=")
    assert third.json()["next"] is None


async def test_walking_while_others_write(client: Client) -> None:
    """An entity that exists throughout is seen exactly once, whatever is created, edited and deleted meanwhile."""
    await tasks(client, *[{}] * 6)

    first = await got(client, "/tasks?limit=2&sort=-title")
    await client.delete("/tasks/5")
    await client.delete("/tasks/2")
    await tasks(client, {"title": "a"}, {"title": "z"})
    await client.put("/tasks/3", json={"notes": "new"})

    assert [6, 5] == [each["id"] for each in first["tasks"]]
    assert [4, 3, 1, 7] == await walked(client, first["next"])


@ALL
async def test_total(client: Client, collection: str) -> None:
    """The total counts every match exactly, and only on request."""
    for _ in range(3):
        await made(client, collection)

    assert 3 == (await got(client, f"/{collection}?total=true&limit=2"))["total"]
    assert 1 == (await got(client, f"/{collection}?total=true&id[gt]=2"))["total"]
    next = (await got(client, f"/{collection}?total=true&limit=2"))["next"]
    assert 3 == (await got(client, next))["total"]
    for query in ("", "?total=false"):
        assert "total" not in await got(client, f"/{collection}{query}")


async def test_cursors_are_bound_to_their_query(client: Client) -> None:
    """A cursor works only for its own query: another filter, sort, search or collection gets an error."""
    await tasks(client, *[{}] * 3)
    await made(client, "products")
    next = (await got(client, "/tasks?limit=1&status=pending&sort=title"))["next"]
    cursor = next.rpartition("cursor=")[2]

    assert [2, 3] == await ids(client, f"limit=2&sort=title&status=pending&cursor={cursor}")
    for path in (
        f"/tasks?cursor={cursor}",
        f"/tasks?status=pending&cursor={cursor}",
        f"/tasks?status=done&sort=title&cursor={cursor}",
        f"/tasks?status[in]=pending&sort=title&cursor={cursor}",
        f"/tasks?status=pending&sort=-title&cursor={cursor}",
        f"/tasks?status=pending&sort=title&q=t&cursor={cursor}",
        f"/products?cursor={cursor}",
    ):
        assert (400, "bad_cursor") == asked(await client.get(path)), path


async def test_the_order_of_filters_does_not_matter(client: Client) -> None:
    """The same filters in another order are the same query."""
    await tasks(client, *[{}] * 3)
    next = (await got(client, "/tasks?limit=1&status=pending&priority=normal"))["next"]
    cursor = next.rpartition("cursor=")[2]

    assert [2, 3] == await ids(client, f"priority=normal&status=pending&cursor={cursor}")


async def test_a_cursor_is_that_of_its_collection(client: Client) -> None:
    """A cursor belongs to its collection even without filters and sort."""
    for collection in ("tasks", "products"):
        for _ in range(2):
            await made(client, collection)
    cursor = (await got(client, "/tasks?limit=1"))["next"].rpartition("cursor=")[2]

    assert (400, "bad_cursor") == asked(await client.get(f"/products?cursor={cursor}"))


@pytest.mark.parametrize("query", ["", "sort=title", "sort=-due,created_at"])
async def test_cursors_show_when_they_were_tampered_with(client: Client, query: str) -> None:
    """A cursor with any character changed, missing or added gets an error."""
    await tasks(client, *[{}] * 2)
    cursor = (await got(client, f"/tasks?limit=1&{query}"))["next"].rpartition("cursor=")[2]
    other = {"A": "B"}
    changed = [cursor[:at] + other.get(cursor[at], "A") + cursor[at + 1 :] for at in range(0, len(cursor) - 1, 3)]

    added = (f"{cursor}AAAA", f"{cursor}é", f"{cursor}=", f"{cursor[:8]}*{cursor[8:]}", f" {cursor}")
    for each in (*changed, *added, cursor[:-4], cursor[4:], "", "A", "AAAA", "é", "*", "null", "now"):
        response = await client.get(f"/tasks?limit=1&{query}&cursor={quote(each)}")
        assert (400, "bad_cursor") == asked(response), each


async def test_cursors_are_those_of_every_process(client: Client, other: Client) -> None:
    """Another process on the same store continues from the same cursor."""
    await tasks(client, *[{}] * 3)

    next = (await got(client, "/tasks?limit=2"))["next"]

    assert [3] == await walked(other, next)


@ALL
async def test_unchanged_lists(client: Client, collection: str) -> None:
    """The weak etag of a list is valid while the collection is unchanged, and gives 304 in every spelling."""
    await made(client, collection)
    tag = (await client.get(f"/{collection}")).headers["etag"]
    await made(client, "tasks" if collection == "products" else "products")

    assert tag.startswith('W/"')
    for known in (tag, tag[2:], f'{tag[2:-1]}-gzip"', f'W/"x", {tag}', f'"x",{tag[2:]}'):
        for method in ("GET", "HEAD"):
            response = await client.request(method, f"/{collection}", headers={"If-None-Match": known})
            assert (304, b"", tag) == (response.status_code, response.content, response.headers["etag"])
    assert 304 == (await client.get(f"/{collection}", headers={"If-None-Match": "*"})).status_code
    for known in ('"x"', "", tag.replace('"', ""), tag.partition("@")[0] + '"', tag.partition("@")[0] + '@x"'):
        assert 200 == (await client.get(f"/{collection}", headers={"If-None-Match": known})).status_code


@ALL
async def test_unchanged_list_whose_changes_are_kept_no_more(
    client: Client, store: Store, clock: Clock, collection: str
) -> None:
    """A client whose list can no longer be followed gets the list again, with a cursor that can be followed."""
    await made(client, collection)
    before = await client.get(f"/{collection}")
    known = {"If-None-Match": before.headers["etag"]}
    for _ in range(2):
        await made(client, "tasks" if collection == "products" else "products")
    assert 304 == (await client.get(f"/{collection}", headers=known)).status_code
    await store.purge(clock.now, changes_before=clock.now.replace(hour=13))
    assert 410 == (await client.get(before.json()["changes"])).status_code

    after = await client.get(f"/{collection}", headers=known)

    assert 200 == after.status_code
    assert 200 == (await client.get(after.json()["changes"])).status_code
    again = await client.get(f"/{collection}", headers={"If-None-Match": after.headers["etag"]})
    assert (304, after.headers["etag"]) == (again.status_code, again.headers["etag"])


@ALL
@pytest.mark.parametrize("write", ["create", "edit", "delete", "restore", "bulk"])
async def test_changed_lists(client: Client, collection: str, write: str) -> None:
    """Every type of write gives a list another etag."""
    await made(client, collection)
    if write == "restore":
        await client.delete(f"/{collection}/1")
    tag = (await client.get(f"/{collection}")).headers["etag"]

    assert (
        await {
            "create": lambda: client.post(f"/{collection}", json=MINIMAL[collection]),
            "edit": lambda: client.put(f"/{collection}/1", json={"notes" if collection == "tasks" else "sku": "x"}),
            "delete": lambda: client.delete(f"/{collection}/1"),
            "restore": lambda: client.post(f"/{collection}/1/restore"),
            "bulk": lambda: client.post(f"/{collection}/bulk", json={"operations": [{"op": "delete", "id": 1}]}),
        }[write]()
    ).is_success

    assert tag != (await client.get(f"/{collection}")).headers["etag"]
    assert 200 == (await client.get(f"/{collection}", headers={"If-None-Match": tag})).status_code


@ALL
async def test_head_is_a_get_without_a_body(client: Client, collection: str) -> None:
    """HEAD on a list has the headers of GET, and no body."""
    for _ in range(2):
        await made(client, collection)

    shown, told = await client.get(f"/{collection}?limit=1"), await client.head(f"/{collection}?limit=1")

    volatile = ("x-request-id", "x-process-time")
    assert b"" == told.content
    assert {name: value for name, value in shown.headers.items() if name not in volatile} == {
        name: value for name, value in told.headers.items() if name not in volatile
    }
    assert 400 == (await client.head(f"/{collection}?nope=1")).status_code


@ALL
async def test_list_and_follow(client: Client, collection: str) -> None:
    """A list's `changes` continues exactly where that list was read, with that collection alone."""
    await made(client, collection)
    page = await got(client, f"/{collection}")
    await client.delete(f"/{collection}/1")
    await made(client, "tasks")
    await made(client, "products")

    entity_type = collection.removesuffix("s")
    followed = (await got(client, page["changes"]))["changes"]
    assert [(f"{entity_type}.deleted", 1), (f"{entity_type}.created", 2)] == [
        (each["type"], each["id"]) for each in followed
    ]
    assert followed == [each for each in await log(client) if each["type"].startswith(entity_type)][1:]
