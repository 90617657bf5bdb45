"""How many requests one process works on, how many wait for changes, and that neither keeps health from being told."""

import asyncio
from typing import Any

import pytest

from adapters.http.fairness.capacity import Capacity
from adapters.http.fairness.fair_share import FairShare
from adapters.http.responses.http_errors import Overloaded
from domain.ports import Store
from tests.fairness.held import HeldBody
from tests.feed.steps import until
from tests.http.service import Client
from tests.http.steps import asked, made
from tests.http.transport import connected

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]

WAIT = "/changes?after=now&wait=60"
HEALTH = ("/healthz", "/readyz")


@pytest.fixture
async def go(client: Client, store: Store, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Make a task that is not read before this is set."""
    await made(client, "tasks")
    event, get = asyncio.Event(), store.get

    async def held(*args: Any) -> Any:
        await event.wait()
        return await get(*args)

    monkeypatch.setattr(store, "get", held)
    return event


def read(client: Client, address: str = "127.0.0.1") -> asyncio.Task[Any]:
    """Begin to read that task, from an address."""
    return asyncio.create_task(client.get("/tasks/1", extensions={"address": address}))


async def test_too_many_at_work(client: Client, capacity: Capacity, go: asyncio.Event) -> None:
    """Beyond the limit one is refused with advice, health is told all the same, and soon others are served again."""
    capacity.at_work.most = 2
    busy = [read(client) for _ in range(2)]
    await until(lambda: capacity.at_work.taken == 2)

    refused = await client.get("/tasks")

    assert (503, "unavailable") == asked(refused)
    assert "1" == refused.headers["retry-after"]
    assert [200, 200] == [(await client.get(path)).status_code for path in HEALTH]
    go.set()
    assert [200, 200] == [response.status_code for response in await asyncio.gather(*busy)]
    assert 200 == (await client.get("/tasks")).status_code


async def test_too_many_at_work_of_one_client(client: Client, capacity: Capacity, go: asyncio.Event) -> None:
    """A client that has as many at work as it may have takes nothing from another one."""
    capacity.at_work.most_each = 1
    busy = read(client, "192.0.2.1")
    await until(lambda: capacity.at_work.taken == 1)

    assert 503 == (await client.get("/tasks", extensions={"address": "192.0.2.1"})).status_code
    assert 200 == (await client.get("/tasks", extensions={"address": "192.0.2.2"})).status_code
    go.set()
    assert 200 == (await busy).status_code


async def test_who_waits_for_a_body_is_not_at_work(client: Client, capacity: Capacity) -> None:
    """A body on its way keeps nobody from being served, and is served when it has come."""
    capacity.at_work.most = 1
    body = await HeldBody(client).begin(capacity.bodies)

    assert 200 == (await client.get("/tasks")).status_code
    assert 201 == await body.finish()


async def test_who_waits_for_changes_is_not_at_work(client: Client, capacity: Capacity) -> None:
    """Nor do a long poll, a stream and a socket."""
    capacity.at_work.most = 1
    poll = asyncio.create_task(client.get(WAIT))
    await until(lambda: capacity.followers.taken == 1)
    async with client.stream("GET", "/changes/stream") as stream, connected(client.service.app, "/ws") as socket:
        assert "websocket.accept" == (await socket.next())["type"]

        assert 3 == capacity.followers.taken
        assert 200 == stream.status_code
        assert 201 == (await client.post("/tasks", json={"title": "a"})).status_code
        assert 200 == (await poll).status_code


@pytest.mark.parametrize("limit", ["most", "most_each"])
async def test_too_many_wait_for_changes(client: Client, capacity: Capacity, limit: str) -> None:
    """Beyond the limit nobody else waits, in whatever way; what waits for nothing is answered, and places come free."""
    setattr(capacity.followers, limit, 1)
    async with client.stream("GET", "/changes/stream") as first:
        assert 200 == first.status_code
        assert [503, 503] == [(await client.get(path)).status_code for path in (WAIT, "/changes/stream")]
        async with connected(client.service.app, "/ws") as socket:
            assert ("websocket.http.response.start", 503) == tuple((await socket.next()).values())[:2]
        assert 200 == (await client.get("/changes?after=now")).status_code
        assert 200 == (await client.get("/tasks")).status_code

    async with client.stream("GET", "/changes/stream") as second:
        assert 200 == second.status_code


def test_a_share() -> None:
    """All together have no more than there is, each has no more than its share, and what is given back can be had."""
    share = FairShare("things", most=3, most_each=2)
    for client in ("a", "a", "b"):
        share.enter(client)
    for client in ("a", "c"):
        with pytest.raises(Overloaded, match="too many things"):
            share.enter(client)
    share.give_back("b")
    with pytest.raises(Overloaded):
        share.enter("a")
    share.enter("c")

    assert 3 == share.taken
