"""Many writers and readers of every type at once, with disconnects: no gap, no repeat, the same order for all."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from random import Random
from typing import Any

import pytest

from adapters.http.feed import feed
from domain.commands import Delete, Restore
from domain.entity_type import EntityType
from domain.errors import DomainError
from domain.ports import Store
from domain.product import PRODUCT
from domain.public_types import followed
from domain.task import TASK
from tests.builders import create
from tests.contract.steps import edit, fill, outcome
from tests.feed.service import Service
from tests.feed.steps import documents

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

Change = dict[str, Any]
Way = Callable[[Service, str, str, int], AsyncIterator[Change]]
"""A way to follow a service: after a cursor, with the rest of a query, and with a limit that slows reading."""

WRITERS, READERS = 16, 8
THE_END = "the end"


async def by_polling(service: Service, after: str, query: str, room: int) -> AsyncIterator[Change]:
    """Poll."""
    while True:
        status, answer = await service.get(f"/changes?after={after}&wait=60&limit={room}{query}")
        assert 200 == status
        for change in answer["changes"]:
            yield change
        after = answer["cursor"]


async def by_events(service: Service, after: str, query: str, room: int) -> AsyncIterator[Change]:
    """Follow an event stream."""
    events = await service.events(f"/changes/stream?after=now{query}", room=room, last_event_id=after)
    try:
        while True:
            name, change = await events.event()
            assert ("message", change["cursor"]) == (name, events.last_id)
            yield change
    finally:
        await events.connection.leave()


async def by_socket(service: Service, after: str, query: str, room: int) -> AsyncIterator[Change]:
    """Follow a WebSocket, which sends `ready` once."""
    socket = await service.socket(f"after={after}{query}", room=room)
    times_ready = 0
    try:
        while True:
            message = await socket.message()
            if message["type"] != "ready":
                yield message
                continue
            times_ready += 1
            assert 1 == times_ready
    finally:
        await socket.connection.leave()


WAYS: list[Way] = [by_polling, by_events, by_socket]


async def reader(services: tuple[Service, ...], random: Random, after: str, query: str = "") -> list[Change]:
    """Follow to the end. Now and then change the way of following, and keep only the last cursor."""
    found: list[Change] = []
    while not (found and found[-1]["data"].get("title") == THE_END):
        way, service, stay = random.choice(WAYS), random.choice(services), random.randrange(1, 60)
        async with aclosing(way(service, after, query, random.randrange(1, 9))) as changes:  # type: ignore[type-var]
            async for change in changes:
                found.append(change)
                after = change["cursor"]
                stay -= 1
                if stay == 0 or change["data"].get("title") == THE_END:
                    break
                if random.random() < 0.1:
                    await asyncio.sleep(0)
    return found


async def writer(store: Store, random: Random) -> None:
    """Create, edit, delete and restore, in single commands or batches. Some fail."""
    for turn in range(50):
        entity_type: EntityType[Any] = random.choice((TASK, PRODUCT))
        id = random.randrange(1, 30)
        several: list[Any] = [create(entity_type) for _ in range(random.randrange(1, 5))]
        one: list[Any] = [
            edit(entity_type, id, **{entity_type.searched[-1].name: str(random.random())}),
            Delete(entity_type=entity_type, id=id),
            Restore(entity_type=entity_type, id=id),
        ]
        commands = random.choice([several, [random.choice(one)], [random.choice(one), *several]])
        with suppress(DomainError):
            await outcome(store, *commands)
        if turn % 3 == 0:
            await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the window so small that readers move between it and the log again and again."""
    monkeypatch.setattr(feed, "WINDOW", 16)
    monkeypatch.setattr(feed, "TAKEN_AT_ONCE", 5)


@pytest.mark.parametrize("seed", range(2))
async def test_no_gap_no_repeat_one_order(
    service: Service, elsewhere: Service, store: Store, other: Store, seed: int
) -> None:
    """Each reader, despite its disconnects, gets exactly the log in its order, or the types that it asked for."""
    start, services = await store.head(), (service, elsewhere)
    readers = [asyncio.create_task(reader(services, Random(f"{seed} {n}"), start)) for n in range(READERS)]
    choosy = asyncio.create_task(
        reader(services, Random(f"{seed} choosy"), start, "&types=task.created,product.deleted")
    )
    await asyncio.gather(*(writer((store, other)[number % 2], Random(f"{seed} {number}")) for number in range(WRITERS)))
    await fill(store, TASK, {"title": THE_END})
    log = await documents(store)
    assert len(log) > 500
    for found in await asyncio.gather(*readers):
        assert log == found
    assert [each for each in log if each["type"] in followed({"task.created", "product.deleted"})] == await choosy
