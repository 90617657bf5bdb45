"""Limits of requests at work and of followers, neither of which may block health checks."""

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
    """Create a task that no request can read before this event is set."""
    await made(client, "tasks")
    event, get = asyncio.Event(), store.get

    async def held(*args: Any) -> Any:
        await event.wait()
        return await get(*args)

    monkeypatch.setattr(store, "get", held)
    return event


def read(client: Client, address: str = "127.0.0.1") -> asyncio.Task[Any]:
    """Start to read that task, from an address."""
    return asyncio.create_task(client.get("/tasks/1", extensions={"address": address}))


async def test_too_many_at_work(client: Client, capacity: Capacity, go: asyncio.Event) -> None:
    """A request beyond the limit gets an error with Retry-After. Health checks pass, and later requests do again."""
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
    """A client that has reached its own limit takes nothing from other clients."""
    capacity.at_work.most_each = 1
    busy = read(client, "192.0.2.1")
    await until(lambda: capacity.at_work.taken == 1)

    assert 503 == (await client.get("/tasks", extensions={"address": "192.0.2.1"})).status_code
    assert 200 == (await client.get("/tasks", extensions={"address": "192.0.2.2"})).status_code
    go.set()
    assert 200 == (await busy).status_code


async def test_who_waits_for_a_body_is_not_at_work(client: Client, capacity: Capacity) -> None:
    """A body that is still arriving blocks no other request, and is served once it has arrived."""
    capacity.at_work.most = 1
    body = await HeldBody(client).begin(capacity.bodies)

    assert 200 == (await client.get("/tasks")).status_code
    assert 201 == await body.finish()


async def test_who_waits_for_changes_is_not_at_work(client: Client, capacity: Capacity) -> None:
    """A long poll, a stream and a WebSocket do not count either."""
    capacity.at_work.most = 1
    poll = asyncio.create_task(client.get(WAIT))
    await until(lambda: capacity.followers.taken == 1)
    async with client.stream("GET", "/changes/stream") as stream, connected(client.service.app, "/ws") as socket:
        assert "websocket.accept" == (await socket.next())["type"]

        assert 3 == capacity.followers.taken
        assert 200 == stream.status_code
        assert 201 == (await client.post("/tasks", json={"title": "a"})).status_code
        assert 200 == (await poll).status_code


async def test_long_polls_are_not_at_work_while_they_read(
    client: Client, capacity: Capacity, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long polls that all read the log at the same time, before and after their wait, take no place from others."""
    capacity.at_work.most = 1
    go, original, reading = asyncio.Event(), store.read, 0

    async def read_when_told(*args: Any, **options: Any) -> Any:
        nonlocal reading
        reading += 1
        await go.wait()
        return await original(*args, **options)

    monkeypatch.setattr(store, "read", read_when_told)
    polls: list[asyncio.Task[Any]] = []

    def is_served() -> bool:
        return reading == len(polls) or polls[-1].done()

    for _ in range(2):  # in turn, because on PostgreSQL a request is at work until its key was looked up
        polls.append(asyncio.create_task(client.get(WAIT)))
        await until(is_served)

    assert 201 == (await client.post("/tasks", json={"title": "a"})).status_code
    go.set()
    assert [200, 200] == [response.status_code for response in await asyncio.gather(*polls)]


@pytest.mark.parametrize("limit", ["most", "most_each"])
async def test_too_many_wait_for_changes(client: Client, capacity: Capacity, limit: str) -> None:
    """Beyond the limit no follower of any type is accepted until one leaves. Other requests are served."""
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
    """All clients together stay within the limit, each stays within its share, and what is given back is free again."""
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
