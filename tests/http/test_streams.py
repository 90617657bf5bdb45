"""Following the log of changes by events and by WebSocket."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import orjson
import pytest

from adapters.http.feed import event_stream
from adapters.http.feed.feed import MAX_BEHIND
from domain.ports import Store
from tests.builders import Clock
from tests.http.service import Client, serving
from tests.http.steps import MINIMAL, a_turn, asked, log, made
from tests.http.transport import ORIGIN, Socket, connected

pytestmark = pytest.mark.anyio

Event = dict[str, str]


@asynccontextmanager
async def events(client: Client, url: str = "/changes/stream", **headers: str) -> AsyncIterator[AsyncIterator[Event]]:
    """Follow a stream, and yield its events as a browser does."""

    async def parsed(lines: AsyncIterator[str]) -> AsyncIterator[Event]:
        event: Event = {}
        last = ""
        async for line in lines:
            if line:
                name, _, value = line.partition(": ")
                event[name or "comment"] = value
            else:
                last = event.get("id", last)
                if "data" in event:
                    yield {"event": "message", "lastEventId": last, **event}
                event = {}

    async with client.stream("GET", url, headers=headers) as response:
        assert (200, "text/event-stream") == (response.status_code, response.headers["content-type"])
        assert "no-store" == response.headers["cache-control"]
        yield parsed(response.aiter_lines())


async def check_refused(opened: Socket, status: int, code: str) -> None:
    """Check that a handshake gets a problem."""
    start, body = await opened.next(), await opened.next()
    headers = dict(start["headers"])
    assert ("websocket.http.response.start", status) == (start["type"], start["status"])
    assert {b"x-request-id", b"x-process-time"} < set(headers)
    assert b"application/problem+json" == headers[b"content-type"]
    problem = orjson.loads(body["body"])
    assert (status, code) == (problem["status"], problem["code"])


@asynccontextmanager
async def socket(client: Client, target: str = "/ws", **headers: str) -> AsyncIterator[Socket]:
    """Open a WebSocket that the service accepts."""
    async with connected(client.service.app, target, [*headers.items()]) as opened:
        assert "websocket.accept" == (await opened.next())["type"]
        yield opened


async def expired(client: Client, store: Store, clock: Clock) -> str:
    """Return an expired cursor."""
    await made(client, "tasks")
    cursor: str = (await log(client))[0]["cursor"]
    await made(client, "tasks")
    clock.now += timedelta(days=1)
    await store.purge(clock.now, changes_before=clock.now)
    return cursor


async def test_events(client: Client) -> None:
    """A stream sends the kept changes and then new ones, each as in a poll."""
    await made(client, "tasks")
    async with events(client) as stream:
        first = await anext(stream)
        await made(client, "products")
        second = await anext(stream)

    assert await log(client) == [json.loads(each["data"]) for each in (first, second)]
    assert [each["cursor"] for each in await log(client)] == [each["id"] for each in (first, second)]
    assert {"message"} == {each["event"] for each in (first, second)}


async def test_events_from_now(client: Client, other: Client) -> None:
    """`after=now` sends only later changes, of any process."""
    await made(client, "tasks")
    async with events(client, "/changes/stream?after=now") as stream:
        await made(other, "products")

        assert "product.created" == json.loads((await anext(stream))["data"])["type"]


async def test_events_resume(client: Client) -> None:
    """`Last-Event-ID` continues after that event, and counts before the URL, which a browser repeats."""
    for _ in range(3):
        await made(client, "tasks")
    one, two, three = await log(client)

    async with events(client, f"/changes/stream?after={one['cursor']}") as stream:
        assert two["cursor"] == (await anext(stream))["id"]
    async with events(client, "/changes/stream?after=now", **{"Last-Event-ID": two["cursor"]}) as stream:
        assert three["cursor"] == (await anext(stream))["id"]


async def test_events_of_some_types(client: Client) -> None:
    """Only changes of the named types are sent."""
    async with events(client, "/changes/stream?types=product.created,task.deleted") as stream:
        await made(client, "tasks")
        await made(client, "products")
        await client.delete("/tasks/1")

        assert ["product.created", "task.deleted"] == [json.loads((await anext(stream))["data"])["type"] for _ in "ab"]


async def test_events_bring_signs_of_life(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """An idle stream sends a comment now and then."""
    monkeypatch.setattr(event_stream, "HEARTBEAT_S", 0.001)
    async with client.stream("GET", "/changes/stream?after=now") as response:
        lines = response.aiter_lines()
        comments = [line async for line in _first(lines, 20) if line.startswith(":")]

    assert 2 < len(comments)


async def _first(lines: AsyncIterator[str], count: int) -> AsyncIterator[str]:
    for _ in range(count):
        yield await anext(lines)


async def test_events_of_the_past_that_is_gone(client: Client, store: Store, clock: Clock) -> None:
    """A stream with an expired cursor says so and ends: after an error, a browser would retry forever."""
    cursor = await expired(client, store, clock)

    async with events(client, f"/changes/stream?after={cursor}") as stream:
        assert ["reset"] == [each["event"] async for each in stream]
    async with events(client, **{"Last-Event-ID": cursor}) as stream:
        assert ["reset"] == [each["event"] async for each in stream]


async def test_events_of_another_log(client: Client) -> None:
    """An invalid cursor gets an error before the stream begins."""
    assert (400, "bad_cursor") == asked(await client.get("/changes/stream", headers={"Last-Event-ID": "x"}))


async def test_events_end_when_the_service_closes(client: Client) -> None:
    """A stream ends with the service, and the client reconnects by itself."""
    async with events(client) as stream:
        await client.service.feed.close()

        assert [] == [each async for each in stream]


async def test_head_of_the_events(client: Client) -> None:
    """HEAD has the type of the stream, and ends."""
    response = await client.head("/changes/stream")

    assert (200, "text/event-stream", b"") == (response.status_code, response.headers["content-type"], response.content)


@pytest.mark.parametrize("sent", ["", "seen-by-my-proxy"])
async def test_socket_has_an_id_and_a_time(client: Client, sent: str) -> None:
    """The handshake response has the headers of every response."""
    headers = [("x-request-id", sent)] if sent else []
    async with connected(client.service.app, "/ws", headers) as opened:
        stamps = {name.decode(): value.decode() for name, value in (await opened.next())["headers"]}
    assert re.fullmatch(sent or "[0-9a-f]{32}", stamps["x-request-id"])
    assert re.fullmatch(r"\d+\.\d\dms", stamps["x-process-time"])


async def test_socket_is_live(client: Client, other: Client) -> None:
    """Without a cursor a WebSocket is ready at once, and sends new changes of any process."""
    await made(client, "tasks")
    async with socket(client) as opened:
        ready = await opened.document()
        await made(client, "tasks")
        await made(other, "products")

        assert {"type": "ready", "cursor": (await log(client))[0]["cursor"]} == ready
        assert (await log(client))[1:] == [await opened.document() for _ in "ab"]


async def test_socket_catches_up(client: Client) -> None:
    """With a cursor a WebSocket sends later changes, then `ready`, then new changes."""
    for _ in range(3):
        await made(client, "tasks")
    one, two, three = await log(client)

    async with socket(client, f"/ws?after={one['cursor']}") as opened:
        assert [two, three] == [await opened.document() for _ in "ab"]
        assert {"type": "ready", "cursor": three["cursor"]} == await opened.document()
        await made(client, "products")
        assert "product.created" == (await opened.document())["type"]


async def test_socket_of_some_types(client: Client) -> None:
    """Only changes of the named types are sent, before `ready` and after."""
    await made(client, "tasks")
    start = (await log(client))[0]["cursor"]
    await made(client, "products")

    async with socket(client, f"/ws?after={start}&types=product.created,product.deleted") as opened:
        assert ["product.created", "ready"] == [(await opened.document())["type"] for _ in "ab"]
        await made(client, "tasks")
        await client.delete("/products/1")
        assert "product.deleted" == (await opened.document())["type"]


async def test_socket_ignores_what_it_is_told(client: Client) -> None:
    """Messages of a client are ignored, and do no harm."""
    async with socket(client) as opened:
        assert "ready" == (await opened.document())["type"]
        await opened.tell('{"type": "subscribe"}')
        await made(client, "tasks")
        assert "task.created" == (await opened.document())["type"]


@pytest.mark.parametrize(
    "query", ["after=x", "after=", "types=nope", "nope=1", "after=now&after=now", "after=%00", "after=%FF"]
)
async def test_socket_of_another_log(client: Client, query: str) -> None:
    """An invalid cursor or parameter closes the WebSocket with 4400."""
    async with socket(client, f"/ws?{query}") as opened:
        closed = await opened.next()

    assert ("websocket.close", 4400) == (closed["type"], closed["code"])
    assert closed["reason"]


async def test_socket_of_the_past_that_is_gone(client: Client, store: Store, clock: Clock) -> None:
    """An expired cursor closes the WebSocket with 4410."""
    cursor = await expired(client, store, clock)

    async with socket(client, f"/ws?after={cursor}") as opened:
        assert 4410 == (await opened.next())["code"]


async def test_socket_closes_with_the_service(client: Client) -> None:
    """A WebSocket tells that the service closes."""
    async with socket(client) as opened:
        assert "ready" == (await opened.document())["type"]
        await client.service.feed.close()

        assert 1001 == (await opened.next())["code"]


async def test_slow_reader_loses_nothing(client: Client) -> None:
    """A reader with too many unread changes is closed with 1013, and can resume without a gap."""
    operations = [{"op": "create", "body": MINIMAL["tasks"]}] * (MAX_BEHIND // 2)
    async with socket(client) as opened:
        last = await opened.document()
        opened.takes.clear()
        for _ in range(3):
            await client.post("/tasks/bulk", json={"operations": operations})
        while client.service.feed._followers:
            await a_turn(client)
        opened.takes.set()
        found: list[Any] = []
        while (message := await opened.next())["type"] == "websocket.send":
            last = json.loads(message["text"])
            found.append(last["id"])

    assert 1013 == message["code"]
    async with socket(client, f"/ws?after={last['cursor']}") as opened:
        while (document := await opened.document())["type"] != "ready":
            found.append(document["id"])
    assert [*range(1, 3 * len(operations) + 1)] == found


@pytest.mark.parametrize(
    "origin", ["https://example.com", "null", "http://127.0.0.1:8001", "https://127.0.0.1:8000", ""]
)
async def test_socket_of_another_page(client: Client, origin: str) -> None:
    """A page of another origin cannot open a WebSocket. CORS alone would not prevent it."""
    async with connected(client.service.app, "/ws", [("Origin", origin)]) as opened:
        await check_refused(opened, 403, "bad_origin")


async def test_socket_of_a_page(store: Store) -> None:
    """The service's own pages, and pages of origins that CORS allows, can open a WebSocket."""
    async with serving(store, origins=("https://example.com",)) as client:
        for origin in (ORIGIN, "https://example.com"):
            async with socket(client, Origin=origin) as opened:
                assert "ready" == (await opened.document())["type"]


async def test_socket_of_another_host(store: Store) -> None:
    """A request with a foreign Host, as in DNS rebinding, cannot open a WebSocket."""
    async with serving(store, hosts=("localhost",)) as client, connected(client.service.app, "/ws") as opened:
        await check_refused(opened, 400, "malformed_request")


async def test_socket_where_there_is_none(client: Client) -> None:
    """No other path accepts a WebSocket, and a plain request to its path gets 426."""
    for path in ("/", "/tasks", "/ws/", "/ws%0A", "/changes/stream"):
        async with connected(client.service.app, path) as opened:
            await check_refused(opened, 404, "not_found")
        async with connected(client.service.app, path, extensions=()) as opened:  # then the server sends 403
            assert {"type": "websocket.close"} == await opened.next()
    plain = await client.get("/ws")
    assert (426, "upgrade_required") == asked(plain)
    assert ("websocket", "upgrade") == (plain.headers["upgrade"], plain.headers["connection"])
