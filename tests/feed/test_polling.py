"""Following by polling, on every store."""

import asyncio
from urllib.parse import quote

import pytest

from domain.commands import Delete
from domain.ports import Store
from domain.product import PRODUCT
from domain.task import TASK
from tests.contract.steps import carry_out, edit, fill
from tests.feed.service import Service
from tests.feed.steps import documents, forget, until, write

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]


async def test_the_log_in_pieces(service: Service, store: Store) -> None:
    """Each page starts where the one before ended. The last page is empty, and its cursor stays."""
    written = await write(store, 5)
    found, path = [], "/changes?limit=2"
    while (answer := (await service.get(path))[1])["changes"]:
        found += answer["changes"]
        assert answer["changes"][-1]["cursor"] == answer["cursor"]
        path = f"/changes?limit=2&after={answer['cursor']}"
    assert written == found
    assert await store.head() == answer["cursor"]


async def test_now_is_the_end(service: Service, store: Store) -> None:
    """`after=now` returns only the cursor of the end."""
    await write(store, 2)
    assert (200, {"changes": [], "cursor": await store.head()}) == await service.get("/changes?after=now")


async def test_what_there_is_comes_at_once(service: Service, store: Store) -> None:
    """`wait` does not delay a response that has changes, and registers no follower."""
    written = await write(store, 1)
    assert (200, written) == await _changes(service, "/changes?wait=60")
    assert service.feed._reader is None


@pytest.mark.parametrize("limit", [1, 2, 1000])
async def test_a_poll_waits_for_a_change(
    service: Service, store: Store, elsewhere: Service, other: Store, limit: int
) -> None:
    """`wait` ends with the first new change of any process, and `limit` holds for it too."""
    await write(store, 1)
    cursor = await store.head()
    polls = [
        asyncio.create_task(each.get(f"/changes?after={cursor}&wait=60&limit={limit}")) for each in (service, elsewhere)
    ]
    await until(lambda: bool(service.feed._followers and elsewhere.feed._followers))
    assert not any(poll.done() for poll in polls)
    await fill(other, TASK, {}, {}, {})
    for status, answer in await asyncio.gather(*polls):
        assert (200, (await documents(store))[1:][:limit]) == (status, answer["changes"])
        assert answer["changes"][-1]["cursor"] == answer["cursor"]


async def test_waiting_in_vain(service: Service, store: Store) -> None:
    """After a wait in vain the page is empty, and its cursor is after any change of another type."""
    await write(store, 3)
    answer = await service.get("/changes?types=task.deleted&wait=1")
    assert (200, {"changes": [], "cursor": await store.head()}) == answer
    assert service.feed._reader is None


async def test_only_some_types(service: Service, store: Store) -> None:
    """The types select changes, at once and during a wait."""
    await fill(store, TASK, {}, {})
    await fill(store, PRODUCT, {})
    await carry_out(store, Delete(entity_type=TASK, id=1))
    wanted = [each for each in await documents(store) if each["type"] in ("task.deleted", "product.created")]
    assert (200, wanted) == await _changes(service, "/changes?types=task.deleted,product.created")
    cursor = await store.head()
    poll = asyncio.create_task(service.get(f"/changes?after={cursor}&types=task.deleted&wait=60"))
    await fill(store, TASK, {})
    await carry_out(store, edit(TASK, 2, notes="x"))
    await carry_out(store, Delete(entity_type=TASK, id=2))
    assert (200, (await documents(store))[-1:]) == (200, (await poll)[1]["changes"])


async def test_a_rare_type_far_behind(service: Service, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty page means the end of the log, however many changes of other types were skipped."""
    monkeypatch.setattr("adapters.sqlite.log.LOOKED_AT", 2)
    await fill(store, TASK, *({} for _ in range(9)))
    await fill(store, PRODUCT, {})
    assert (200, (await documents(store))[-1:]) == await _changes(service, "/changes?types=product.created")


async def test_the_feed_closes(service: Service, store: Store) -> None:
    """A waiting poll gets its response when the service closes, with a cursor to resume from."""
    cursor = await store.head()
    poll = asyncio.create_task(service.get(f"/changes?after={cursor}&wait=60"))
    await until(lambda: bool(service.feed._followers))
    await service.feed.close()
    assert (200, {"changes": [], "cursor": cursor}) == await poll
    assert (200, {"changes": [], "cursor": cursor}) == await service.get(f"/changes?after={cursor}&wait=60")


async def test_an_expired_cursor(service: Service, store: Store) -> None:
    """The changes after the cursor were purged: 410 at once. Without a cursor, the poll returns what is kept."""
    cursor = await store.head()
    await write(store, 2)
    await forget(store)
    for query in ("", "&wait=60", "&types=product.created"):
        status, problem = await service.get(f"/changes?after={cursor}{query}")
        assert (410, "cursor_expired") == (status, problem["code"])
    assert (200, {"changes": [], "cursor": await store.head()}) == await service.get("/changes")
    written = await write(store, 1)
    assert (200, written) == await _changes(service, "/changes")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("after=x", 400, "bad_cursor"),
        ("after=", 400, "bad_cursor"),
        ("after=ü", 400, "bad_cursor"),
        ("types=", 400, "bad_parameter"),
        ("types=task.created,task.moved", 400, "bad_parameter"),
        ("limit=0", 422, "invalid"),
        ("limit=1001", 422, "invalid"),
        ("wait=61", 422, "invalid"),
        ("wait=-1", 422, "invalid"),
        ("wait=0.5", 400, "bad_parameter"),
        ("after=now&after=now", 400, "bad_parameter"),
        ("since=now", 400, "bad_parameter"),
    ],
)
async def test_bad_requests(service: Service, query: str, status: int, code: str) -> None:
    """Each type of bad request gets its own problem."""
    found, problem = await service.get(f"/changes?{quote(query, safe='=&,')}")
    assert (status, code) == (found, problem["code"])


@pytest.mark.parametrize(("path", "entity_type"), [("/tasks", TASK), ("/products", PRODUCT)])
async def test_a_list_goes_on_in_its_changes(service: Service, store: Store, path: str, entity_type: object) -> None:
    """On any page, however filtered, `changes` leads to exactly the later changes of its entity type."""
    await fill(store, TASK, {}, {}, {})
    await fill(store, PRODUCT, {}, {}, {})
    pages = [(await service.get(path + query))[1] for query in ("", "?limit=1", "?q=nothing")]
    before = await store.head()
    await carry_out(store, edit(TASK, 1, notes="x"), edit(PRODUCT, 3, category="x"), Delete(entity_type=TASK, id=2))
    await fill(store, PRODUCT, {})
    told = await documents(store)
    cursor = [each["cursor"] for each in told].index(before)
    later = [each for each in told[cursor + 1 :] if each["type"].startswith(path[1:-1])]
    assert later
    for page in pages:
        assert (200, later) == await _changes(service, page["changes"])


async def _changes(service: Service, path: str) -> tuple[int, object]:
    status, answer = await service.get(path)
    return status, answer["changes"]
